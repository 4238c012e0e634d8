"""The stage after the stems: they are there before it, and whatever befalls it costs nobody theirs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stempipe.adapters.queue import TryAgain
from stempipe.adapters.storage import Storage
from stempipe.errors import StempipeError, UnusableMedia
from stempipe.jobs.claim import Claim, Stored
from stempipe.jobs.config import AnalysisConfig, JobConfig
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import FilesView, files_view, job_view
from stempipe.rules.worker import Worker
from tests.aws import STEMS, UPLOADS, Aws
from tests.claims import let_in, take
from tests.integration.separate.engine import KEY, MESSAGE, Engine, raising, stems


@pytest.fixture
def job(cloud: Aws, jobs: Jobs) -> Callable[[], Job]:
    """A queued job that asks for analysis, and its upload. Gives a function that reads it back."""
    etag = cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"song")["ETag"].strip('"')
    source = Source("s3", UPLOADS, KEY, "song.mp3", bytes=4, etag=etag)
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig(analysis=AnalysisConfig()))
    let_in(jobs, "alice", "01K")
    return lambda: jobs.get("alice", "01K")


def again(jobs: Jobs) -> None:
    """What sweep does for a worker that is lost."""
    record = jobs.get("alice", "01K")
    record.update([Job.due_at.set(0)])
    Overdue(jobs).requeue(jobs.get("alice", "01K"))


def files(job: Job) -> FilesView:
    return files_view(job, lambda key, name: f"https://example.com/{key}?{name}")


def facts(job: Job) -> list[tuple[str, str | None, int | None]]:
    return [(file.name, file.stem, file.bytes) for file in files(job).files]


def test_stems_are_there_while_the_analysis_is_under_way(
    worker: Worker, engine: Engine, cloud: Aws, job: Callable[[], Job]
) -> None:
    seen = []

    def look() -> None:
        now = job()
        seen.append((now.state, sorted(now.stem_keys or {}), job_view(now, lambda key, _: key).results))
        assert {key for key in stems(cloud)} == set((now.stem_keys or {}).values())

    engine.while_listening = look
    worker.work_on(MESSAGE)
    (state, names, results), done = seen[0], job()
    assert (state, names) == (Status.PROCESSING, ["accompaniment", "vocals"])
    assert results
    assert results.analysis
    assert results.analysis.state == "pending"
    assert done.state is Status.COMPLETED
    assert done.analysis_keys == {"analysis.json": f"alice/01K/{done.attempt}/analysis.json"}
    assert engine.heard == [{"song": b"song", "vocals": b"vocals", "accompaniment": b"accompaniment"}]
    stored = cloud.s3.get_object(Bucket=STEMS, Key=done.analysis_keys["analysis.json"])
    assert (stored["Body"].read(), stored["ContentType"]) == (b"{}", "application/json")
    assert [(file.name, file.kind) for file in files(done).files] == [
        ("vocals.wav", "stem"),
        ("accompaniment.wav", "stem"),
        ("analysis.json", "analysis"),
    ]
    assert files(done).files[2].url.endswith("?song - analysis.json")


def test_each_file_has_its_size_and_its_stem(
    worker: Worker, engine: Engine, jobs: Jobs, job: Callable[[], Job]
) -> None:
    engine.playing = ("vocals",)
    seen = []
    engine.while_listening = lambda: seen.append(facts(job()))
    worker.work_on(MESSAGE)
    stems = [("vocals.wav", "vocals", 6), ("accompaniment.wav", "accompaniment", 13)]
    assert seen == [stems]
    done = job()
    assert facts(done) == [*stems, ("analysis.json", None, 2), ("vocals.mid", "vocals", 4)]
    assert done.stored_bytes == 6 + 13 + 2 + 4
    done.update([Job.file_facts.remove()])  # as records are of before that
    assert facts(jobs.get("alice", "01K")) == [
        ("vocals.wav", "vocals", None),
        ("accompaniment.wav", "accompaniment", None),
        ("analysis.json", None, None),
        ("vocals.mid", None, None),
    ]


def test_the_stage_is_seen_and_time_left_goes_on(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    seen = set()

    def listen() -> None:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            now = job()
            seen.add((now.stage, now.progress))
            time.sleep(0.1)

    engine.while_listening = listen
    worker.work_on(MESSAGE)
    assert "analysing" in {stage for stage, _ in seen}
    assert all(0 < progress < 100 for stage, progress in seen if stage == "analysing")


@pytest.mark.parametrize("fault", [UnusableMedia("corrupt_media", "Bad."), ValueError("a fault of ours")])
def test_an_analysis_that_fails_costs_nobody_the_stems(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job], fault: Exception
) -> None:
    engine.while_listening = raising(fault)
    tries = 1 if isinstance(fault, StempipeError) else MAX_ATTEMPTS
    for attempt in range(1, tries + 1):
        try:
            worker.work_on(MESSAGE)
        except TryAgain:
            assert tries > 1
        if attempt < tries:
            assert job().state is Status.QUEUED
    done = job()
    assert (done.state, done.attempts) == (Status.COMPLETED, tries)
    assert done.error_code is None
    view = job_view(done, lambda key, _: key)
    assert view.results
    assert view.results.analysis
    assert view.results.analysis.error
    assert view.results.analysis.state == "failed"
    assert view.results.analysis.error.code == ("corrupt_media" if tries == 1 else "internal_error")
    assert sorted(view.results.stems.values()) == sorted(stems(cloud))


def test_stems_are_kept_though_it_is_never_heard_that_they_are(
    worker: Worker, cloud: Aws, job: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Claim.keep

    def keep_unheard(self: Claim, stored: Stored) -> None:
        keep(self, stored)
        raise ConnectionError

    job().update([Job.last_attempt.set(Job.making + 1)])
    monkeypatch.setattr(Claim, "keep", keep_unheard)
    with pytest.raises(TryAgain):
        worker.work_on(MESSAGE)
    assert (job().state, job().analysis_error_code) == (Status.COMPLETED, "internal_error")
    assert set(stems(cloud)) == job().keys_in_use


def test_a_job_whose_message_is_dead_completes_with_its_stems(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    engine.while_listening = raising(MemoryError())
    with pytest.raises(TryAgain):
        worker.work_on(MESSAGE)
    jobs.mark_enqueued(job(), "dead")
    done = Overdue(jobs).give_up_message(job(), "dead")
    assert done.error_code is None
    assert (done.state, done.analysis_error_code) == (Status.COMPLETED, "undeliverable")
    assert set(stems(cloud)) == done.keys_in_use


def test_stems_that_come_short_are_fetched_again(
    worker: Worker, engine: Engine, storage: Storage, job: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.while_listening = raising(MemoryError())
    with pytest.raises(TryAgain):
        worker.work_on(MESSAGE)
    engine.while_listening = lambda: None
    fetch = storage.fetch

    def fetch_half(
        bucket: str, key: str, etag: str | None, to: Path, on_bytes: Callable[[int], None]
    ) -> None:
        fetch(bucket, key, etag, to, on_bytes)
        if bucket == STEMS:
            to.write_bytes(to.read_bytes()[:3])

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "fetch", lambda self, *arguments: fetch_half(*arguments))
        with pytest.raises(TryAgain, match="storage_unavailable"):
            worker.work_on(MESSAGE)
    worker.work_on(MESSAGE)
    assert job().state is Status.COMPLETED
    assert [heard["vocals"] for heard in engine.heard] == [b"vocals", b"vocals"]


def test_the_next_worker_goes_on_from_the_stems(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    engine.while_listening = raising(MemoryError())
    with pytest.raises(TryAgain):
        worker.work_on(MESSAGE)
    kept = job().stem_keys
    engine.while_listening = lambda: None
    worker.work_on(MESSAGE)
    assert (job().state, job().stem_keys, len(engine.songs)) == (Status.COMPLETED, kept, 1)
    assert engine.heard[1] == engine.heard[0]
    assert set(stems(cloud)) == job().keys_in_use


def test_an_analysis_that_failed_is_tried_again_on_the_stems_that_are_there(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    engine.while_listening = raising(MemoryError())
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(TryAgain):
            worker.work_on(MESSAGE)
    with pytest.raises(TryAgain):  # until the queue has enough of it
        worker.work_on(MESSAGE)
    kept = job().stem_keys
    queued = jobs.retry(job())
    let_in(jobs, "alice", "01K")
    view = job_view(queued, lambda key, _: key)
    assert view.results
    assert view.results.analysis
    assert (queued.state, view.results.analysis.state, len(view.results.stems)) == (
        Status.QUEUED,
        "pending",
        2,
    )
    engine.while_listening = lambda: None
    worker.work_on(MESSAGE)
    done = job()
    assert (done.state, done.stem_keys) == (Status.COMPLETED, kept)
    assert done.analysis_error_code is None
    assert (list(done.analysis_keys or {}), len(engine.songs)) == (["analysis.json"], 1)
    assert [size for _, _, size in facts(done)] == [6, 13, 2]
    assert done.stored_bytes == 6 + 13 + 2
    assert set(stems(cloud)) == done.keys_in_use


def test_a_worker_that_is_killed_while_it_listens_loses_no_stems(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    engine.while_listening = kill
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            worker.work_on(MESSAGE)
        again(jobs)
    done = job()
    assert (done.state, done.progress, done.analysis_error_code) == (
        Status.COMPLETED,
        100,
        "worker_lost",
    )
    assert set(stems(cloud)) == done.keys_in_use
    assert done.due_at is None


def test_the_stems_of_a_job_cancelled_meanwhile_are_deleted(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    def cancel() -> None:
        jobs.cancel("alice", "01K")

    engine.while_listening = cancel
    worker.work_on(MESSAGE)
    assert (job().state, stems(cloud)) == (Status.CANCELLED, [])
    # It knows where they were, and gives nobody a link to what is gone.
    assert job_view(job(), lambda key, _: key).results is None
    assert files(job()).files == []


def test_a_worker_that_is_overtaken_while_it_listens_leaves_the_stems(
    worker: Worker, engine: Engine, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    def overtake() -> None:
        again(jobs)
        take(jobs, "alice", "01K", 30)

    engine.while_listening = overtake
    worker.work_on(MESSAGE)
    now = job()
    assert (now.state, now.attempts) == (Status.PROCESSING, 2)
    assert set(stems(cloud)) == set((now.stem_keys or {}).values())
