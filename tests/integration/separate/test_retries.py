"""A song that is at fault fails at once; what may pass is tried again, three times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from stempipe.adapters.queue import TryAgain
from stempipe.errors import UnusableMedia
from stempipe.jobs.record import Job, Status, job_model
from stempipe.jobs.table import Jobs
from stempipe.rules.worker import Worker
from tests.aws import Aws
from tests.claims import take
from tests.integration.separate.engine import MESSAGE, Engine, raising, received


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
        take(jobs, "alice", "01K", lease_seconds=0)
        time.sleep(0.01)
    with pytest.raises(TryAgain) as again:
        worker.work_on(MESSAGE)
    assert again.value.seconds == 0
    assert (job().state, job().error_code) == (Status.FAILED, "worker_lost")


def test_a_worker_that_is_about_to_be_stopped_gives_the_job_back(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    stopped: list[bool] = []
    engine.during = lambda: stopped.append(True)
    outcomes = []
    for _ in range(3):
        stopped.clear()
        with pytest.raises(TryAgain):
            worker.work_on(MESSAGE, lambda: bool(stopped))
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
    assert (engine.songs, job().state, job().attempts) == ([], Status.QUEUED, 0)


def test_a_song_that_came_in_part_is_fetched_again(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    """An answer that is short and does not show it, such as a proxy's between us and the storage."""
    job().update([Job.bytes.set(5)])
    with pytest.raises(TryAgain) as again:
        worker.work_on(MESSAGE)
    assert (engine.songs, again.value.seconds, job().state) == ([], 5, Status.QUEUED)


def test_the_handler_sends_back_what_must_be_tried_again_and_when(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    for _ in range(3):
        take(jobs, "alice", "01K", lease_seconds=0)
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
    assert (job().state, job().attempts) == (Status.QUEUED, 1)


def test_the_handler_does_not_swallow_a_message_it_cannot_read(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws
) -> None:
    assert len(handler(received(cloud, "{}"))["batchItemFailures"]) == 1
