"""POST /v1/jobs: a job and a link for its upload, or the song within the request."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from stempipe.jobs.record import Status
from stempipe.jobs.requests import MAX_INLINE_BYTES
from stempipe.jobs.table import Jobs
from tests.aws import UPLOADS, Aws
from tests.integration.status.asking import Ask, inline, stored


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


def test_the_upload_is_bound_to_key_type_and_length(ask: Ask, jobs: Jobs) -> None:
    request = {"filename": "song.mp3", "size": 1234, "contentType": "audio/mpeg"}
    body = ask("POST", "/v1/jobs", request).body
    upload = body["upload"]
    assert upload["method"] == "POST"
    assert UPLOADS in upload["url"]
    made = jobs.get("alice", body["job"]["id"])
    assert upload["fields"]["key"] == made.key == f"jobs/alice/{made.id}/{made.making}"
    conditions = json.loads(base64.b64decode(upload["fields"]["policy"]))["conditions"]
    assert ["content-length-range", 1234, 1234] in conditions
    assert {"Content-Type": "audio/mpeg"} in conditions
    assert {"key": upload["fields"]["key"]} in conditions


@pytest.mark.parametrize(
    ("said", "signed"),
    [
        ("audio/webm;codecs=opus", "audio/webm;codecs=opus"),
        ("audio/ogg; codecs=opus", "audio/ogg; codecs=opus"),
        ('video/mp4; codecs="avc1.64001F, mp4a.40.2"', 'video/mp4; codecs="avc1.64001F, mp4a.40.2"'),
        ("video/webm;codecs=vp8,opus", "video/webm;codecs=vp8,opus"),  # as Chrome's recorder says it
        ("audio/mpeg;", "audio/mpeg;"),
        (" audio/webm; codecs=opus ", "audio/webm; codecs=opus"),
        ("", "application/octet-stream"),
        (" ", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
def test_the_type_of_an_upload_is_signed_as_a_browser_says_it(ask: Ask, said: Any, signed: str) -> None:
    status, body = ask("POST", "/v1/jobs", {"filename": "clip", "size": 5, "contentType": said})
    assert status == 201
    fields = body["upload"]["fields"]
    assert fields["Content-Type"] == signed
    assert {"Content-Type": signed} in json.loads(base64.b64decode(fields["policy"]))["conditions"]


def test_r2_gets_a_signed_put(
    ask: Ask,
    cloud: Aws,
    monkeypatch: pytest.MonkeyPatch,
    load_app: Callable[[str], ModuleType],
    sample_event: Callable[[str], dict[str, Any]],
    lambda_context: Any,
) -> None:
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
    assert url.path.startswith(f"/{UPLOADS}/jobs/alice/{body['job']['id']}/")
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
        ({"filename": "s", "size": 5, "contentType": "audio"}, 422, "invalid_request", "contentType"),
        ({"filename": "s", "size": 5, "contentType": "a/b;c=\u00e9"}, 422, "invalid_request", "contentType"),
        ({"filename": "s", "size": 5, "contentType": 'a/b;c="\r\n"'}, 422, "invalid_request", "contentType"),
        ({"filename": "s", "size": 5, "contentType": 5}, 422, "invalid_request", "contentType"),
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


# ---- a song within the request -------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"filename": "a.mp3", "size": 1, "config": {"stems": {"\\ud800": true}}}', "half a character"),
        ('{"filename": "a.mp3", "size": 1, "\\udfff": 1}', "half a character"),
        ('{"filename": "a.mp3", "size": ' + "9" * 5000 + "}", "too many digits"),
        ('{"filename": "a.mp3", "size": ' + "9" * 4000 + "}", "body.size"),
        (
            '{"filename": "a.mp3", "size": 1, "config": {"quality": {"bitrate": ' + "9" * 5000 + "}}}",
            "digits",
        ),
        (b'{"filename": "a.mp3", "size": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"filename": "\xff.mp3", "size": 1}', "not in UTF-8"),
        ('{"filename": "a.mp3", "size": 1}'.encode("utf-16"), "not in UTF-8"),
    ],
)
def test_what_python_reads_and_no_answer_can_quote_is_refused(
    ask: Ask, body: str | bytes, message: str
) -> None:
    answer = ask("POST", "/v1/jobs", body)
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert message in answer.body["error"]["message"]
    assert len(answer.body["error"]["message"]) < 500


def test_an_answer_does_not_quote_all_of_a_long_request(ask: Ask) -> None:
    request = {"filename": "a.mp3", "size": 1, "config": {"stems": {"x" * 100_000: True}}}
    answer = ask("POST", "/v1/jobs", request)
    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_config")
    assert len(answer.body["error"]["message"]) <= 1000
