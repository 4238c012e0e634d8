"""separate, message by message, with a stand-in for the engine where a test needs a fault on demand."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from stempipe.adapters.queue import JobMessage, TryAgain
from stempipe.adapters.storage import Storage
from stempipe.errors import UnusableMedia
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Job, Source, Status, job_model
from stempipe.jobs.refusals import ClaimLost
from stempipe.jobs.table import Jobs
from stempipe.rules.worker import Separated, Worker
from tests.aws import STEMS, TABLE, UPLOADS, Aws
from tests.unit.separation import songs

MESSAGE = JobMessage(owner="alice", id="01K")
KEY = "jobs/alice/01K"


class Engine:
    """Writes a file a stem, or does what a test tells it to in between."""

    def __init__(self) -> None:
        self.during: Callable[[], None] = lambda: None
        self.songs: list[bytes] = []

    def __call__(
        self,
        source: Path,
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: Callable[[float], None],
    ) -> Separated:
        self.songs.append(source.read_bytes())
        self.on_progress = on_progress
        on_progress(0.5)
        self.during()
        on_progress(1.0)
        stems = {}
        for stem in config.kept:
            stems[stem] = destination / f"{stem}.{config.quality.output_format}"
            self.write(stems[stem])
        return Separated(stems, seconds=180.0, sample_rate=48000, channels=1, codec="mp3", gain_db=-1.5)

    def write(self, path: Path) -> None:
        path.write_bytes(path.stem.encode())


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def storage(cloud: Aws) -> Storage:
    return Storage(cloud.s3, "s3")


@pytest.fixture
def worker(jobs: Jobs, storage: Storage, engine: Engine, tmp_path: Path) -> Worker:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Worker(jobs, storage, engine, stems_bucket=STEMS, lease_seconds=30, memory_gb=2.0, scratch=scratch)


@pytest.fixture
def job(cloud: Aws, jobs: Jobs) -> Callable[[], Job]:
    """A queued job, and its upload. Gives a function that reads it back."""
    etag = cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"song")["ETag"].strip('"')
    source = Source("s3", UPLOADS, KEY, "song.mp3", bytes=4, etag=etag)
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig())
    return lambda: jobs.get("alice", "01K")


def raising(error: Exception) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


def test_a_queued_job_becomes_stems(
    worker: Worker, engine: Engine, cloud: Aws, job: Callable[[], Job]
) -> None:
    worker.work_on(MESSAGE)
    done = job()
    assert (done.state, done.progress, done.attempt) == (Status.COMPLETED, 100, 1)
    assert (done.duration_seconds, done.sample_rate, done.channels) == (180.0, 48000, 1)
    assert done.gain_db == -1.5
    assert engine.songs == [b"song"]
    assert done.stem_keys == {
        "vocals": "alice/01K/1/vocals.wav",
        "accompaniment": "alice/01K/1/accompaniment.wav",
    }
    stored = cloud.s3.get_object(Bucket=STEMS, Key=done.stem_keys["vocals"])
    assert (stored["Body"].read(), stored["ContentType"]) == (b"vocals", "audio/wav")
    assert list((worker.scratch or Path()).iterdir()) == []


def test_progress_is_written_at_least_once_a_second(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    seen = set()

    def work() -> None:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            now = job()
            seen.add((now.updated_at, now.stage, now.progress))
            time.sleep(0.1)

    engine.during = work
    worker.work_on(MESSAGE)
    # Every write has a time of its own: in 2.5 s some five, and far fewer than were looked for.
    assert 3 <= len({at for at, _, _ in seen}) <= 8
    # Half of the separation, by the plan: nothing was measured yet.
    assert ("separating", 46) in {(stage, progress) for _, stage, progress in seen}


def test_a_song_that_cannot_be_separated_fails_at_once(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    engine.during = raising(UnusableMedia("too_long", "The song is too long."))
    worker.work_on(MESSAGE)
    done = job()
    assert (done.state, done.error_code, done.error_message) == (
        Status.FAILED,
        "too_long",
        "The song is too long.",
    )


def test_a_fault_that_may_pass_is_tried_again_later_and_later_and_then_fails(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    engine.during = raising(RuntimeError("boom"))
    delays = []
    for _ in range(3):
        with pytest.raises(TryAgain) as again:
            worker.work_on(MESSAGE)
        delays.append((again.value.seconds, job().state))
    assert delays == [(5, Status.QUEUED), (20, Status.QUEUED), (0, Status.FAILED)]
    assert job().error_code == "internal_error"
    assert "boom" not in (job().error_message or "")


def test_the_message_of_a_job_that_was_given_up_goes_back_until_the_queue_has_enough_of_it(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    engine.during = raising(RuntimeError("boom"))
    for _ in range(3):
        with pytest.raises(TryAgain):
            worker.work_on(MESSAGE)
    with pytest.raises(TryAgain) as again:
        worker.work_on(MESSAGE)
    assert again.value.seconds == 0
    assert len(engine.songs) == 3


def test_a_job_whose_workers_all_died_fails_at_the_next_message(
    worker: Worker, jobs: Jobs, job: Callable[[], Job]
) -> None:
    for _ in range(3):
        Claim.take(jobs, "alice", "01K", lease_seconds=0)
        time.sleep(0.01)
    with pytest.raises(TryAgain) as again:
        worker.work_on(MESSAGE)
    assert again.value.seconds == 0
    assert (job().state, job().error_code) == (Status.FAILED, "worker_lost")


def test_a_job_that_another_worker_holds_is_left_to_it(
    worker: Worker, engine: Engine, jobs: Jobs, job: Callable[[], Job]
) -> None:
    Claim.take(jobs, "alice", "01K", 30)
    worker.work_on(MESSAGE)
    assert (engine.songs, job().attempt) == ([], 1)


def test_a_worker_that_is_about_to_be_stopped_gives_the_job_back(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    engine.during = lambda: time.sleep(0.3)
    outcomes = []
    for _ in range(3):
        with pytest.raises(TryAgain):
            worker.work_on(MESSAGE, deadline=time.monotonic() + 0.2)
        outcomes.append((job().state, job().error_code))
    assert outcomes == [(Status.QUEUED, None), (Status.QUEUED, None), (Status.FAILED, "out_of_time")]


def test_a_job_that_cannot_be_claimed_now_is_left_for_later(
    worker: Worker, engine: Engine, job: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keys that moto's account does not have would do as well: whatever the table answers, it is no refusal.
    monkeypatch.setattr(worker.jobs, "model", job_model("no-such-table"))
    with pytest.raises(TryAgain) as again:
        worker.work_on(MESSAGE)
    assert again.value.seconds == 120
    monkeypatch.undo()
    assert (engine.songs, job().state, job().attempt) == ([], Status.QUEUED, 0)


def test_a_song_that_came_in_part_is_fetched_again(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    """An answer that is short and does not show it, such as a proxy's between us and the storage."""
    job().update([Job.bytes.set(5)])
    with pytest.raises(TryAgain) as again:
        worker.work_on(MESSAGE)
    assert (engine.songs, again.value.seconds, job().state) == ([], 5, Status.QUEUED)


