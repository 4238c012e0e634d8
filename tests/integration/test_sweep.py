"""sweep: each thing that a crash or a loss can leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from stempipe.adapters.queue import DeadLetters, JobQueue
from stempipe.adapters.storage import Storage
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Source, Status
from stempipe.jobs.refusals import TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.rules.intake import Intake
from stempipe.rules.sweep import Sweep
from stempipe.settings import SweepSettings
from tests.aws import STEMS, TABLE, UPLOADS, Aws

KEY = "jobs/alice/01K"
MESSAGE = {"owner": "alice", "id": "01K"}


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, **delta: float) -> None:
        self.ahead += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(cloud: Aws, clock: Clock) -> Jobs:
    return Jobs(TABLE, retention_days=7, now=clock)


@pytest.fixture
def sweep(cloud: Aws, jobs: Jobs, clock: Clock) -> Sweep:
    storage = Storage(cloud.s3, "s3")
    queue = JobQueue(cloud.sqs, cloud.queue_url)
    return Sweep(
        jobs=jobs,
        storage=storage,
        intake=Intake(jobs, storage, queue, SweepSettings.from_environment()),
        dead_jobs=DeadLetters(cloud.sqs, cloud.dead_letter_queue_url),
        dead_uploads=DeadLetters(cloud.sqs, cloud.intake_dead_letter_queue_url),
        uploads_bucket=UPLOADS,
        stems_bucket=STEMS,
        now=clock,
    )


@pytest.fixture
def make(cloud: Aws, jobs: Jobs) -> Callable[[Status], Job]:
    """Makes the job, and its upload unless it awaits that."""

    def made(status: Status) -> Job:
        etag = None
        if status is not Status.AWAITING_UPLOAD:
            etag = cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"song")["ETag"].strip('"')
        source = Source("s3", UPLOADS, KEY, "song.mp3", bytes=4, etag=etag)
        return jobs.add("alice", "01K", status, source, JobConfig())

    return made


@pytest.fixture
def job(jobs: Jobs) -> Callable[[], Job]:
    return lambda: jobs.get("alice", "01K")


# ---- jobs --------------------------------------------------------------------------------------


def test_what_is_in_time_is_left_alone(sweep: Sweep, cloud: Aws, make: Callable[[Status], Job]) -> None:
    make(Status.QUEUED)
    assert sweep.sweep_jobs() == {}
    assert cloud.messages() == []


def test_an_upload_that_never_came_fails_the_job(
    sweep: Sweep, clock: Clock, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.AWAITING_UPLOAD)
    clock.forward(hours=2)
    assert sweep.sweep_jobs() == {"uploads_missing": 1}
    assert (job().state, job().error_code) == (Status.FAILED, "upload_missing")


def test_an_upload_whose_event_was_lost_is_taken_in(
    sweep: Sweep, cloud: Aws, clock: Clock, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.AWAITING_UPLOAD)
    cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"song")
    clock.forward(hours=2)
    assert sweep.sweep_jobs() == {"uploads_found": 1}
    assert job().state is Status.QUEUED
    assert cloud.messages() == [MESSAGE]


def test_a_job_that_was_written_but_not_queued_is_queued(
    sweep: Sweep, cloud: Aws, clock: Clock, make: Callable[[Status], Job]
) -> None:
    make(Status.QUEUED)
    clock.forward(minutes=2)
    assert sweep.sweep_jobs() == {"messages_sent_again": 1}
    assert cloud.messages() == [MESSAGE]
    clock.forward(minutes=2)
    assert sweep.sweep_jobs() == {}


def test_a_message_that_nobody_took_is_sent_again_once_it_must_be_lost(
    sweep: Sweep, clock: Clock, jobs: Jobs, make: Callable[[Status], Job]
) -> None:
    jobs.mark_enqueued(make(Status.QUEUED), "lost")
    clock.forward(hours=2, minutes=59)
    assert sweep.sweep_jobs() == {}
    clock.forward(minutes=2)
    assert sweep.sweep_jobs() == {"messages_sent_again": 1}


def test_a_lost_workers_job_is_queued_again_and_after_the_last_attempt_failed(
    sweep: Sweep, cloud: Aws, clock: Clock, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.QUEUED)
    for attempt in range(1, MAX_ATTEMPTS):
        Claim.take(jobs, "alice", "01K", 30)
        assert sweep.sweep_jobs() == {}
        clock.forward(seconds=31)
        assert sweep.sweep_jobs() == {"jobs_queued_again": 1}
        assert (job().state, job().attempt, job().progress) == (Status.QUEUED, attempt, 0)
        assert cloud.messages() == [MESSAGE]
    Claim.take(jobs, "alice", "01K", 30)
    clock.forward(seconds=31)
    assert sweep.sweep_jobs() == {"workers_lost": 1}
    assert (job().state, job().error_code) == (Status.FAILED, "worker_lost")
    assert cloud.messages() == []


def test_one_jobs_fault_is_not_the_others(
    sweep: Sweep, cloud: Aws, clock: Clock, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.AWAITING_UPLOAD)
    source = Source("s3", "no-such-bucket-of-ours", "jobs/bob/01B", "song.mp3", bytes=4)
    broken = jobs.add("bob", "01B", Status.AWAITING_UPLOAD, source, JobConfig())
    broken.update([Job.config_json.set({"model": "nonsense"})])
    clock.forward(hours=2)
    counts = sweep.sweep_jobs()
    assert counts["uploads_missing"] >= 1
    assert job().state is Status.FAILED


def test_of_two_sweeps_that_see_the_same_one_puts_it_right(
    cloud: Aws, clock: Clock, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.QUEUED)
    Claim.take(jobs, "alice", "01K", 30)
    clock.forward(seconds=31)
    (first,), (second,) = Overdue(jobs).find(), Overdue(jobs).find()
    Overdue(jobs).requeue(first)
    with pytest.raises(TransitionRefused):
        Overdue(jobs).requeue(second)
    assert (job().state, job().attempt) == (Status.QUEUED, 1)


# ---- dead letters ------------------------------------------------------------------------------


def dead(cloud: Aws, body: dict[str, Any]) -> str:
    return cloud.sqs.send_message(QueueUrl=cloud.dead_letter_queue_url, MessageBody=json.dumps(body))[
        "MessageId"
    ]


def count(cloud: Aws, queue_url: str) -> int:
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = cloud.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(map(int, found["Attributes"].values()))


def test_a_job_whose_message_is_dead_fails_and_the_message_is_kept(
    sweep: Sweep, cloud: Aws, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    queued = make(Status.QUEUED)
    jobs.mark_enqueued(queued, dead(cloud, MESSAGE))
    assert sweep.sweep_jobs() == {"jobs_undeliverable": 1}
    assert (job().state, job().error_code) == (Status.FAILED, "undeliverable")
    assert count(cloud, cloud.dead_letter_queue_url) == 1


def test_a_dead_message_that_another_has_replaced_is_forgotten(
    sweep: Sweep, cloud: Aws, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    jobs.mark_enqueued(make(Status.QUEUED), "a later one")
    dead(cloud, MESSAGE)
    assert sweep.sweep_jobs() == {"messages_of_no_use": 1}
    assert job().state is Status.QUEUED
    assert count(cloud, cloud.dead_letter_queue_url) == 0


def test_dead_messages_of_no_job_are_forgotten_and_unreadable_ones_kept(sweep: Sweep, cloud: Aws) -> None:
    dead(cloud, {"owner": "alice", "id": "gone"})
    dead(cloud, {"nonsense": True})
    assert sweep.sweep_jobs() == {"messages_of_no_job": 1, "messages_unreadable": 1}
    assert count(cloud, cloud.dead_letter_queue_url) == 1


def test_an_event_that_intake_could_not_take_is_taken_in_later(
    sweep: Sweep, cloud: Aws, jobs: Jobs, sample_event: Callable[[str], dict[str, Any]]
) -> None:
    event = sample_event("intake-s3")
    event["Records"][0]["s3"]["object"]["key"] = "inbox/alice/song.mp3"
    cloud.s3.put_object(Bucket=UPLOADS, Key="inbox/alice/song.mp3", Body=b"song")
    record = {"version": "1.0", "requestPayload": event, "responsePayload": {"errorType": "ExceptionGroup"}}
    cloud.sqs.send_message(QueueUrl=cloud.intake_dead_letter_queue_url, MessageBody=json.dumps(record))
    assert sweep.sweep_jobs() == {"events_taken_in": 1}
    (found,) = jobs.listing.newest("alice", 10).jobs
    assert found.state is Status.QUEUED
    assert count(cloud, cloud.intake_dead_letter_queue_url) == 0


def test_redrive_gives_the_jobs_of_dead_letters_their_attempts_anew(
    sweep: Sweep, cloud: Aws, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    jobs.mark_enqueued(make(Status.QUEUED), dead(cloud, MESSAGE))
    sweep.sweep_jobs()
    cloud.sqs.purge_queue(QueueUrl=cloud.dead_letter_queue_url)
    dead(cloud, MESSAGE)
    dead(cloud, MESSAGE)
    assert sweep.redrive() == {"jobs_queued_again": 1, "messages_of_no_use": 1}
    again = job()
    assert again.state is Status.QUEUED
    assert again.error_code is None
    assert cloud.messages() == [MESSAGE]
    assert count(cloud, cloud.dead_letter_queue_url) == 0


# ---- objects -----------------------------------------------------------------------------------


def test_direct_uploads_whose_event_was_lost_are_taken_in(
    sweep: Sweep, cloud: Aws, clock: Clock, jobs: Jobs
) -> None:
    cloud.s3.put_object(Bucket=UPLOADS, Key="inbox/alice/song.mp3", Body=b"song")
    assert sweep.sweep_objects() == {}
    clock.forward(minutes=30)
    assert sweep.sweep_objects() == {"uploads_looked_at": 1}
    assert sweep.sweep_objects() == {"uploads_looked_at": 1}
    (found,) = jobs.listing.newest("alice", 10).jobs
    assert found.state is Status.QUEUED
    assert len(cloud.messages()) == 1


def test_stems_that_no_job_points_to_are_deleted_once_they_are_old(
    sweep: Sweep, cloud: Aws, clock: Clock, jobs: Jobs, make: Callable[[Status], Job]
) -> None:
    make(Status.QUEUED)
    kept, lost, nobodys = "alice/01K/2/vocals.wav", "alice/01K/1/vocals.wav", "alice/gone/1/vocals.wav"
    for key in (kept, lost, nobodys):
        cloud.s3.put_object(Bucket=STEMS, Key=key, Body=b"stem")
    cloud.s3.create_multipart_upload(Bucket=STEMS, Key=lost)
    Claim.take(jobs, "alice", "01K", 30).release()
    claim = Claim.take(jobs, "alice", "01K", 30)
    claim.complete(
        {"vocals": kept},
        gain_db=0,
        duration_seconds=1,
        sample_rate=44100,
        channels=2,
        codec="mp3",
        gb_seconds=1,
    )
    # moto has every multipart upload begin in 2010.
    assert sweep.sweep_objects() == {"uploads_aborted": 1}
    clock.forward(hours=2)
    assert sweep.sweep_objects() == {"stems_deleted": 2}
    assert [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=STEMS)["Contents"]] == [kept]


# ---- the handler -------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["jobs", "objects", "redrive"])
def test_the_handler_does_what_it_is_asked_for(
    cloud: Aws, load_app: Callable[[str], ModuleType], lambda_context: Any, what: str
) -> None:
    app: Any = load_app("sweep")
    app.PATIENCE_SECONDS = 1
    assert app.handler({"sweep": what}, lambda_context) == {}


def test_the_handler_refuses_anything_else(
    cloud: Aws, load_app: Callable[[str], ModuleType], lambda_context: Any
) -> None:
    with pytest.raises(ValueError, match="sweep"):
        load_app("sweep").handler({"sweep": "everything"}, lambda_context)
