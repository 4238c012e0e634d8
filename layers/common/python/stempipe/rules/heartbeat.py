"""Progress of a job, written while a worker is at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from stempipe.errors import OutOfTime
from stempipe.jobs.claim import Claim
from stempipe.jobs.estimate import Estimate, plan_of
from stempipe.jobs.record import Kind, Stage
from stempipe.jobs.refusals import ClaimLost
from stempipe.observability import logger

HEARTBEAT_SECONDS = 0.5
"""From one write of progress to the next. Whoever watches hears of it once a second at least: Lambda looks at
the table's stream four times a second, and what is left is for the write and for notify."""


class Heartbeat:
    """Writes progress and keeps the lease, beside the work.

    The work says where it is by ``at``, as often as it likes; a thread writes the latest, so that
    neither the work waits for the table nor the table is written more often than needed.

    Parameters
    ----------
    claim
        What is renewed.
    is_over
        Whether the worker's time is over, and the work must stop.
    on_beat
        Is called with each.
    stop
        Ends work that does not say where it is, in which a song may hold it up for ever.

    Raises
    ------
    ClaimLost, OutOfTime
        At the end of the block, in place of what became of work that was stopped.
    """

    def __init__(
        self,
        claim: Claim,
        is_over: Callable[[], bool],
        on_beat: Callable[[], None],
        stop: Callable[[], None],
    ) -> None:
        self._claim = claim
        self._is_over = is_over
        self._on_beat = on_beat
        self._stop = stop
        separates = claim.job.kind == Kind.SONG and claim.job.stem_keys is None
        plan = plan_of(claim.job.config, separates=separates)
        self._estimate = Estimate(plan, time.monotonic())
        self._lock = threading.Lock()
        self._lost: ClaimLost | None = None
        self._stopped = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def at(self, stage: Stage, share: float) -> None:
        """Say where the work is: ``share`` of the stage is done.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's; the work must stop.
        OutOfTime
            The worker is about to be stopped.
        """
        with self._lock:
            self._estimate.report(stage, share, time.monotonic())
        self._raise_if_it_must_stop()

    def _raise_if_it_must_stop(self) -> None:
        if self._lost:
            raise self._lost
        if self._is_over():
            raise OutOfTime

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._stopped and isinstance(error, Exception):
            self._raise_if_it_must_stop()

    def _beat(self) -> None:
        due = time.monotonic()
        while True:
            try:
                if not self._lost:
                    self._write()
                self._on_beat()
            except ClaimLost as lost:
                self._lost = lost
            except Exception:
                # The table may be back at the next beat; if not, the lease lapses and the job is
                # another's.
                logger.exception("Progress could not be written")
            if self._lost or self._is_over():
                # Again and again: what was stopped may have begun anew before it was told.
                self._stopped = True
                self._stop()
            # From due time to due time, however long a write takes; what is overdue is not made up for.
            due = max(due + HEARTBEAT_SECONDS, time.monotonic())
            if self._done.wait(due - time.monotonic()):
                return

    def _write(self) -> None:
        with self._lock:
            now = time.monotonic()
            stage, progress = self._estimate.stage, self._estimate.progress(now)
            left = self._estimate.seconds_left(now)
        # 100 is for the completed job alone.
        self._claim.report(stage, min(int(progress), 99), left)
