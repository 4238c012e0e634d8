"""The jobs table, case by case: claims, leases, attempts, pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from stempipe.errors import InternalError, InvalidRequest, JobNotFound, WorkerLost
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.line import Line
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Source, Stage, Status
from stempipe.jobs.refusals import ClaimLost, JobExists, JobIsFinal, JobIsHeld, TransitionRefused
from stempipe.jobs.table import Jobs
from tests.aws import RESOURCES, TABLE, USAGE, Aws
from tests.claims import let_in, take
from tests.stored import stored_song

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
    return Jobs(TABLE, usage_table=USAGE, retention_days=7, now=clock)


def queued(jobs: Jobs, owner: str = "alice", job_id: str = "01K") -> None:
    jobs.add(owner, job_id, Status.QUEUED, SOURCE, JobConfig())


def complete(claim: Claim) -> None:
    claim.complete(stored=stored_song({"vocals": "key"}, duration_seconds=1.5), gb_seconds=3.2)


def test_a_second_job_of_the_same_id_is_refused_and_the_first_kept(jobs: Jobs) -> None:
    queued(jobs)
    take(jobs, "alice", "01K", LEASE)
    with pytest.raises(JobExists):
        queued(jobs)
    assert jobs.get("alice", "01K").state is Status.PROCESSING


def test_another_owners_job_is_as_good_as_none(jobs: Jobs) -> None:
    queued(jobs)
    with pytest.raises(JobNotFound):
        jobs.get("bob", "01K")
    with pytest.raises(JobNotFound):
        take(jobs, "bob", "01K", LEASE)


def test_a_held_job_is_not_claimed(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    take(jobs, "alice", "01K", LEASE)
    clock.forward(seconds=10)
    with pytest.raises(JobIsHeld):
        take(jobs, "alice", "01K", LEASE)


def test_reports_renew_the_lease(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    claim = take(jobs, "alice", "01K", LEASE)
    clock.forward(seconds=LEASE - 1)
    claim.report(Stage.SEPARATING, 50, 12.345)
    clock.forward(seconds=LEASE - 1)
    with pytest.raises(JobIsHeld):
        take(jobs, "alice", "01K", LEASE)
    job = jobs.get("alice", "01K")
    assert (job.stage, job.progress, job.estimated_seconds_left) == ("separating", 50, 12.3)


def index_entries() -> dict[str, Any]:
    """What DynamoDB keeps of the job in each index: it writes, and bills, an index whose entry changes."""
    table = RESOURCES["JobsTable"]["Properties"]
    (item,) = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    entries = {}
    for index in table["GlobalSecondaryIndexes"]:
        names = [key["AttributeName"] for key in (*table["KeySchema"], *index["KeySchema"])]
        names += index["Projection"].get("NonKeyAttributes", [])
        if index["Projection"]["ProjectionType"] == "ALL":
            names = list(item)
        entries[index["IndexName"]] = {name: item.get(name) for name in names}
    return entries


def test_a_report_writes_no_index_and_once_in_a_quarter_of_the_lease_the_one_of_leases(
    jobs: Jobs, clock: Clock
) -> None:
    queued(jobs)
    claim = take(jobs, "alice", "01K", LEASE)
    written = []
    for second in range(1, LEASE + 1):
        before = index_entries()
        clock.forward(seconds=1)
        claim.report(Stage.SEPARATING, second, 30.0 - second)
        after = index_entries()
        written.append([name for name in after if after[name] != before[name]])
    assert all(names in ([], ["due"]) for names in written)
    assert written.count(["due"]) == 3  # a report comes each second: at the 8th, the 16th and the 24th
    assert jobs.get("alice", "01K").due_at >= clock.now.timestamp() + 0.7 * LEASE


def test_a_renewal_that_failed_is_made_up_for_by_the_next_report(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(jobs)
    claim = take(jobs, "alice", "01K", LEASE)
    clock.forward(seconds=LEASE / 2)
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "move", raise_connection_error)
        with pytest.raises(ConnectionError):
            claim.report(Stage.SEPARATING, 1, None)
    claim.report(Stage.SEPARATING, 1, None)
    assert jobs.get("alice", "01K").due_at == clock.now.timestamp() + LEASE


def raise_connection_error(*_: object) -> None:
    raise ConnectionError


def test_a_worker_that_lost_its_lease_cannot_write(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    frozen = take(jobs, "alice", "01K", LEASE)
    clock.forward(seconds=LEASE + 1)
    other = take(jobs, "alice", "01K", LEASE)
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


def test_a_job_whose_lease_holds_is_not_taken_from_its_worker(jobs: Jobs) -> None:
    queued(jobs)
    claim = take(jobs, "alice", "01K", LEASE)
    with pytest.raises(TransitionRefused):
        Overdue(jobs).requeue(jobs.get("alice", "01K"))
    complete(claim)


def test_an_upload_that_is_awaited_for_longer_is_not_given_up(jobs: Jobs, clock: Clock) -> None:
    jobs.add("alice", "01K", Status.AWAITING_UPLOAD, SOURCE, JobConfig())
    clock.forward(hours=2)
    overdue = jobs.get("alice", "01K")
    Arrivals(jobs).await_upload(jobs.get("alice", "01K"))  # its owner asks for another link just then
    with pytest.raises(TransitionRefused):
        Overdue(jobs).give_up_upload(overdue)
    assert jobs.get("alice", "01K").state is Status.AWAITING_UPLOAD


def test_a_job_that_is_made_again_is_not_let_in_for_the_one_before(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    before = jobs.get("alice", "01K")
    jobs.delete(jobs.cancel("alice", "01K"))
    clock.forward(days=1)  # of another day, on which other jobs are counted
    queued(jobs)
    with pytest.raises(TransitionRefused):
        Line(jobs, workers=1).let_in(before)


def test_a_message_that_a_worker_has_taken_meanwhile_is_not_dead(jobs: Jobs) -> None:
    queued(jobs)
    let_in(jobs, "alice", "01K")
    jobs.mark_enqueued(jobs.get("alice", "01K"), "message")
    before = jobs.get("alice", "01K")
    Claim.take(jobs, "alice", "01K", LEASE).release()
    assert jobs.get("alice", "01K").message_id == "message"
    with pytest.raises(TransitionRefused):
        Overdue(jobs).give_up_message(before, "message")


def test_a_song_whose_workers_all_vanish_fails(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    for _ in range(MAX_ATTEMPTS):
        take(jobs, "alice", "01K", LEASE)
        clock.forward(seconds=LEASE + 1)
    with pytest.raises(WorkerLost):
        take(jobs, "alice", "01K", LEASE)
    job = jobs.get("alice", "01K")
    assert (job.state, job.error_code) == (Status.FAILED, "worker_lost")


def test_a_final_job_is_not_claimed(jobs: Jobs) -> None:
    queued(jobs)
    complete(take(jobs, "alice", "01K", LEASE))
    with pytest.raises(JobIsFinal):
        take(jobs, "alice", "01K", LEASE)


def test_a_released_job_is_tried_again_and_keeps_its_start(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    take(jobs, "alice", "01K", LEASE).release()
    started = jobs.get("alice", "01K").started_at
    clock.forward(seconds=5)
    assert take(jobs, "alice", "01K", LEASE).job.attempts == 2
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


def test_jobs_are_listed_as_they_are_and_by_the_status_they_have(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        queued(jobs, job_id=f"job-{number}")
        clock.forward(seconds=1)
    indexed = {job.id: job for job in jobs.model.newest.query("alice")}
    assert indexed["job-3"].status == "queued"
    assert indexed["job-3"].filename is None  # the index has not all of a job

    # What changes after the index was read: one is taken, one is gone.
    read = jobs.listing._read

    def read_later(found: Iterable[Job]) -> list[Job]:
        found = list(found)
        if jobs.get("alice", "job-4").state is Status.QUEUED:
            take(jobs, "alice", "job-4", LEASE)
            jobs.model("alice", "job-3").delete()
        return read(found)

    monkeypatch.setattr(jobs.listing, "_read", read_later)
    page = jobs.listing.newest("alice", limit=2, statuses=[Status.QUEUED])
    assert [job.id for job in page.jobs] == ["job-2", "job-1"]
    assert page.jobs[0].filename == "song.mp3"
    page = jobs.listing.newest("alice", limit=2, statuses=[Status.QUEUED], cursor=page.cursor)
    assert [job.id for job in page.jobs] == ["job-0"]
    (taken,) = jobs.listing.newest("alice", limit=2, statuses=[Status.PROCESSING]).jobs
    assert (taken.id, taken.stage) == ("job-4", "downloading")


def test_a_cursor_is_good_for_its_owner_alone(jobs: Jobs, clock: Clock) -> None:
    for number in range(3):
        queued(jobs, job_id=f"job-{number}")
        clock.forward(seconds=1)
    cursor = jobs.listing.newest("alice", limit=1).cursor
    assert jobs.listing.newest("bob", limit=10, cursor=cursor).jobs == []


TIME = "2026-01-01T00:00:00.000000+0000"


@pytest.mark.parametrize(
    "position",
    [
        b"not json", b"[1, 2]", b"[]", b"{}", b"null", b"[" * 300,
        *(json.dumps(pair).encode() for pair in [
            ["", ""], [TIME, ""], ["", "01K"], [TIME, "x" * 65], [TIME, "\ud800"], ["\ud800", "01K"],
            ["yesterday", "01K"], [TIME.replace("+", "-"), "01K"], [TIME[:19] + "Z", "01K"],
            [TIME.replace("0", "\u0660"), "01K"], [TIME, "01K", "more"], [TIME, None],
        ]),
    ],
)  # fmt: skip
def test_a_made_up_cursor_is_refused(jobs: Jobs, position: bytes) -> None:
    # DynamoDB would answer some of them with a ValidationException; moto takes them.
    with pytest.raises(InvalidRequest, match="cursor"):
        jobs.listing.newest("alice", limit=1, cursor=base64.urlsafe_b64encode(position).decode())


@pytest.mark.parametrize("cursor", ["x", "\u00e9"])
def test_what_is_no_cursor_at_all_is_refused(jobs: Jobs, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        jobs.listing.newest("alice", limit=1, cursor=cursor)


def test_what_is_past_its_time_does_not_stand_in_the_way_of_its_like(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    complete(take(jobs, "alice", "01K", LEASE))
    clock.forward(days=7, seconds=1)
    queued(jobs)
    assert jobs.get("alice", "01K").state is Status.QUEUED


def test_what_is_past_its_time_is_gone_though_it_still_reads_back(jobs: Jobs, clock: Clock) -> None:
    queued(jobs)
    clock.forward(days=7, seconds=1)
    with pytest.raises(JobNotFound):
        jobs.get("alice", "01K")
    assert jobs.listing.newest("alice", limit=10).jobs == []
