"""The HTTP API, request by request."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from stempipe.errors import InternalError, InvalidConfig
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Source, Stage, Status
from stempipe.jobs.requests import MAX_INLINE_BYTES
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import Upload, direct_job_id, job_upload_key
from tests.aws import STEMS, UPLOADS, Aws


class Answer(NamedTuple):
    status: int
    body: Any


Ask = Callable[..., Answer]


@pytest.fixture
def ask(
    cloud: Aws,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Callable[[str], dict[str, Any]],
) -> Ask:
    app = load_app("status")

    def ask(
        method: str,
        path: str,
        body: Any = None,
        *,
        owner: str | None = "alice",
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        claims: dict[str, str] | None = None,
    ) -> Answer:
        event = deepcopy(sample_event("status-list-jobs"))
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = method
        event["queryStringParameters"] = query or {}
        event["headers"] |= {"content-type": content_type} | (headers or {})
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if owner is None:
            del event["requestContext"]["authorizer"]
        else:
            event["requestContext"]["authorizer"]["jwt"]["claims"] |= {"sub": owner} | (claims or {})
        answer = app.handler(event, lambda_context)
        if answer["statusCode"] == 204:
            assert not answer["body"]
            return Answer(204, None)
        assert answer["headers"]["Content-Type"] == "application/json"
        return Answer(answer["statusCode"], json.loads(answer["body"]))

    return ask


def completed(jobs: Jobs, filename: str = "my song.mp3", job_id: str = "01K") -> None:
    source = Source("s3", UPLOADS, "key", filename, bytes=5, etag="e")
    jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())
    claim = Claim.take(jobs, "alice", job_id, 30)
    claim.complete(
        {"vocals": "alice/01K/1/vocals.wav", "accompaniment": "alice/01K/1/accompaniment.wav"},
        gain_db=-1.25,
        duration_seconds=180.25,
        sample_rate=44100,
        channels=2,
        codec="mp3",
        gb_seconds=12.5,
    )


def test_health_needs_no_token(ask: Ask) -> None:
    assert ask("GET", "/v1/health", owner=None) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/01K"])
def test_everything_else_does(ask: Ask, path: str) -> None:
    status, body = ask("GET", path, owner=None)
    assert (status, body["error"]["code"]) == (401, "unauthorized")


def test_a_new_job_awaits_its_upload(ask: Ask, jobs: Jobs) -> None:
    request = {
        "filename": "song.mp3",
        "size": 1234,
        "contentType": "audio/mpeg",
        "config": {"stems": {"vocals": True}, "quality": {"outputFormat": "mp3"}},
    }
    status, body = ask("POST", "/v1/jobs", request)
    assert status == 201
    job = body["job"]
    assert job["status"] == "awaiting_upload"
    assert job["config"]["stems"] == {"vocals": True, "accompaniment": False}
    assert job["config"]["quality"] == {
        "sampleRate": 44100,
        "outputFormat": "mp3",
        "bitDepth": None,
        "bitrate": 192,
    }
    assert job["source"]["filename"] == "song.mp3"
    assert (job["progress"], job["results"], job["error"], job["attempt"]) == (0, None, None, 0)
    assert jobs.get("alice", job["id"]).state is Status.AWAITING_UPLOAD


def test_the_upload_is_bound_to_key_type_and_length(ask: Ask) -> None:
    request = {"filename": "song.mp3", "size": 1234, "contentType": "audio/mpeg"}
    body = ask("POST", "/v1/jobs", request).body
    upload = body["upload"]
    assert upload["method"] == "POST"
    assert UPLOADS in upload["url"]
    assert upload["fields"]["key"] == f"jobs/alice/{body['job']['id']}"
    conditions = json.loads(base64.b64decode(upload["fields"]["policy"]))["conditions"]
    assert ["content-length-range", 1234, 1234] in conditions
    assert {"Content-Type": "audio/mpeg"} in conditions
    assert {"key": upload["fields"]["key"]} in conditions


def test_r2_gets_a_signed_put(
    ask: Ask,
    cloud: Aws,
    monkeypatch: pytest.MonkeyPatch,
    load_app: Callable[[str], ModuleType],
    sample_event: Callable[[str], dict[str, Any]],
    lambda_context: Any,
) -> None:
    import boto3

    secret = boto3.client("secretsmanager").create_secret(
        Name="r2", SecretString='{"access_key_id": "R2KEY", "secret_access_key": "R2SECRET"}'
    )
    monkeypatch.setenv("STORAGE_PROVIDER", "r2")
    monkeypatch.setenv("STORAGE_ENDPOINT", "https://account.r2.cloudflarestorage.com")
    monkeypatch.setenv("STORAGE_SECRET_ARN", secret["ARN"])
    answer = load_app("status").handler(sample_event("status-create-job"), lambda_context)
    body = json.loads(answer["body"])
    upload = body["upload"]
    assert (upload["method"], upload["headers"]) == ("PUT", {"Content-Type": "audio/mpeg"})
    url = urlsplit(upload["url"])
    assert url.netloc == "account.r2.cloudflarestorage.com"
    assert url.path == f"/{UPLOADS}/jobs/alice/{body['job']['id']}"
    query = parse_qs(url.query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Credential"][0].startswith("R2KEY/")


@pytest.mark.parametrize(
    ("request_body", "status", "code", "field"),
    [
        ({"size": 5}, 422, "invalid_request", "filename"),
        ({"filename": "song.mp3"}, 422, "invalid_request", "size"),
        ({"filename": "song.mp3", "size": "5"}, 422, "invalid_request", "size"),
        ({"filename": "song.mp3", "size": -1}, 422, "invalid_request", "size"),
        ({"filename": "song.mp3", "size": 0}, 422, "empty_file", "empty"),
        ({"filename": "song.mp3", "size": 1_000_001}, 413, "too_large", "1,000,000"),
        ({"filename": "", "size": 5}, 422, "invalid_request", "filename"),
        ({"filename": "../..", "size": 5}, 422, "invalid_request", "filename"),
        ({"filename": "song.mp3", "size": 5, "contentType": "a\r\nb"}, 422, "invalid_request", "contentType"),
        ({"filename": "song.mp3", "size": 5, "colour": 1}, 422, "invalid_request", "colour"),
        (
            {"filename": "song.mp3", "size": 5, "config": {"stems": {"tuba": True}}},
            422,
            "invalid_config",
            "stems",
        ),
        (
            {"filename": "s", "size": 5, "config": {"quality": {"bitrate": 1}}},
            422,
            "invalid_config",
            "bitrate",
        ),
        (
            {"filename": "s", "size": 5, "config": {"modelVariant": "4stems"}},
            422,
            "invalid_config",
            "modelVariant",
        ),
        ("{", 422, "invalid_request", ""),
        ("[" * 100_000, 422, "invalid_request", "nested"),
        ([], 422, "invalid_request", ""),
    ],
)
def test_a_request_that_cannot_be_had_is_refused_by_code_and_field(
    ask: Ask, request_body: Any, status: int, code: str, field: str
) -> None:
    answer = ask("POST", "/v1/jobs", request_body)
    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert field in answer.body["error"]["message"]


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "?", ""]
)
def test_a_body_that_is_not_sent_as_json_is_told_how_to_be_sent(ask: Ask, content_type: str) -> None:
    request = {"filename": "song.mp3", "size": 5}
    answer = ask("POST", "/v1/jobs", request, content_type=content_type)
    assert (answer.status, answer.body["error"]["code"]) == (415, "invalid_request")
    assert "Content-Type: application/json" in answer.body["error"]["message"]


def test_a_processing_job_tells_how_far_it_is(ask: Ask, jobs: Jobs) -> None:
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig())
    Claim.take(jobs, "alice", "01K", 30).report(Stage.SEPARATING, 42, 3.21)
    body = ask("GET", "/v1/jobs/01K").body
    assert body["status"] == "processing"
    assert (body["stage"], body["progress"], body["estimatedTimeRemaining"]) == ("separating", 42, 3.2)


def test_a_completed_job_links_to_its_stems_under_sensible_names(ask: Ask, jobs: Jobs) -> None:
    completed(jobs)
    body = ask("GET", "/v1/jobs/01K").body
    assert body["status"] == "completed"
    assert set(body["results"]["stems"]) == {"vocals", "accompaniment"}
    assert body["results"]["gainDb"] == -1.25
    link = urlsplit(body["results"]["stems"]["vocals"])
    assert STEMS in link.netloc + link.path
    (disposition,) = parse_qs(link.query)["response-content-disposition"]
    assert "filename*=UTF-8''my%20song%20-%20vocals.wav" in disposition
    assert 'filename="my song - vocals.wav"' in disposition
    assert body["cost"] == {"gbSeconds": 12.5, "usd": 0.000208}
    assert body["source"] == {
        "filename": "my song.mp3",
        "bytes": 5,
        "durationSeconds": 180.25,
        "sampleRate": 44100,
        "channels": 2,
        "codec": "mp3",
    }


def test_names_that_would_break_a_header_do_not(ask: Ask, jobs: Jobs) -> None:
    completed(jobs, filename='"quoted"\r\n\u202e\U0001f3b5.mp3')
    link = urlsplit(ask("GET", "/v1/jobs/01K").body["results"]["stems"]["vocals"])
    (disposition,) = parse_qs(link.query)["response-content-disposition"]
    assert disposition.isascii()
    assert disposition.isprintable()
    assert disposition.count('"') == 2


def test_a_stems_name_is_no_longer_than_a_file_system_allows(ask: Ask, jobs: Jobs) -> None:
    completed(jobs, filename="\U0001f3b5" * 250 + ".mp3")
    link = urlsplit(ask("GET", "/v1/jobs/01K").body["results"]["stems"]["accompaniment"])
    (disposition,) = parse_qs(link.query)["response-content-disposition"]
    name = unquote(disposition.rpartition("UTF-8''")[2])
    assert 250 < len(name.encode()) <= 255
    assert name.startswith("\U0001f3b5" * 50)
    assert name.endswith("\U0001f3b5 - accompaniment.wav")


def test_anothers_job_and_none_look_the_same(ask: Ask, jobs: Jobs) -> None:
    completed(jobs)
    foreign, missing = ask("GET", "/v1/jobs/01K", owner="bob"), ask("GET", "/v1/jobs/01K-none", owner="bob")
    assert (foreign.status, foreign.body["error"]["code"]) == (404, "job_not_found")
    assert missing.status == 404
    assert missing.body["error"]["message"].replace("-none", "") == foreign.body["error"]["message"]


def test_jobs_are_listed_newest_first(ask: Ask, jobs: Jobs) -> None:
    for number in range(3):
        completed(jobs, job_id=f"job-{number}")
    first = ask("GET", "/v1/jobs", query={"limit": "2"}).body
    assert [job["id"] for job in first["jobs"]] == ["job-2", "job-1"]
    second = ask("GET", "/v1/jobs", query={"limit": "2", "cursor": first["cursor"]}).body
    assert [job["id"] for job in second["jobs"]] == ["job-0"]
    assert second["cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"cursor": "x"},
        {"status": "done"},
        {"status": "failed,"},
        {"createdAfter": "yesterday"},
        {"createdAfter": "1767225600"},
        {"createdAfter": "2026-01-01"},
        {"createdAfter": "2026-01-01T00:00:00"},  # of no time zone
        {"createdBefore": "2026-13-01T00:00:00Z"},
    ],
)
def test_a_bad_page_is_refused(ask: Ask, query: dict[str, str]) -> None:
    answer = ask("GET", "/v1/jobs", query=query)
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert next(iter(query)) in answer.body["error"]["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/songs"), ("PATCH", "/v1/jobs"), ("GET", "/")])
def test_what_is_not_there_is_404_in_json(ask: Ask, method: str, path: str) -> None:
    answer = ask(method, path)
    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")


def test_an_unforeseen_fault_is_500_and_says_nothing_of_its_cause(ask: Ask, cloud: Aws) -> None:
    import boto3

    boto3.client("dynamodb").delete_table(TableName="jobs")
    answer = ask("GET", "/v1/jobs/01K")
    assert (answer.status, answer.body["error"]["code"]) == (500, "internal_error")
    assert "table" not in answer.body["error"]["message"].lower()


def test_the_openapi_document_has_every_route(ask: Ask) -> None:
    document = ask("GET", "/v1/openapi.json").body
    routes = {(method, path) for path, item in document["paths"].items() for method in item}
    assert routes == {
        ("post", "/v1/jobs"),
        ("get", "/v1/jobs"),
        ("get", "/v1/jobs/{id}"),
        ("delete", "/v1/jobs/{id}"),
        ("post", "/v1/jobs/{id}/retry"),
        ("get", "/v1/health"),
    }
    assert document["paths"]["/v1/health"]["get"]["security"] == [{}]
    assert document["components"]["securitySchemes"]["jwt"]["scheme"] == "bearer"
    assert "estimatedTimeRemaining" in document["components"]["schemas"]["JobView"]["properties"]


# ---- filters -------------------------------------------------------------------------------------


def listed(ask: Ask, **query: str) -> list[str]:
    """Ids of all pages, each as full as was asked for until there are no more."""
    ids, cursor = [], ""
    while True:
        page = ask("GET", "/v1/jobs", query=query | ({"cursor": cursor} if cursor else {})).body
        ids += [job["id"] for job in page["jobs"]]
        cursor = page["cursor"]
        if not cursor:
            return ids
        assert len(page["jobs"]) == int(query["limit"])


def test_jobs_are_listed_by_status(ask: Ask, jobs: Jobs) -> None:
    for number in range(9):
        uploaded(jobs, job_id=f"job-{number}")
        if number % 3 == 0:
            Claim.take(jobs, "alice", f"job-{number}", 30).fail(InternalError())
        elif number % 3 == 1:
            jobs.cancel("alice", f"job-{number}")
    assert listed(ask, status="failed", limit="2") == ["job-6", "job-3", "job-0"]
    assert listed(ask, status="failed,cancelled", limit="1") == [f"job-{n}" for n in (7, 6, 4, 3, 1, 0)]
    assert listed(ask, status="completed", limit="2") == []


def test_jobs_are_listed_by_when_they_were_made_and_both_times_count(ask: Ask, jobs: Jobs) -> None:
    for number in range(4):
        uploaded(jobs, job_id=f"job-{number}")
    made = [ask("GET", f"/v1/jobs/job-{number}").body["createdAt"] for number in range(4)]
    assert listed(ask, createdAfter=made[1], limit="1") == ["job-3", "job-2", "job-1"]
    assert listed(ask, createdBefore=made[1], limit="5") == ["job-1", "job-0"]
    assert listed(ask, createdAfter=made[1], createdBefore=made[2], limit="5") == ["job-2", "job-1"]
    assert listed(ask, createdAfter=made[2], createdBefore=made[1], limit="5") == []
    assert len(listed(ask, createdAfter="0001-01-01T00:00:00+23:59", limit="5")) == 4
    assert len(listed(ask, createdBefore="9999-12-31T23:59:59-23:59", limit="5")) == 4


def test_a_cursor_is_good_for_its_own_list_alone(ask: Ask, jobs: Jobs) -> None:
    for number in range(3):
        uploaded(jobs, job_id=f"job-{number}")
    cursor = ask("GET", "/v1/jobs", query={"limit": "1"}).body["cursor"]
    query = {"createdBefore": "2020-01-01T00:00:00Z", "cursor": cursor}
    answer = ask("GET", "/v1/jobs", query=query)
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")


# ---- delete --------------------------------------------------------------------------------------


def uploaded(jobs: Jobs, job_id: str = "01K", etag: str = "e") -> Job:
    """A queued job."""
    source = Source("s3", UPLOADS, job_upload_key("alice", job_id), "song.mp3", bytes=4, etag=etag)
    return jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())


def store(cloud: Aws, bucket: str, key: str, **more: Any) -> str:
    """Put an object; returns its etag."""
    return cloud.s3.put_object(Bucket=bucket, Key=key, Body=b"song", **more)["ETag"].strip('"')


def stored(cloud: Aws, bucket: str) -> list[str]:
    return [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.parametrize("state", [Status.AWAITING_UPLOAD, Status.QUEUED, Status.PROCESSING])
def test_an_open_job_is_cancelled_and_its_files_are_deleted(
    ask: Ask, cloud: Aws, jobs: Jobs, state: Status
) -> None:
    key = job_upload_key("alice", "01K")
    source = Source("s3", UPLOADS, key, "song.mp3", bytes=4, etag="e")
    first = Status.AWAITING_UPLOAD if state is Status.AWAITING_UPLOAD else Status.QUEUED
    jobs.add("alice", "01K", first, source, JobConfig())
    if state is Status.PROCESSING:
        Claim.take(jobs, "alice", "01K", 30).report(Stage.UPLOADING, 95, 1.0)
    store(cloud, UPLOADS, key)
    store(cloud, STEMS, "alice/01K/1/vocals.wav")
    status, job = ask("DELETE", "/v1/jobs/01K")
    assert status == 200
    assert (job["status"], job["stage"], job["estimatedTimeRemaining"]) == ("cancelled", None, None)
    assert job["completedAt"]
    assert stored(cloud, UPLOADS) == stored(cloud, STEMS) == []
    assert ask("GET", "/v1/jobs/01K").body["status"] == "cancelled"


@pytest.mark.parametrize("state", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_a_job_that_has_ended_is_deleted_with_the_files_of_all_its_attempts(
    ask: Ask, cloud: Aws, jobs: Jobs, state: Status
) -> None:
    uploaded(jobs)
    match state:
        case Status.COMPLETED:
            jobs.delete(jobs.cancel("alice", "01K"))
            completed(jobs)
        case Status.FAILED:
            Claim.take(jobs, "alice", "01K", 30).fail(InternalError())
        case _:
            jobs.cancel("alice", "01K")
    store(cloud, UPLOADS, jobs.get("alice", "01K").key)
    for attempt in (1, 2):
        store(cloud, STEMS, f"alice/01K/{attempt}/vocals.wav")
    others = ["alice/01K2/1/vocals.wav", "bob/01K/1/vocals.wav"]
    for key in others:
        store(cloud, STEMS, key)
    assert ask("DELETE", "/v1/jobs/01K") == (204, None)
    assert ask("GET", "/v1/jobs/01K").status == 404
    assert ask("DELETE", "/v1/jobs/01K").status == 404
    assert stored(cloud, STEMS) == others


def test_cancelling_twice_deletes(ask: Ask, jobs: Jobs) -> None:
    uploaded(jobs)
    assert [ask("DELETE", "/v1/jobs/01K").status for _ in range(3)] == [200, 204, 404]


def test_where_files_cannot_be_deleted_the_job_stays_to_be_deleted_again(
    ask: Ask, cloud: Aws, jobs: Jobs
) -> None:
    uploaded(jobs)
    jobs.cancel("alice", "01K")
    store(cloud, UPLOADS, job_upload_key("alice", "01K"))
    cloud.s3.delete_bucket(Bucket=STEMS)
    answer = ask("DELETE", "/v1/jobs/01K")
    assert (answer.status, answer.body["error"]["code"]) == (503, "storage_unavailable")
    cloud.s3.create_bucket(Bucket=STEMS)
    assert ask("DELETE", "/v1/jobs/01K").status == 204
    assert stored(cloud, UPLOADS) == []


def direct(cloud: Aws, jobs: Jobs, config: str = "") -> Job:
    """A job of a song in the inbox."""
    key = "inbox/alice/song.mp3"
    etag = store(cloud, UPLOADS, key, Metadata={"stempipe-config": config} if config else {})
    source = Source("s3", UPLOADS, key, "song.mp3", bytes=4, etag=etag)
    job_id = direct_job_id(Upload("s3", UPLOADS, key), etag, config)
    return jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())


def test_a_direct_upload_is_deleted_with_its_job(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    job = direct(cloud, jobs)
    assert ask("DELETE", f"/v1/jobs/{job.id}").status == 200
    assert stored(cloud, UPLOADS) == []


def test_a_direct_upload_that_is_another_jobs_by_now_is_kept(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    first = direct(cloud, jobs)
    second = direct(cloud, jobs, '{"modelVariant": "2stems"}')
    assert ask("DELETE", f"/v1/jobs/{first.id}").status == 200
    assert stored(cloud, UPLOADS) == [second.key]


# ---- retry ---------------------------------------------------------------------------------------


def failed(cloud: Aws, jobs: Jobs, attempts: int = MAX_ATTEMPTS) -> Job:
    """A job that was given up, its upload still there."""
    uploaded(jobs, etag=store(cloud, UPLOADS, job_upload_key("alice", "01K")))
    for _ in range(attempts - 1):
        Claim.take(jobs, "alice", "01K", 30).release()
    Claim.take(jobs, "alice", "01K", 30).fail(InternalError())
    return jobs.get("alice", "01K")


def test_a_failed_job_is_queued_again_with_all_attempts_anew(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    failed(cloud, jobs)
    status, job = ask("POST", "/v1/jobs/01K/retry")
    assert (status, job["status"], job["error"], job["progress"]) == (202, "queued", None, 0)
    assert (job["startedAt"], job["completedAt"]) == (None, None)
    assert cloud.messages() == [{"owner": "alice", "id": "01K"}]
    assert jobs.get("alice", "01K").enqueued_at
    claims = [Claim.take(jobs, "alice", "01K", 0) for _ in range(MAX_ATTEMPTS)]
    # The number goes on: no worker of before has it.
    assert [claim.job.attempt for claim in claims] == [4, 5, 6]
    assert [claim.is_last_attempt for claim in claims] == [False, False, True]


def test_a_cancelled_job_whose_song_is_there_again_is_queued_again(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    job = direct(cloud, jobs)
    ask("DELETE", f"/v1/jobs/{job.id}")
    direct_again = store(cloud, UPLOADS, job.key)
    assert direct_again == job.etag
    assert ask("POST", f"/v1/jobs/{job.id}/retry").status == 202


@pytest.mark.parametrize("replaced", [False, True])
def test_without_its_upload_a_job_cannot_be_tried_again(
    ask: Ask, cloud: Aws, jobs: Jobs, replaced: bool
) -> None:
    job = failed(cloud, jobs, attempts=1)
    cloud.s3.delete_object(Bucket=UPLOADS, Key=job.key)
    if replaced:
        cloud.s3.put_object(Bucket=UPLOADS, Key=job.key, Body=b"another song")
    answer = ask("POST", "/v1/jobs/01K/retry")
    assert (answer.status, answer.body["error"]["code"]) == (410, "upload_gone")
    assert jobs.get("alice", "01K").state is Status.FAILED


def test_a_completed_job_or_one_under_way_is_not_tried_again(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    completed(jobs)
    uploaded(jobs, job_id="01L")
    for job_id in ("01K", "01L"):
        answer = ask("POST", f"/v1/jobs/{job_id}/retry")
        assert (answer.status, answer.body["error"]["code"]) == (409, "invalid_state")
    assert cloud.messages() == []


def test_a_job_whose_upload_was_refused_is_not_tried_at_all(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    etag = store(cloud, UPLOADS, "inbox/alice/song.mp3")
    source = Source("s3", UPLOADS, "inbox/alice/song.mp3", "song.mp3", bytes=4, etag=etag)
    jobs.add("alice", "01K", Status.FAILED, source, JobConfig(), InvalidConfig("config: no"))
    answer = ask("POST", "/v1/jobs/01K/retry")
    assert (answer.status, answer.body["error"]["code"]) == (409, "invalid_state")
    assert "invalid_config" in answer.body["error"]["message"]


# ---- a song within the request -------------------------------------------------------------------


def inline(song: bytes | str, filename: str = "song.mp3") -> dict[str, Any]:
    text = song if isinstance(song, str) else base64.b64encode(song).decode()
    return {"audio": {"filename": filename, "base64": text}}


def test_a_song_within_the_request_is_queued_at_once(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    status, body = ask("POST", "/v1/jobs", inline(b"song") | {"config": {"stems": {"vocals": True}}})
    assert (status, body["upload"]) == (201, None)
    job = jobs.get("alice", body["job"]["id"])
    assert (job.state, job.bytes, job.config.kept) == (Status.QUEUED, 4, ("vocals",))
    upload = cloud.s3.get_object(Bucket=UPLOADS, Key=job.key)
    assert upload["Body"].read() == b"song"
    assert upload["ETag"].strip('"') == job.etag
    assert cloud.messages() == [{"owner": "alice", "id": job.id}]
    assert job.enqueued_at


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (inline("no base64!"), 422, "invalid_request", "body.audio.base64"),
        (inline("c29uZw"), 422, "invalid_request", "body.audio.base64"),  # not padded
        (inline("c29u\nZw=="), 422, "invalid_request", "body.audio.base64"),
        (inline("\u00e9"), 422, "invalid_request", "body.audio.base64"),
        ({"audio": {"filename": "song.mp3", "base64": 5}}, 422, "invalid_request", "body.audio.base64"),
        (inline(""), 422, "empty_file", "empty"),
        (inline(b"song", ""), 422, "invalid_request", "body.audio.filename"),
        (inline(b"song", "../.."), 422, "invalid_request", "filename"),
        (inline(b"song") | {"size": 4}, 422, "invalid_request", "body.size"),
        ({"audio": None}, 422, "invalid_request", "body.audio"),
        (inline(b"x" * 1_000_001), 413, "too_large", "1,000,000"),
        (inline(b"song") | {"config": {"model": "demucs"}}, 422, "invalid_config", "config.model"),
    ],
)
def test_a_song_within_the_request_that_cannot_be_had_is_refused(
    ask: Ask, cloud: Aws, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = ask("POST", "/v1/jobs", body)
    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert field in answer.body["error"]["message"]
    assert stored(cloud, UPLOADS) == []


def test_a_song_too_large_for_a_request_is_shown_the_other_way(ask: Ask) -> None:
    answer = ask("POST", "/v1/jobs", inline(b"x" * (MAX_INLINE_BYTES + 1)))
    assert (answer.status, answer.body["error"]["code"]) == (413, "too_large")
    assert "upload by the link" in answer.body["error"]["message"]


def test_the_largest_song_within_a_request_is_an_event_that_lambda_takes(
    sample_event: Callable[[str], dict[str, Any]],
) -> None:
    event = sample_event("status-create-job")
    event["body"] = json.dumps(inline(b"x" * MAX_INLINE_BYTES, "n" * 255))
    headers = 10_240  # bytes: the gateway takes no more; the token's claims come again, decoded
    assert len(json.dumps(event)) + 2 * headers < 6_291_456


# ---- idempotency ---------------------------------------------------------------------------------

REQUEST = {"filename": "song.mp3", "size": 1234}


@pytest.mark.parametrize("request_body", [REQUEST, inline(b"song")], ids=["link", "inline"])
def test_the_same_key_and_request_make_one_job(ask: Ask, cloud: Aws, request_body: dict[str, Any]) -> None:
    headers = {"idempotency-key": "d4c1,e2"}
    first = ask("POST", "/v1/jobs", request_body, headers=headers)
    # The same in meaning: defaults spelled out, another order.
    again = dict(reversed(request_body.items())) | {"config": {"modelVariant": "2stems"}}
    second = ask("POST", "/v1/jobs", again, headers=headers)
    assert (first.status, second.status) == (201, 201)
    assert first.body["job"]["id"] == second.body["job"]["id"]
    assert len(ask("GET", "/v1/jobs").body["jobs"]) == 1
    assert len(cloud.messages()) == (1 if "audio" in request_body else 0)
    if "audio" not in request_body:
        assert second.body["upload"]["fields"]["key"] == first.body["upload"]["fields"]["key"]


def test_once_its_song_is_there_the_same_request_gives_the_job_and_no_link(ask: Ask, jobs: Jobs) -> None:
    headers = {"idempotency-key": "d4c1"}
    job_id = ask("POST", "/v1/jobs", REQUEST, headers=headers).body["job"]["id"]
    jobs.upload_arrived(jobs.get("alice", job_id), etag="e", size=1234)
    status, body = ask("POST", "/v1/jobs", REQUEST, headers=headers)
    assert (status, body["job"]["id"], body["job"]["status"], body["upload"]) == (201, job_id, "queued", None)


def test_a_song_that_was_not_stored_is_stored_when_the_request_comes_again(
    ask: Ask, cloud: Aws, jobs: Jobs
) -> None:
    headers = {"idempotency-key": "d4c1"}
    cloud.s3.delete_bucket(Bucket=UPLOADS)
    assert ask("POST", "/v1/jobs", inline(b"song"), headers=headers).status == 503
    cloud.s3.create_bucket(Bucket=UPLOADS)
    body = ask("POST", "/v1/jobs", inline(b"song"), headers=headers).body
    assert body["job"]["status"] == "queued"
    assert [job.id for job in jobs.listing.newest("alice", 10).jobs] == [body["job"]["id"]]


def test_the_same_key_with_another_request_is_a_conflict(ask: Ask) -> None:
    headers = {"idempotency-key": "d4c1"}
    ask("POST", "/v1/jobs", REQUEST, headers=headers)
    answer = ask("POST", "/v1/jobs", REQUEST | {"size": 1235}, headers=headers)
    assert (answer.status, answer.body["error"]["code"]) == (409, "idempotency_conflict")


def test_a_key_is_its_owners_and_other_keys_are_other_jobs(ask: Ask) -> None:
    ids = {
        ask("POST", "/v1/jobs", REQUEST, owner=owner, headers={"idempotency-key": key}).body["job"]["id"]
        for owner, key in [("alice", "a"), ("alice", "a,b"), ("alice", "a,c"), ("bob", "a")]
    }
    assert len(ids) == 4


def test_a_key_is_free_again_when_its_job_is_deleted(ask: Ask) -> None:
    headers = {"idempotency-key": "d4c1"}
    job_id = ask("POST", "/v1/jobs", REQUEST, headers=headers).body["job"]["id"]
    for _ in range(2):
        ask("DELETE", f"/v1/jobs/{job_id}")
    assert ask("POST", "/v1/jobs", REQUEST | {"size": 1}, headers=headers).status == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\u00e9"])
def test_a_key_that_is_none_is_refused(ask: Ask, key: str) -> None:
    answer = ask("POST", "/v1/jobs", REQUEST, headers={"idempotency-key": key})
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert "idempotency-key" in answer.body["error"]["message"].lower()


@pytest.mark.parametrize("claims", [{"token_use": "id"}, {"sub": ""}, {"exp": ""}])
def test_a_token_that_is_no_access_token_of_somebody_for_some_time_is_refused(
    ask: Ask, claims: dict[str, str]
) -> None:
    answer = ask("GET", "/v1/jobs", claims=claims)
    assert (answer.status, answer.body["error"]["code"]) == (401, "unauthorized")


# ---- estimates -----------------------------------------------------------------------------------


def test_a_queued_job_says_how_long_it_takes_at_most_once_there_is_something_to_tell_it_from(
    ask: Ask, jobs: Jobs, cloud: Aws
) -> None:
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
    jobs.add("alice", "queued", Status.QUEUED, source, JobConfig())
    for _ in range(10):
        cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody="{}")
    assert ask("GET", "/v1/jobs/queued").body["estimatedTimeRemaining"] is None
    completed(jobs)
    job = jobs.get("alice", "01K")
    assert job.started_at
    job.update([Job.completed_at.set(job.started_at + timedelta(seconds=12))])
    # Ten songs for two workers, and its own.
    assert ask("GET", "/v1/jobs/queued").body["estimatedTimeRemaining"] == 72
