"""Who may work on a job: one worker at a time, and none once it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from stempipe.adapters.queue import JobMessage, TryAgain
from stempipe.jobs.record import Job, Status
from stempipe.jobs.table import Jobs
from stempipe.rules.worker import Worker
from tests.aws import Aws
from tests.claims import take
from tests.integration.separate.engine import MESSAGE, Engine, stems


def test_a_job_that_another_worker_holds_is_left_to_it(
    worker: Worker, engine: Engine, jobs: Jobs, job: Callable[[], Job]
) -> None:
    take(jobs, "alice", "01K", 30)
    worker.work_on(MESSAGE)
    assert (engine.songs, job().attempts) == ([], 1)


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


def until_stopped(heartbeat: Callable[[], None], seconds: float = 5) -> Callable[[], None]:
    """Work that goes on until it is told to stop."""

    def work() -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            heartbeat()
            time.sleep(0.05)

    return work


def hang(engine: Engine) -> None:
    """Do nothing until it is ended from outside, as what waits for FFmpeg does then."""
    assert engine.stopped.wait(60)
    raise RuntimeError("The decoder ended with -9; its own words are in the log.")


def test_a_song_that_does_nothing_ends_with_its_claim(
    worker: Worker, engine: Engine, jobs: Jobs, job: Callable[[], Job]
) -> None:
    def cancel_and_hang() -> None:
        jobs.cancel("alice", "01K")
        hang(engine)

    engine.during = cancel_and_hang
    worker.work_on(MESSAGE)  # it returns: the message is done with
    assert job().state is Status.CANCELLED


def test_a_song_that_does_nothing_ends_with_its_workers_time(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    engine.during = lambda: hang(engine)
    end = time.monotonic() + 0.5
    with pytest.raises(TryAgain, match="out_of_time"):
        worker.work_on(MESSAGE, lambda: time.monotonic() > end)
    assert job().state is Status.QUEUED


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
