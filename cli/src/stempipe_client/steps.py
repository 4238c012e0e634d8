"""Work that reports how far it is: as an iterator, or beside other work."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

Report = Callable[[float], None]
"""Is told the fraction done, 0 to 1. It may raise, to stop the work."""

STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1

Result = TypeVar("Result")


class _Left(Exception):
    """Nobody waits for the work any more."""


class Beside(Generic[Result]):
    """Some work in another thread, beside what is done in this one.

    Attributes
    ----------
    is_done
        Whether it has ended, well or badly.
    """

    def __init__(self, work: Callable[[Report], Result]) -> None:
        self._fraction = 0.0
        self._left = Event()
        self._outcome: Future[Result] = Future()
        # A daemon, as in `stepwise`.
        self._thread = Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        return self._outcome.done()

    def wait(self, report: Report) -> Result:
        """What the work has made, once it has; its error is raised here. Reports how far it is until then."""
        while not self.is_done:
            report(self._fraction)
            self._thread.join(LOOK_SECONDS)
        return self._outcome.result()

    def leave(self) -> None:
        """End the work at its next report, and wait for that `STOP_SECONDS` at most."""
        self._left.set()
        self._thread.join(STOP_SECONDS)

    def _run(self, work: Callable[[Report], Result]) -> None:
        try:
            self._outcome.set_result(work(self._report))
        except BaseException as error:
            self._outcome.set_exception(error)

    def _report(self, fraction: float) -> None:
        if self._left.is_set():
            raise _Left
        self._fraction = fraction


def stepwise(work: Callable[[Report], object]) -> Generator[tuple[int, float | None]]:
    """Do some work in another thread; yields percent done and seconds left, at each new percent.

    An error of the work is raised here. If the iterator is closed early, the work ends at its next report,
    and is waited for `STOP_SECONDS` at most.
    """
    reports: SimpleQueue[float | None] = SimpleQueue()
    left = Event()
    outcome: Future[None] = Future()

    def report(fraction: float) -> None:
        if left.is_set():
            raise _Left
        reports.put(fraction)

    def run() -> None:
        try:
            work(report)
            outcome.set_result(None)
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            reports.put(None)

    # A daemon, unlike an executor's: a stalled transfer does not keep the program from ending.
    thread = Thread(target=run, daemon=True)
    thread.start()
    began = time.monotonic()
    last = -1
    try:
        while (fraction := reports.get()) is not None:
            percent = int(100 * fraction)
            if percent != last:
                last = percent
                seconds = time.monotonic() - began
                yield percent, seconds / fraction * (1 - fraction) if fraction and seconds > 1 else None
        outcome.result()
    finally:
        left.set()
        thread.join(STOP_SECONDS)
