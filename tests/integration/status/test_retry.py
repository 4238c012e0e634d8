"""POST /v1/jobs/{id}/retry: which jobs are tried again."""

from __future__ import annotations

import pytest

from stempipe.errors import InternalError, InvalidConfig
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Source, Status
from stempipe.jobs.table import Jobs
from tests.aws import UPLOADS, Aws
from tests.claims import take
from tests.integration.status.asking import Ask, completed, direct, store, uploaded
from tests.stored import stored_song


def failed(cloud: Aws, jobs: Jobs, attempts: int = MAX_ATTEMPTS) -> Job:
    """A job that was given up, its upload still there."""
    job = uploaded(jobs)
    job.update([Job.etag.set(store(cloud, UPLOADS, job.key))])
    for _ in range(attempts - 1):
        take(jobs, "alice", "01K", 30).release()
    take(jobs, "alice", "01K", 30).fail(InternalError())
    return jobs.get("alice", "01K")


def test_a_failed_job_is_queued_again_with_all_attempts_anew(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    failed(cloud, jobs)
    status, job = ask("POST", "/v1/jobs/01K/retry")
    assert (status, job["status"], job["error"], job["progress"]) == (202, "queued", None, 0)
    assert (job["startedAt"], job["completedAt"]) == (None, None)
    assert cloud.messages() == [{"owner": "alice", "id": "01K"}]
    assert jobs.get("alice", "01K").enqueued_at
    claims = [take(jobs, "alice", "01K", 0) for _ in range(MAX_ATTEMPTS)]
    # The number goes on: no worker of before has it.
    assert [claim.job.attempts for claim in claims] == [4, 5, 6]
    assert [claim.is_last_attempt for claim in claims] == [False, False, True]


def test_a_job_that_completed_without_its_analysis_is_tried_again(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    job = uploaded(jobs)
    job.update(
        [
            Job.etag.set(store(cloud, UPLOADS, job.key)),
            Job.config_json.set({"analysis": {"notes": True, "fps": 60}}),
        ]
    )
    claim = take(jobs, "alice", "01K", 30)
    claim.keep(stored_song({"vocals": "alice/01K/1/vocals.wav"}))
    claim.fail(InternalError())
    assert ask("GET", "/v1/jobs/01K").body["results"]["analysis"]["error"]["code"] == "internal_error"
    status, view = ask("POST", "/v1/jobs/01K/retry")
    assert (status, view["status"], view["completedAt"]) == (202, "queued", None)
    assert view["results"]["analysis"] == {"state": "pending", "error": None}
    assert list(view["results"]["stems"]) == ["vocals"]
    assert cloud.messages() == [{"owner": "alice", "id": "01K"}]


def test_a_cancelled_job_has_no_song_any_more(ask: Ask, cloud: Aws, jobs: Jobs) -> None:
    job = direct(cloud, jobs)
    ask("DELETE", f"/v1/jobs/{job.id}")
    answer = ask("POST", f"/v1/jobs/{job.id}/retry")
    assert (answer.status, answer.body["error"]["code"]) == (410, "upload_gone")


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