def test_a_message_after_completion_does_nothing(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    worker.work_on(MESSAGE)
    worker.work_on(MESSAGE)
    assert len(engine.songs) == 1


def test_a_message_of_no_job_does_nothing(worker: Worker, cloud: Aws) -> None:
    worker.work_on(JobMessage(owner="alice", id="none"))


def test_a_worker_that_is_overtaken_writes_nothing(
    worker: Worker, engine: Engine, jobs: Jobs, job: Callable[[], Job]
) -> None:
    def overtake() -> None:
        record = job()
        record.update([Job.attempt.add(1)])

    engine.during = overtake
    worker.work_on(MESSAGE)
    assert job().state is Status.PROCESSING
    assert job().stem_keys is None


def stems(cloud: Aws) -> list[str]:
    return [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=STEMS).get("Contents", [])]


def until_stopped(heartbeat: Callable[[], None], seconds: float = 5) -> Callable[[], None]:
    """Work that goes on until it is told to stop."""

    def work() -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            heartbeat()
            time.sleep(0.05)

    return work


@pytest.mark.parametrize("deleted", [False, True])
def test_a_worker_whose_job_is_cancelled_or_deleted_stops_within_two_seconds(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job], deleted: bool
) -> None:
    cancelled = []

    def work() -> None:
        done = jobs.cancel("alice", "01K")
        cancelled.append(time.monotonic())
        if deleted:
            jobs.delete(done)
        until_stopped(lambda: engine.on_progress(0.5))()

    engine.during = work
    worker.work_on(MESSAGE)  # it returns: the message is done with
    assert time.monotonic() - cancelled[0] < 2
    assert stems(cloud) == []
    assert deleted or job().state is Status.CANCELLED


