"""The jobs table, case by case: claims, leases, attempts, pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stempipe.errors import InternalError, InvalidRequest, JobNotFound, WorkerLost
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import MAX_ATTEMPTS, Source, Stage, Status
from stempipe.jobs.refusals import ClaimLost, JobExists, JobIsFinal, JobIsHeld
from stempipe.jobs.table import Jobs
from tests.aws import TABLE, Aws

LEASE = 30
SOURCE = Source("s3", "uploads", "jobs/alice/01K", "song.mp3", bytes=5, etag="e")


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(cloud: Aws, clock: Clock) -> Jobs:
    return Jobs(TABLE, retention_days=7, now=clock)


def queued(jobs: Jobs, owner: str = "alice", job_id: str = "01K") -> None:
    jobs.add(owner, job_id, Status.QUEUED, SOURCE, JobConfig())


def complete(claim: Claim) -> None:
    claim.complete(
        {"vocals": "key"},
        gain_db=0.0,
        duration_seconds=1.5,
        sample_rate=44100,
        channels=2,
        codec="mp3",
        gb_seconds=3.2,
    )


def test_a_second_job_of_the_same_id_is_refused_and_the_first_kept(jobs: Jobs) -> None:
    queued(jobs)
    Claim.take(jobs, "alice", "01K", LEASE)
    with pytest.raises(JobExists):
        queued(jobs)
    assert jobs.get("alice", "01K").state is Status.PROCESSING


def test_another_owners_job_is_as_good_as_none(jobs: Jobs) -> None:
    queued(jobs)
    with pytest.raises(JobNotFound):
        jobs.get("bob", "01K")
    with pytest.raises(JobNotFound):
        Claim.take(jobs, "bob", "01K", LEASE)


def test_a_held_job_is_not_claimed(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    Claim.take(jobs, "alice", "01K", LEASE)
    clock.forward(seconds=10)
    with pytest.raises(JobIsHeld):
        Claim.take(jobs, "alice", "01K", LEASE)


def test_reports_renew_the_lease(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    claim = Claim.take(jobs, "alice", "01K", LEASE)
    clock.forward(seconds=LEASE - 1)
    claim.report(Stage.SEPARATING, 50, 12.345)
    clock.forward(seconds=LEASE - 1)
    with pytest.raises(JobIsHeld):
        Claim.take(jobs, "alice", "01K", LEASE)
    job = jobs.get("alice", "01K")
    assert (job.stage, job.progress, job.estimated_seconds_left) == ("separating", 50, 12.3)


def test_a_worker_that_lost_its_lease_cannot_write(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    frozen = Claim.take(jobs, "alice", "01K", LEASE)
    clock.forward(seconds=LEASE + 1)
    other = Claim.take(jobs, "alice", "01K", LEASE)
    with pytest.raises(ClaimLost):
        frozen.report(Stage.UPLOADING, 99, 0)
    with pytest.raises(ClaimLost):
        complete(frozen)
    with pytest.raises(ClaimLost):
        frozen.fail(InternalError())
    with pytest.raises(ClaimLost):
        frozen.release()
    complete(other)
    job = jobs.get("alice", "01K")
    assert (job.state, job.attempts, job.stem_keys) == (Status.COMPLETED, 2, {"vocals": "key"})


def test_a_song_whose_workers_all_vanish_fails(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    for _ in range(MAX_ATTEMPTS):
        Claim.take(jobs, "alice", "01K", LEASE)
        clock.forward(seconds=LEASE + 1)
    with pytest.raises(WorkerLost):
        Claim.take(jobs, "alice", "01K", LEASE)
    job = jobs.get("alice", "01K")
    assert (job.state, job.error_code) == (Status.FAILED, "worker_lost")


def test_a_final_job_is_not_claimed(jobs: Jobs) -> None:
    queued(jobs)
    complete(Claim.take(jobs, "alice", "01K", LEASE))
    with pytest.raises(JobIsFinal):
        Claim.take(jobs, "alice", "01K", LEASE)


def test_a_released_job_is_tried_again_and_keeps_its_start(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    Claim.take(jobs, "alice", "01K", LEASE).release()
    started = jobs.get("alice", "01K").started_at
    clock.forward(seconds=5)
    assert Claim.take(jobs, "alice", "01K", LEASE).job.attempts == 2
    assert jobs.get("alice", "01K").started_at == started


def test_jobs_are_listed_newest_first_page_by_page(jobs: Jobs, clock: Clock) -> None:
    for number in range(5):
        queued(jobs, job_id=f"job-{number}")
        clock.forward(seconds=1)
    queued(jobs, owner="bob", job_id="bobs")
    seen, cursor = [], None
    while True:
        page = jobs.listing.newest("alice", limit=2, cursor=cursor)
        seen.append([job.id for job in page.jobs])
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [["job-4", "job-3"], ["job-2", "job-1"], ["job-0"]]


def test_a_cursor_is_good_for_its_owner_alone(jobs: Jobs, clock: Clock) -> None:
    for number in range(3):
        queued(jobs, job_id=f"job-{number}")
        clock.forward(seconds=1)
    cursor = jobs.listing.newest("alice", limit=1).cursor
    assert jobs.listing.newest("bob", limit=10, cursor=cursor).jobs == []


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24=", "WzEsIDJd", "W10=", "e30=", "\u00e9"])
def test_a_made_up_cursor_is_refused(jobs: Jobs, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        jobs.listing.newest("alice", limit=1, cursor=cursor)


def test_what_is_past_its_time_does_not_stand_in_the_way_of_its_like(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    complete(Claim.take(jobs, "alice", "01K", LEASE))
    clock.forward(days=7, seconds=1)
    queued(jobs)
    assert jobs.get("alice", "01K").state is Status.QUEUED


def test_what_is_past_its_time_is_gone_though_it_still_reads_back(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    clock.forward(days=7, seconds=1)
    with pytest.raises(JobNotFound):
        jobs.get("alice", "01K")
    assert jobs.listing.newest("alice", limit=10).jobs == []
