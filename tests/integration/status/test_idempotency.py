"""POST /v1/jobs with an Idempotency-Key: the same request makes one job."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from stempipe.adapters.storage import Storage
from stempipe.errors import JobNotFound
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


# ---- the job is deleted, or made again otherwise, amid the repetition of the request that made it ------


def delete(jobs: Jobs) -> None:
    """Cancel the only job, and forget it."""
    (job,) = jobs.listing.newest("alice", 10).jobs
    cancelled = jobs.cancel("alice", job.id)
    jobs.begin_deletion(cancelled)
    jobs.delete(cancelled)
    time.sleep(0.002)  # makings are told apart by their milliseconds


def once_before(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, happens: Callable[[], None]) -> None:
    """Have something happen before the first call of a method."""
    real, has_happened = getattr(kind, name), []

    def method(self: object, *arguments: Any) -> Any:
        if not has_happened:
            has_happened.append(True)
            happens()
        return real(self, *arguments)

    monkeypatch.setattr(kind, name, method)


KEY = {"idempotency-key": "d4c1"}
OTHERS: dict[str, dict[str, Any]] = {
    "another format": REQUEST | {"config": {"quality": {"outputFormat": "mp3"}}},
    "another size": REQUEST | {"size": 7},
    "stems": {"stems": [{"name": name, "filename": f"{name}.wav", "size": 3} for name in "ab"]},
    "inline": inline(b"another"),
}


@pytest.mark.parametrize(("kind", "name"), [(Jobs, "get"), (Arrivals, "await_upload")])
def test_a_job_that_is_deleted_meanwhile_is_made_again(
    ask: Ask, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, kind: type, name: str
) -> None:
    job_id = ask("POST", "/v1/jobs", REQUEST, headers=KEY).body["job"]["id"]
    once_before(monkeypatch, kind, name, lambda: delete(jobs))
    answer = ask("POST", "/v1/jobs", REQUEST, headers=KEY)
    assert (answer.status, answer.body["job"]["id"], answer.body["job"]["status"]) == (
        *(201, job_id),
        "awaiting_upload",
    )
    assert answer.body["upload"]


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_requests_job_is_never_the_answer(
    ask: Ask, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    ask("POST", "/v1/jobs", REQUEST, headers=KEY)

    def make_another() -> None:
        delete(jobs)
        assert ask("POST", "/v1/jobs", other, headers=KEY).status == 201

    once_before(monkeypatch, Arrivals, "await_upload", make_another)
    answer = ask("POST", "/v1/jobs", REQUEST, headers=KEY)
    assert (answer.status, answer.body["error"]["code"]) == (409, "idempotency_conflict")


def test_a_song_in_the_request_is_stored_for_its_own_job_alone(
    ask: Ask, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_another() -> None:
        delete(jobs)
        assert ask("POST", "/v1/jobs", inline(b"another"), headers=KEY).status == 201

    once_before(monkeypatch, Storage, "put_bytes", make_another)
    answer = ask("POST", "/v1/jobs", inline(b"song"), headers=KEY)
    assert (answer.status, answer.body["error"]["code"]) == (409, "idempotency_conflict")


def test_a_song_in_the_request_whose_job_is_deleted_meanwhile_gets_another(
    ask: Ask, cloud: Aws, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_before(monkeypatch, Storage, "put_bytes", lambda: delete(jobs))
    answer = ask("POST", "/v1/jobs", inline(b"song"), headers=KEY)
    assert (answer.status, answer.body["job"]["status"]) == (201, "queued")
    assert len(cloud.messages()) == 1


def test_whose_job_is_deleted_all_the_time_is_told_so(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = ask("POST", "/v1/jobs", REQUEST, headers=KEY).body["job"]["id"]

    def get(self: Jobs, owner: str, job_id: str) -> Any:
        raise JobNotFound(job_id)

    monkeypatch.setattr(Jobs, "get", get)
    answer = ask("POST", "/v1/jobs", REQUEST, headers=KEY)
    assert (answer.status, answer.body["error"]["code"]) == (409, "invalid_state"), job_id
