"""POST /v1/jobs with an Idempotency-Key: the same request makes one job."""

from __future__ import annotations

from typing import Any

import pytest

from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.table import Jobs
from tests.aws import UPLOADS, Aws
from tests.integration.status.asking import Ask, inline

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
    Arrivals(jobs).upload_arrived(jobs.get("alice", job_id), etag="e", size=1234)
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
