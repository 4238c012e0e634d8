"""sweep: each thing that a crash or a loss can leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from botocore.stub import Stubber

from stempipe.adapters.queue import DeadLetters
from stempipe.adapters.storage import Storage, StoredObject
from stempipe.errors import InternalError, StorageRefuses, StorageUnavailable
from stempipe.jobs.claim import Stored
from stempipe.jobs.config import JobConfig
from stempipe.jobs.line import Line
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Source, Status
from stempipe.jobs.refusals import TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.rules.intake import Intake
from stempipe.rules.sweep import Sweep
from stempipe.settings import SweepSettings
from tests.aws import STEMS, TABLE, UPLOADS, USAGE, Aws
from tests.claims import take
from tests.stored import stored_song

KEY = "jobs/alice/01K/17"
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
    return Jobs(TABLE, usage_table=USAGE, retention_days=7, now=clock)


@pytest.fixture
def sweep(cloud: Aws, jobs: Jobs, clock: Clock) -> Sweep:
    storage = Storage(cloud.s3, "s3")
    return Sweep(
        jobs=jobs,
        storage=storage,
        intake=Intake(jobs, storage, cloud.dispatch(jobs), SweepSettings.from_environment()),
        dead_jobs=DeadLetters(cloud.sqs, cloud.jobs_dead_letter_queue_url),
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
        job = jobs.add("alice", "01K", status, source, JobConfig())
        return Line(jobs, 2).let_in(job) if status is Status.QUEUED else job

    return made


@pytest.fixture
def job(jobs: Jobs) -> Callable[[], Job]:
    return lambda: jobs.get("alice", "01K")


# ---- jobs --------------------------------------------------------------------------------------


def test_lines_that_cannot_be_read_keep_nothing_else_from_being_put_right(
    sweep: Sweep, jobs: Jobs, make: Callable[[Status], Job], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(Status.QUEUED)
    take(jobs, "alice", "01K", 30)
    clock.forward(seconds=31)

    def fails(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(jobs.model.line, "scan", fails)
    assert sweep.sweep_jobs() == {"jobs_queued_again": 1, "faults": 1}


def test_a_line_whose_next_was_never_sent_moves_on(
    sweep: Sweep, cloud: Aws, jobs: Jobs, make: Callable[[Status], Job], clock: Clock
) -> None:
    make(Status.QUEUED)
    source = Source("s3", UPLOADS, KEY, "song.mp3", bytes=4, etag="e")
    for job_id in ("second", "third"):
        clock.forward(seconds=1)
        jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())
    assert sweep.sweep_jobs() == {"lines_moved_on": 1}  # for two workers
    assert cloud.messages() == [{"owner": "alice", "id": "second"}]
    # A worker ends the first job, and dies before it sends the next.
    take(jobs, "alice", "01K", 30).fail(StorageUnavailable("no"))
    assert sweep.sweep_jobs() == {"lines_moved_on": 1}
    assert cloud.messages() == [{"owner": "alice", "id": "third"}]
    assert sweep.sweep_jobs() == {}


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
        take(jobs, "alice", "01K", 30)
        assert sweep.sweep_jobs() == {}
        clock.forward(seconds=31)
        assert sweep.sweep_jobs() == {"jobs_queued_again": 1}
        assert (job().state, job().attempts, job().progress) == (Status.QUEUED, attempt, 0)
        assert cloud.messages() == [MESSAGE]
    take(jobs, "alice", "01K", 30)
    clock.forward(seconds=31)
    assert sweep.sweep_jobs() == {"workers_lost": 1}
    assert (job().state, job().error_code) == (Status.FAILED, "worker_lost")
    assert cloud.messages() == []


def test_a_job_whose_last_worker_is_lost_completes_with_the_stems_it_has(
    sweep: Sweep, cloud: Aws, clock: Clock, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.QUEUED).update([Job.last_attempt.set(Job.making + 1)])
    kept = Stored({"vocals": "alice/01K/1/vocals.wav"}, {}, duration_seconds=1.0)
    take(jobs, "alice", "01K", 30).keep(kept)
    clock.forward(seconds=31)
    assert sweep.sweep_jobs() == {"workers_lost": 1}
    assert (job().state, job().analysis_error_code) == (Status.COMPLETED, "worker_lost")
    assert cloud.messages() == []


def test_what_a_worker_kept_meanwhile_is_seen_to(
    clock: Clock, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.QUEUED).update([Job.last_attempt.set(Job.making + 1)])
    claim = take(jobs, "alice", "01K", 30)
    clock.forward(seconds=31)
    (read,) = Overdue(jobs).under_way()
    claim.keep(Stored({"vocals": "alice/01K/1/vocals.wav"}, {}, duration_seconds=1.0))
    with pytest.raises(TransitionRefused):
        Overdue(jobs).requeue(read)
    (read,) = Overdue(jobs).under_way()
    assert Overdue(jobs).requeue(read).state is Status.COMPLETED


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
    take(jobs, "alice", "01K", 30)
    clock.forward(seconds=31)
    (first,), (second,) = Overdue(jobs).under_way(), Overdue(jobs).under_way()
    Overdue(jobs).requeue(first)
    with pytest.raises(TransitionRefused):
        Overdue(jobs).requeue(second)
    assert (job().state, job().attempts) == (Status.QUEUED, 1)


# ---- dead letters ------------------------------------------------------------------------------


def dead(cloud: Aws, body: dict[str, Any]) -> str:
    return cloud.sqs.send_message(QueueUrl=cloud.jobs_dead_letter_queue_url, MessageBody=json.dumps(body))[
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
    assert count(cloud, cloud.jobs_dead_letter_queue_url) == 1


def test_a_dead_message_that_another_has_replaced_is_forgotten(
    sweep: Sweep, cloud: Aws, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    jobs.mark_enqueued(make(Status.QUEUED), "a later one")
    dead(cloud, MESSAGE)
    assert sweep.sweep_jobs() == {"messages_of_no_use": 1}
    assert job().state is Status.QUEUED
    assert count(cloud, cloud.jobs_dead_letter_queue_url) == 0


def test_dead_messages_of_no_job_are_forgotten_and_unreadable_ones_kept(sweep: Sweep, cloud: Aws) -> None:
    dead(cloud, {"owner": "alice", "id": "gone"})
    dead(cloud, {"nonsense": True})
    assert sweep.sweep_jobs() == {"messages_of_no_job": 1, "messages_unreadable": 1}
    assert count(cloud, cloud.jobs_dead_letter_queue_url) == 1


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


class Locked(Storage):
    """Shows nobody what is mallory's, as if it were encrypted with a key of his own."""

    fault: type[StorageUnavailable] = StorageRefuses

    def look_up(self, bucket: str, key: str) -> StoredObject:
        if "mallory" in key:
            raise self.fault("locked")
        return super().look_up(bucket, key)


