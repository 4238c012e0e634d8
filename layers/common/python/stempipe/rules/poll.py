"""The rules of a worker that nobody invokes: it takes messages from the queue until it is stopped."""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from stempipe.adapters.queue import JobMessage, JobQueue, Received, TryAgain
from stempipe.observability import logger, metrics
from stempipe.rules.worker import Worker

POLL_SECONDS = 20
"""How long the queue is waited for at a time: the longest that SQS allows, and the fewest requests."""
_PAUSE_SECONDS = 5  # until the queue is asked again, when it could not be


class _Stopped(BaseException):
    """Ends a wait for messages. One that was on its way comes back to the queue, as after any other loss."""


@dataclass
class Poller:
    """Works on one job after the other.

    Parameters
    ----------
    queue
        Where messages come from, by a client that waits for ``POLL_SECONDS``.
    worker
        What is done with them.
    hold_seconds
        How long a message is this worker's without a sign of life. Longer than the lease of its job: whoever
        has it next must find the lease lapsed, or takes the message for one too many.
    work_seconds
        How long a job may be worked on. Then the process ends, as Lambda ends its workers.
    margin_seconds
        So long before that the job is given back.
    """

    queue: JobQueue
    worker: Worker
    hold_seconds: int
    work_seconds: int
    margin_seconds: int
    _is_stopped: bool = field(default=False, init=False)
    _is_waiting: bool = field(default=False, init=False)

    def stop(self) -> None:
        """Take no more, and give back what is in work. Signals call it, amid whatever there is."""
        self._is_stopped = True
        if self._is_waiting:
            raise _Stopped

    def run(self) -> None:
        """Work until stopped."""
        logger.info("Waiting for jobs")
        with suppress(_Stopped):
            while not self._is_stopped:
                if received := self._receive():
                    self._take(received)
        logger.info("Stopped")

    def _receive(self) -> Received | None:
        self._is_waiting = True
        try:
            return self.queue.receive(POLL_SECONDS, self.hold_seconds)
        except Exception:
            logger.exception("The queue cannot be asked")
            time.sleep(_PAUSE_SECONDS)
            return None
        finally:
            self._is_waiting = False

    def _take(self, received: Received) -> None:
        hold = _Hold(self.queue, received, self.hold_seconds)
        try:
            message = JobMessage.model_validate_json(received.body)
            logger.append_keys(owner=message.owner, job_id=message.id)
            try:
                with hold:
                    self._work_on(message)
            except TryAgain as again:
                self._put_back(message, hold, again.seconds)
            else:
                self.queue.delete(received.receipt_handle)
        except Exception:
            # It comes back by itself, if it is not gone: whoever has it then finds what there is to do.
            logger.exception("A message is left to the queue")
        finally:
            metrics.flush_metrics()
            logger.clear_state()

    def _work_on(self, message: JobMessage) -> None:
        if self._is_stopped:
            raise TryAgain("the worker is stopped", 0)
        deadline = time.monotonic() + self.work_seconds - self.margin_seconds
        # Where the work hangs it hears of no deadline. This ends the process, and says where it was.
        faulthandler.dump_traceback_later(self.work_seconds, exit=True, file=sys.__stderr__ or sys.stderr)
        try:
            self.worker.work_on(message, lambda: self._is_stopped or time.monotonic() > deadline)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _put_back(self, message: JobMessage, hold: _Hold, seconds: int) -> None:
        if hold.is_lapsed:
            # Another worker may have had it meanwhile, found the job held, and dropped it.
            self.queue.send(message.owner, message.id)
        else:
            self.queue.put_off(hold.received.receipt_handle, seconds)


class _Hold:
    """Keeps a message from everybody else while its job is worked on, as the heartbeat keeps the job."""

    def __init__(self, queue: JobQueue, received: Received, seconds: int) -> None:
        self.received = received
        self._queue = queue
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="hold", daemon=True)

    @property
    def is_lapsed(self) -> bool:
        """Whether somebody else may have the message by now."""
        return time.monotonic() > self._until

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._done.wait(self._seconds / 4):
            if self.is_lapsed:
                return  # to take it from whoever has it would help nobody
            now = time.monotonic()
            try:
                self._queue.put_off(self.received.receipt_handle, self._seconds)
                self._until = now + self._seconds
            except Exception:
                logger.exception("The message could not be held")