def test_stems_that_were_stored_before_the_job_was_cancelled_are_deleted(
    worker: Worker, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    class CancelledBetweenStems(Storage):
        def put(self, file: Path, bucket: str, key: str, *more: Any) -> None:
            super().put(file, bucket, key, *more)
            if key.endswith("vocals.wav"):
                jobs.cancel("alice", "01K")

    cloud.s3.put_object(Bucket=STEMS, Key="alice/01K/0/another attempt's.wav", Body=b"")
    replace(worker, storage=CancelledBetweenStems(cloud.s3, "s3")).work_on(MESSAGE)
    assert stems(cloud) == ["alice/01K/0/another attempt's.wav"]
    assert job().state is Status.CANCELLED


def test_stems_are_kept_where_only_the_answer_to_the_last_write_was_lost(
    worker: Worker, cloud: Aws, job: Callable[[], Job]
) -> None:
    class AnswerLost(Jobs):
        def move(self, job: Job, to: Status, *more: Any) -> Job:
            # Sent again by the client, the write finds what it wrote itself.
            super().move(job, to, *more)
            return super().move(job, to, *more) if to is Status.COMPLETED else job

    replace(worker, jobs=AnswerLost(TABLE, retention_days=7)).work_on(MESSAGE)
    assert job().state is Status.COMPLETED
    assert stems(cloud) == sorted((job().stem_keys or {}).values())


def test_an_upload_is_called_off_half_way(cloud: Aws, storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "stem.wav"
    file.write_bytes(bytes(32 << 20))  # more than one part
    cloud.s3.meta.events.register("before-call.s3.UploadPart", lambda **_: time.sleep(0.3))
    with pytest.raises(ClaimLost):
        storage.put(file, STEMS, "stem.wav", "audio/wav", lambda _: raising(ClaimLost())())
    assert stems(cloud) == []
    assert "Uploads" not in cloud.s3.list_multipart_uploads(Bucket=STEMS)


def test_an_upload_tells_how_far_it_is(cloud: Aws, storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "stem.wav"
    file.write_bytes(bytes(32 << 20))
    cloud.s3.meta.events.register("before-call.s3.UploadPart", lambda **_: time.sleep(0.15))
    seen: list[int] = []
    storage.put(file, STEMS, "stem.wav", "audio/wav", seen.append)
    assert seen == sorted(seen)
    assert any(0 < count < 32 << 20 for count in seen)


@pytest.mark.parametrize("deleted", [True, False])
def test_an_upload_that_was_deleted_or_replaced_fails_the_job(
    worker: Worker, cloud: Aws, job: Callable[[], Job], deleted: bool
) -> None:
    if deleted:
        cloud.s3.delete_object(Bucket=UPLOADS, Key=KEY)
    else:
        cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"another song")
    worker.work_on(MESSAGE)
    assert (job().state, job().error_code) == (Status.FAILED, "upload_gone")


@pytest.fixture
def handler(
    cloud: Aws, load_app: Callable[[str], ModuleType], lambda_context: Any
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    app = load_app("separate")

    def handle(event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = app.handler(event, lambda_context)
        return answer

    return handle


def received(cloud: Aws, body: str) -> dict[str, Any]:
    """An event of one message that really is in the queue."""
    cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody=body)
    (message,) = cloud.sqs.receive_message(QueueUrl=cloud.queue_url, VisibilityTimeout=1800)["Messages"]
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs",
                "awsRegion": "us-east-1",
            }
        ]
    }