class Failing(Locked):
    fault = StorageUnavailable


@pytest.mark.parametrize(
    ("kind", "hours", "outcome"),
    [
        (Locked, 23, "events_still_dead"),
        (Locked, 25, "events_given_up"),
        (Failing, 25, "events_still_dead"),
    ],
)
def test_an_upload_that_storage_shows_nobody_is_given_up_after_a_day(
    sweep: Sweep,
    cloud: Aws,
    clock: Clock,
    sample_event: Callable[[str], dict[str, Any]],
    kind: type[Locked],
    hours: int,
    outcome: str,
) -> None:
    event = sample_event("intake-s3")
    event["Records"][0]["s3"]["object"]["key"] = "inbox/mallory/song.mp3"
    cloud.sqs.send_message(QueueUrl=cloud.intake_dead_letter_queue_url, MessageBody=json.dumps(event))
    storage = kind(cloud.s3, "s3")
    sweep = replace(sweep, storage=storage, intake=replace(sweep.intake, storage=storage))
    clock.forward(hours=hours)
    assert sweep.sweep_jobs() == {outcome: 1}
    assert count(cloud, cloud.intake_dead_letter_queue_url) == (outcome != "events_given_up")


@pytest.mark.parametrize("status", [400, 403])
def test_what_may_not_be_looked_at_is_told_from_storage_that_fails(cloud: Aws, status: int) -> None:
    stub = Stubber(cloud.s3)
    stub.add_client_error("head_object", http_status_code=status)
    with stub, pytest.raises(StorageRefuses):
        Storage(cloud.s3, "s3").look_up(UPLOADS, "inbox/mallory/locked.mp3")


