"""A worker that polls: the same work, and a message that is its own for as long as that takes."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, ModuleType

import pytest

from stempipe.adapters.queue import JobQueue, Received, sqs_client
from stempipe.errors import StorageUnavailable
from stempipe.jobs.record import Job, Status
from stempipe.jobs.table import Jobs
from stempipe.rules.poll import Poller
from stempipe.rules.worker import Worker
from tests.aws import Aws
from tests.integration.separate.engine import MESSAGE, Engine, raising, stems

HOLD_SECONDS = 60


class Queue(JobQueue):
    """The real one, which does not wait, and notes what is done to the message in hand."""

    def __init__(self, cloud: Aws) -> None:
        super().__init__(cloud.sqs, cloud.jobs_queue_url)
        self.put_offs: list[int] = []
        self.sent: list[str] = []
        self.refuses = False
        self.is_held = threading.Event()
        self.when_empty: Callable[[], None] = lambda: None

    def receive(self, wait_seconds: int, hold_seconds: int) -> Received | None:
        received = super().receive(0, hold_seconds)
        if received is None:
            self.when_empty()
        return received

    def put_off(self, receipt_handle: str, seconds: int) -> None:
        if self.refuses:
            raise ConnectionError
        super().put_off(receipt_handle, seconds)
        self.put_offs.append(seconds)
        if self.put_offs.count(seconds) >= 2:
            self.is_held.set()

    def send(self, owner: str, job_id: str, trace: str | None = None) -> str:
        self.sent.append(job_id)
        return super().send(owner, job_id, trace)

    def depth(self) -> tuple[int, int]:
        """Messages that anybody may take, and those in hand."""
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])["Attributes"]
        return (
            int(answer["ApproximateNumberOfMessages"]),
            int(answer["ApproximateNumberOfMessagesNotVisible"]),
        )


@pytest.fixture
def queue(cloud: Aws) -> Queue:
    return Queue(cloud)


@pytest.fixture
def poller(queue: Queue, worker: Worker) -> Poller:
    """One that stops when there is no message."""
    poller = Poller(queue, worker, HOLD_SECONDS, work_seconds=300, margin_seconds=10)

    def stop() -> None:
        poller._is_waiting = False  # as if it had not waited: nothing interrupts it
        poller.stop()

    queue.when_empty = stop
    return poller


@pytest.fixture
def queued(cloud: Aws, jobs: Jobs, job: Callable[[], Job]) -> Callable[[], Job]:
    """The job with its message in the queue. Gives a function that reads it back."""
    cloud.dispatch(jobs).send(job())
    return job


def test_a_job_is_done_and_its_message_gone(
    poller: Poller, queue: Queue, queued: Callable[[], Job], cloud: Aws
) -> None:
    poller.run()
    assert queued().state is Status.COMPLETED
    assert len(stems(cloud)) == 2
    assert queue.depth() == (0, 0)


def test_what_is_to_be_tried_again_is_put_off(
    poller: Poller, queue: Queue, engine: Engine, queued: Callable[[], Job]
) -> None:
    engine.during = raising(StorageUnavailable("no"))
    poller.run()
    assert queued().state is Status.QUEUED
    assert (queue.put_offs, queue.depth()) == ([5], (0, 1))


def test_one_that_is_stopped_gives_its_job_back_and_takes_no_other(
    poller: Poller, queue: Queue, engine: Engine, queued: Callable[[], Job]
) -> None:
    engine.during = poller.stop
    JobQueue.send(queue, MESSAGE.owner, MESSAGE.id)  # a message too many
    poller.run()
    assert (queued().state, queued().attempts) == (Status.QUEUED, 1)
    assert queue.put_offs == [5]
    assert queue.depth() == (1, 1)


def test_one_that_was_stopped_before_it_began_costs_no_attempt(
    poller: Poller, queue: Queue, queued: Callable[[], Job]
) -> None:
    received = queue.receive(0, HOLD_SECONDS)
    assert received
    poller.stop()
    poller._take(received)
    assert (queued().state, queued().attempts) == (Status.QUEUED, 0)
    assert queue.depth() == (1, 0)


def test_one_that_waits_for_messages_stops_at_once(queue: Queue, worker: Worker) -> None:
    poller = Poller(queue, worker, HOLD_SECONDS, work_seconds=300, margin_seconds=10)
    queue.when_empty = lambda: time.sleep(600)  # the longest of polls

    def handle(number: int, frame: FrameType | None) -> None:
        poller.stop()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        main = threading.main_thread().ident
        signaller = threading.Timer(0.2, signal.pthread_kill, [main, signal.SIGUSR1])
        signaller.start()
        poller.run()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_the_message_is_held_for_as_long_as_the_work_takes(
    poller: Poller, queue: Queue, engine: Engine, queued: Callable[[], Job]
) -> None:
    def until_held() -> None:
        assert queue.is_held.wait(60)

    engine.during = until_held
    poller.hold_seconds = 2
    poller.run()
    assert queued().state is Status.COMPLETED
    assert set(queue.put_offs) == {2}
    assert queue.depth() == (0, 0)


def test_where_the_message_may_be_anothers_by_now_the_job_gets_one_anew(
    poller: Poller, queue: Queue, engine: Engine, queued: Callable[[], Job]
) -> None:
    # As where a worker stood still: whoever had the message meanwhile found the job held, and dropped it.
    queue.refuses = True

    def stand_still() -> None:
        time.sleep(1.5)
        raise StorageUnavailable("no")

    engine.during = stand_still
    received = queue.receive(0, 1)
    assert received
    poller.hold_seconds = 1
    poller._take(received)
    assert queued().state is Status.QUEUED
    assert queue.sent == [MESSAGE.id]


def test_what_is_no_message_is_left_to_the_queue(poller: Poller, queue: Queue, cloud: Aws) -> None:
    cloud.sqs.send_message(QueueUrl=cloud.jobs_queue_url, MessageBody="{")
    poller.run()
    assert (queue.put_offs, queue.depth()) == ([], (0, 1))


def test_a_queue_that_cannot_be_asked_is_asked_again(
    poller: Poller, queue: Queue, queued: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stempipe.rules.poll._PAUSE_SECONDS", 0)
    faults = [ConnectionError(), ConnectionError()]
    receive = queue.receive

    def fail(wait_seconds: int, hold_seconds: int) -> Received | None:
        if faults:
            raise faults.pop()
        return receive(wait_seconds, hold_seconds)

    monkeypatch.setattr(queue, "receive", fail)
    poller.run()
    assert queued().state is Status.COMPLETED


HANGS = """
import time
from stempipe.adapters.queue import Received
from stempipe.rules.poll import Poller

class Worker:
    def work_on(self, message, is_over):
        time.sleep(600)

Poller(None, Worker(), 60, work_seconds=1, margin_seconds=0)._take(Received('{"owner": "a", "id": "b"}', ""))
"""


def test_a_process_that_hangs_ends_and_says_where() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "in work_on" in done.stderr


def test_it_is_wired_as_the_function_is(
    cloud: Aws, jobs: Jobs, load_app: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "app", load_app("separate"))
    monkeypatch.delitem(sys.modules, "poll", raising=False)
    monkeypatch.setenv("LEASE_SECONDS", "20")
    monkeypatch.setenv("MEMORY_MB", "2048")
    poller = importlib.import_module("poll").poller()
    assert (poller.hold_seconds, poller.work_seconds) == (40, 3600)
    assert poller.worker is sys.modules["app"].worker(2048)
    JobQueue(sqs_client(), cloud.jobs_queue_url).send("alice", "none")
    poller._take(poller.queue.receive(1, 60))
    assert cloud.messages() == []
    monkeypatch.delitem(sys.modules, "poll")
