"""DELETE /v1/jobs/{id}: an open job is cancelled, one that has ended is deleted, and files go with both."""

from __future__ import annotations

import time

import pytest

from stempipe.errors import InternalError
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Source, Stage, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import job_upload_key
from tests.aws import STEMS, UPLOADS, Aws
from tests.claims import take
from tests.integration.status.asking import Ask, completed, direct, store, stored, uploaded


@pytest.mark.parametrize("state", [Status.AWAITING_UPLOAD, Status.QUEUED, Status.PROCESSING])
def test_an_open_job_is_cancelled_and_its_files_are_deleted(
    ask: Ask, cloud: Aws, jobs: Jobs, state: Status
) -> None:
    making = jobs.new_making()
    key = job_upload_key("alice", "01K", making)
    source = Source("s3", UPLOADS, key, "song.mp3", bytes=4, etag="e")
    first = Status.AWAITING_UPLOAD if state is Status.AWAITING_UPLOAD else Status.QUEUED
    jobs.add("alice", "01K", first, source, JobConfig(), making=making)
    if state is Status.PROCESSING:
        take(jobs, "alice", "01K", 30).report(Stage.UPLOADING, 95, 1.0)
    store(cloud, UPLOADS, key)
    store(cloud, STEMS, f"alice/01K/{jobs.get('alice', '01K').attempt}/vocals.wav")
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
            time.sleep(0.002)
            completed(jobs)
        case Status.FAILED:
            take(jobs, "alice", "01K", 30).fail(InternalError())
        case _:
            jobs.cancel("alice", "01K")
    store(cloud, UPLOADS, jobs.get("alice", "01K").key)
    last = int(jobs.get("alice", "01K").attempt)
    for attempt in (last - 1, last):
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
    key = uploaded(jobs).key
    jobs.cancel("alice", "01K")
    store(cloud, UPLOADS, key)
    cloud.s3.delete_bucket(Bucket=STEMS)
    answer = ask("DELETE", "/v1/jobs/01K")
    assert (answer.status, answer.body["error"]["code"]) == (503, "storage_unavailable")
    cloud.s3.create_bucket(Bucket=STEMS)
    assert ask("DELETE", "/v1/jobs/01K").status == 204
    assert stored(cloud, UPLOADS) == []


def test_a_direct_upload_is_deleted_with_its_job(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    job = direct(cloud, jobs)
    assert ask("DELETE", f"/v1/jobs/{job.id}").status == 200
    assert stored(cloud, UPLOADS) == []


def test_a_direct_upload_that_is_another_jobs_by_now_is_kept(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    first = direct(cloud, jobs)
    second = direct(cloud, jobs, '{"modelVariant": "2stems"}')
    assert ask("DELETE", f"/v1/jobs/{first.id}").status == 200
    assert stored(cloud, UPLOADS) == [second.key]