def test_a_job_whose_upload_storage_shows_nobody_ends_too(
    sweep: Sweep, cloud: Aws, clock: Clock, jobs: Jobs
) -> None:
    source = Source("s3", UPLOADS, "jobs/mallory/01K/17", "song.mp3", bytes=4)
    jobs.add("mallory", "01K", Status.AWAITING_UPLOAD, source, JobConfig())
    storage = Locked(cloud.s3, "s3")
    sweep = replace(sweep, storage=storage, intake=replace(sweep.intake, storage=storage))
    clock.forward(hours=2)
    assert sweep.sweep_jobs() == {"faults": 1}
    clock.forward(days=1)
    assert sweep.sweep_jobs() == {"uploads_missing": 1}
    assert jobs.get("mallory", "01K").error_code == "upload_missing"


def test_redrive_gives_the_jobs_of_dead_letters_their_attempts_anew(
    sweep: Sweep, cloud: Aws, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    jobs.mark_enqueued(make(Status.QUEUED), dead(cloud, MESSAGE))
    sweep.sweep_jobs()
    cloud.sqs.purge_queue(QueueUrl=cloud.jobs_dead_letter_queue_url)
    dead(cloud, MESSAGE)
    dead(cloud, MESSAGE)
    assert sweep.redrive() == {"jobs_queued_again": 1, "messages_of_no_use": 1}
    again = job()
    assert again.state is Status.QUEUED
    assert again.error_code is None
    assert cloud.messages() == [MESSAGE]
    assert count(cloud, cloud.jobs_dead_letter_queue_url) == 0


def test_redrive_has_the_analysis_tried_again_that_a_job_completed_without(
    sweep: Sweep, cloud: Aws, jobs: Jobs, make: Callable[[Status], Job], job: Callable[[], Job]
) -> None:
    make(Status.QUEUED).update([Job.config_json.set({"analysis": {"notes": True, "fps": 60}})])
    claim = take(jobs, "alice", "01K", 30)
    claim.keep(stored_song({"vocals": "alice/01K/1/vocals.wav"}))
    claim.fail(InternalError())
    dead(cloud, MESSAGE)
    assert sweep.sweep_jobs() == {"messages_kept": 1}
    cloud.sqs.purge_queue(QueueUrl=cloud.jobs_dead_letter_queue_url)
    dead(cloud, MESSAGE)
    assert sweep.redrive() == {"jobs_queued_again": 1}
    again = job()
    assert (again.state, list(again.stem_keys or {})) == (Status.QUEUED, ["vocals"])
    assert again.analysis_error_code is None


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
    first = int(make(Status.QUEUED).making)
    lost, kept = f"alice/01K/{first + 1}/vocals.wav", f"alice/01K/{first + 2}/vocals.wav"
    nobodys = "alice/gone/1/vocals.wav"
    for key in (kept, lost, nobodys):
        cloud.s3.put_object(Bucket=STEMS, Key=key, Body=b"stem")
    cloud.s3.create_multipart_upload(Bucket=STEMS, Key=lost)
    take(jobs, "alice", "01K", 30).release()
    claim = take(jobs, "alice", "01K", 30)
    claim.complete(stored=stored_song({"vocals": kept}), gb_seconds=1)
    # moto has every multipart upload begin in 2010.
    assert sweep.sweep_objects() == {"uploads_aborted": 1}
    clock.forward(hours=2)
    assert sweep.sweep_objects() == {"jobs_whose_stems_were_deleted": 2}
    assert [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=STEMS)["Contents"]] == [kept]


