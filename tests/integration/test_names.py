"""File names that no file should have, from both ways in to the name that a browser saves a stem under."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, quote_plus, unquote, urlsplit

import pytest

from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.table import Jobs
from tests.aws import UPLOADS, Aws
from tests.claims import take
from tests.stored import stored_song

Sample = Callable[[str], dict[str, Any]]

NAMES = {
    "so\r\nSet-Cookie: a=b\n\0ng.mp3": "so__Set-Cookie_ a=b__ng",
    'say "hello"; filename=evil.exe;.mp3': "say _hello_; filename=evil.exe;",
    "שיר שלי.mp3": "שיר שלי",
    "song\u202e3pm.exe": "song_3pm",
    "🎵👩‍🎤 \U00020bb7.mp3": "🎵👩‍🎤 \U00020bb7",
    "\u2028so\x9fng.mp3": "_so_ng",
    "%2e%2e%2f.mp3": "%2e%2e%2f",
    "C:*?|<>.mp3": "C______",
    "a" * 200 + ".mp3": "a" * 200,
    "Mr. Brightside": "Mr. Brightside",
    "Vol.2": "Vol.2",
    "01. Intro.M4A": "01. Intro",
}
SAVED = {name: f"{cleaned} - vocals.wav" for name, cleaned in NAMES.items()}


def saved_as(link: str) -> tuple[str, str]:
    """The plain and the real name in a link's content disposition."""
    (disposition,) = parse_qs(urlsplit(link).query)["response-content-disposition"]
    assert disposition.isascii()
    assert disposition.isprintable()
    names = re.fullmatch(r"attachment; filename=\"([^\"]*)\"; filename\*=UTF-8''([\w.%~-]*)", disposition)
    assert names
    return names[1], unquote(names[2], errors="strict")


@pytest.fixture
def stems_of(
    jobs: Jobs, load_app: Callable[[str], ModuleType], lambda_context: Any, sample_event: Sample
) -> Callable[[str], tuple[str, str]]:
    """The names that alice saves her job's vocals under."""
    app = load_app("status")

    def stems_of(job_id: str) -> tuple[str, str]:
        claim = take(jobs, "alice", job_id, 30)
        claim.complete(stored=stored_song({"vocals": f"alice/{job_id}/1/vocals.wav"}), gb_seconds=1)
        event = deepcopy(sample_event("status-get-job"))
        event["rawPath"] = event["requestContext"]["http"]["path"] = f"/v1/jobs/{job_id}"
        event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = "alice"
        answer = app.handler(event, lambda_context)
        assert answer["statusCode"] == 200
        return saved_as(json.loads(answer["body"])["results"]["stems"]["vocals"])

    return stems_of


@pytest.fixture
def put(
    cloud: Aws, load_app: Callable[[str], ModuleType], lambda_context: Any, sample_event: Sample
) -> Callable[[str], str]:
    """Puts a song into alice's inbox; returns the id of its job."""
    app = load_app("intake")

    def put(name: str) -> str:
        key = f"inbox/alice/{name}"
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"music")
        event = deepcopy(sample_event("intake-s3"))
        event["Records"][0]["s3"]["object"]["key"] = quote_plus(key)
        (job,) = app.handler(event, lambda_context)["jobs"]
        return str(job["id"])

    return put


def test_a_song_in_the_inbox_may_be_called_anything(
    put: Callable[[str], str], stems_of: Callable[[str], tuple[str, str]]
) -> None:
    saved = {name: stems_of(put(name)) for name in NAMES}
    assert {name: real for name, (_, real) in saved.items()} == SAVED
    assert all(len(plain) == len(real) for plain, real in saved.values())


def test_a_song_sent_through_the_api_may_be_called_anything(
    jobs: Jobs,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Sample,
    stems_of: Callable[[str], tuple[str, str]],
) -> None:
    app = load_app("status")

    def send(name: str) -> str:
        event = deepcopy(sample_event("status-create-job"))
        event["body"] = json.dumps({"filename": name, "size": 5})
        event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = "alice"
        answer = app.handler(event, lambda_context)
        assert answer["statusCode"] == 201
        job_id = str(json.loads(answer["body"])["job"]["id"])
        Arrivals(jobs).upload_arrived(jobs.get("alice", job_id), etag="e", size=5)
        return job_id

    assert {name: stems_of(send(name))[1] for name in NAMES} == SAVED
