"""Work that reports how far it is, as an iterator."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Thread

Report = Callable[[float], None]
"""Is told the fraction done, 0 to 1. It may raise, to stop the work."""

STOP_SECONDS = 10.0


class _Left(Exception):
    """Nobody waits for the work any more."""


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