# ---- nobody holds up others --------------------------------------------------------------------


def test_an_object_that_cannot_be_looked_up_holds_up_no_other(
    sweep: Sweep, cloud: Aws, clock: Clock, jobs: Jobs
) -> None:
    storage = Locked(cloud.s3, "s3")
    sweep = replace(sweep, storage=storage, intake=replace(sweep.intake, storage=storage))
    for key in ("inbox/mallory/locked.mp3", "inbox/zoe/song.mp3"):
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"song")
    cloud.s3.put_object(Bucket=STEMS, Key="alice/gone/1/vocals.wav", Body=b"stem")
    clock.forward(minutes=30)
    assert sweep.sweep_objects() == {"uploads_looked_at": 1, "faults": 1}
    assert len(jobs.listing.newest("zoe", 10).jobs) == 1
    clock.forward(hours=2)
    assert sweep.sweep_objects()["jobs_whose_stems_were_deleted"] == 1


def test_a_lost_worker_comes_before_uploads_that_never_came(
    sweep: Sweep, clock: Clock, make: Callable[[Status], Job], jobs: Jobs, job: Callable[[], Job]
) -> None:
    for number in range(20):
        source = Source("s3", UPLOADS, f"jobs/mallory/{number}/1", "song.mp3", bytes=4)
        jobs.add("mallory", str(number), Status.AWAITING_UPLOAD, source, JobConfig())
    make(Status.QUEUED)
    take(jobs, "alice", "01K", lease_seconds=0)
    clock.forward(hours=2)
    time_left = iter([300.0] * 4)
    done = sweep.sweep_jobs(lambda: next(time_left, 0.0))
    assert job().state is Status.QUEUED
    assert (done["jobs_queued_again"], done["runs_cut_short"]) == (1, 1)
    # What there was no time for is done by the next.
    assert sweep.sweep_jobs()["uploads_missing"] == 20 - done.get("uploads_missing", 0)


def test_whoever_has_much_in_the_inbox_keeps_nobodys_stems_from_being_looked_at(
    sweep: Sweep, cloud: Aws, clock: Clock
) -> None:
    for owner in ("alice", "zoe"):
        cloud.s3.put_object(Bucket=STEMS, Key=f"{owner}/gone/1/vocals.wav", Body=b"stem")
    for number in range(5):
        cloud.s3.put_object(Bucket=UPLOADS, Key=f"inbox/mallory/{number}.mp3", Body=b"song")
    clock.forward(hours=2)
    for _ in range(100):
        time_left = iter([300.0] * 3)
        sweep.sweep_objects(lambda time_left=time_left: next(time_left, 0.0))  # type: ignore[misc]
        if "Contents" not in cloud.s3.list_objects_v2(Bucket=STEMS):
            return
    raise AssertionError("never looked at")


def test_a_jobs_record_is_read_once_for_all_its_stems(sweep: Sweep, cloud: Aws, clock: Clock) -> None:
    for stem in ("vocals", "drums", "bass", "piano", "other"):
        cloud.s3.put_object(Bucket=STEMS, Key=f"alice/01K/1/{stem}.wav", Body=b"stem")
    clock.forward(hours=2)
    read: list[str] = []

    class Counting(Jobs):
        def get(self, owner: str, job_id: str) -> Job:
            read.append(job_id)
            return super().get(owner, job_id)

    replace(sweep, jobs=Counting(TABLE, usage_table=USAGE, retention_days=7, now=clock)).sweep_objects()
    assert read == ["01K"]


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