def test_the_handler_separates_with_the_real_engine(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws, job: Callable[[], Job]
) -> None:
    # b"song" is no audio: the engine says so, and the message is done with.
    assert handler(received(cloud, MESSAGE.model_dump_json())) == {"batchItemFailures": []}
    assert (job().state, job().error_code) == (Status.FAILED, "unsupported_media")


def test_the_handler_turns_a_hot_songs_stems_down_together_and_the_job_says_by_how_much(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws, jobs: Jobs, tmp_path: Path
) -> None:
    hot = np.clip(8 * (songs.noise(2) + songs.tone(2)), -1, 1)
    song = songs.write(tmp_path / "song.wav", hot)
    etag = cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=song.read_bytes())["ETag"].strip('"')
    source = Source("s3", UPLOADS, KEY, "Hot Song.wav", bytes=song.stat().st_size, etag=etag)
    config = JobConfig.from_json('{"quality": {"outputFormat": "flac", "bitDepth": 24}}')
    jobs.add("alice", "01K", Status.QUEUED, source, config)

    assert handler(received(cloud, MESSAGE.model_dump_json())) == {"batchItemFailures": []}
    done = jobs.get("alice", "01K")
    assert done.state is Status.COMPLETED
    assert done.gain_db < -0.5
    heard = []
    for stem, key in done.stem_keys.items():
        path = tmp_path / f"{stem}.flac"
        cloud.s3.download_file(STEMS, key, str(path))
        assert songs.tags(path)["title"] == f"Hot Song ({stem})"
        heard.append(songs.read(path))
        assert np.abs(heard[-1]).max() < 1 - 2**-23
    assert np.abs(sum(heard) - 10 ** (done.gain_db / 20) * hot).max() < 1e-5


def test_a_new_worker_removes_what_a_killed_one_left_on_the_disk(
    handler: Callable[[dict[str, Any]], dict[str, Any]],
    cloud: Aws,
    job: Callable[[], Job],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "stempipe" / "tmp01" / "song"
    left.parent.mkdir(parents=True)
    left.touch()
    handler(received(cloud, MESSAGE.model_dump_json()))
    assert job().state is Status.FAILED
    assert list((tmp_path / "stempipe").iterdir()) == []


@pytest.mark.parametrize("damaged", [True, False])
def test_a_model_that_is_damaged_or_missing_fails_the_job(
    handler: Callable[[dict[str, Any]], dict[str, Any]],
    cloud: Aws,
    job: Callable[[], Job],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damaged: bool,
) -> None:
    if damaged:
        (tmp_path / "2stems").mkdir()
    monkeypatch.setenv("STEMPIPE_MODELS", str(tmp_path))
    assert handler(received(cloud, MESSAGE.model_dump_json())) == {"batchItemFailures": []}
    assert (job().state, job().error_code) == (
        Status.FAILED,
        "model_damaged" if damaged else "model_missing",
    )


def test_the_handler_sends_back_what_must_be_tried_again_and_when(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    for _ in range(3):
        Claim.take(jobs, "alice", "01K", lease_seconds=0)
        time.sleep(0.01)
    event = received(cloud, MESSAGE.model_dump_json())
    failures = handler(event)["batchItemFailures"]
    assert failures == [{"itemIdentifier": event["Records"][0]["messageId"]}]
    # It was invisible for half an hour, and is back at once: the job was given up.
    assert cloud.messages() == [MESSAGE.model_dump()]


def test_the_handler_ends_its_work_before_lambda_does(
    handler: Callable[[dict[str, Any]], dict[str, Any]],
    cloud: Aws,
    job: Callable[[], Job],
    lambda_context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lambda_context, "get_remaining_time_in_millis", lambda: 9_000)
    assert handler(received(cloud, MESSAGE.model_dump_json()))["batchItemFailures"]
    assert (job().state, job().attempt) == (Status.QUEUED, 1)


def test_the_handler_does_not_swallow_a_message_it_cannot_read(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws
) -> None:
    assert len(handler(received(cloud, "{}"))["batchItemFailures"]) == 1
