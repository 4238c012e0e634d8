"""The HTTP API, request by request."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from stempipe.config import JobConfig
from stempipe.job import Stage, Status
from stempipe.jobs import Jobs, Source
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
    ) -> Answer:
        event = deepcopy(sample_event("status-list-jobs"))
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = method
        event["queryStringParameters"] = query or {}
        event["headers"]["content-type"] = content_type
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if owner is None:
            del event["requestContext"]["authorizer"]
        else:
            event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = owner
        answer = app.handler(event, lambda_context)
        assert answer["headers"]["Content-Type"] == "application/json"
        return Answer(answer["statusCode"], json.loads(answer["body"]))

    return ask


def completed(jobs: Jobs, filename: str = "my song.mp3", job_id: str = "01K") -> None:
    source = Source("s3", UPLOADS, "key", filename, bytes=5, etag="e")
    jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())
    claim = jobs.claim("alice", job_id, 30)
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


def test_a_body_that_is_sent_as_a_form_is_told_how_to_be_sent(ask: Ask) -> None:
    request = {"filename": "song.mp3", "size": 5}
    answer = ask("POST", "/v1/jobs", request, content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert "Content-Type: application/json" in answer.body["error"]["message"]


def test_a_processing_job_tells_how_far_it_is(ask: Ask, jobs: Jobs) -> None:
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig())
    jobs.claim("alice", "01K", 30).report(Stage.SEPARATING, 42, 3.21)
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


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "x"}])
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
        ("get", "/v1/health"),
    }
    assert document["paths"]["/v1/health"]["get"]["security"] == [{}]
    assert document["components"]["securitySchemes"]["jwt"]["scheme"] == "bearer"
    assert "estimatedTimeRemaining" in document["components"]["schemas"]["JobView"]["properties"]
