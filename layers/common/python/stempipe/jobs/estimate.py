"""How far a job is, and how long it will take yet: in the queue, and in a worker's hands."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean

from stempipe.jobs.config import STEMS, JobConfig
from stempipe.jobs.record import Stage

Plan = Mapping[Stage, float]
"""The stages in their order, and the share of the time that each is expected to take, 1 in all."""

# Guesses, and good for no more than the beginning: a stage that is under way is measured. What is uploaded
# is large for WAV, smaller for FLAC, and next to nothing for MP3, whose encoding takes long.
_UPLOADING = {"wav": 0.10, "flac": 0.07, "mp3": 0.02}
_DOWNLOADING = 0.03
# Of each track, the mix included, next to what separating and storing a stem takes; with notes and without.
_ANALYSING = {True: 1.7, False: 1.0}
# The share of a stage that its pace is measured over: encoding, which ends the separation, is not as fast as
# what comes before it.
_LATELY = 0.3


def plan_of(config: JobConfig, *, separates: bool = True) -> Plan:
    """What to expect of a job with this configuration, whether its stems are yet to be made or are there."""
    if not separates:
        return {Stage.DOWNLOADING: _DOWNLOADING, Stage.ANALYSING: 1 - _DOWNLOADING}
    uploading = _UPLOADING[config.quality.output_format]
    plan = {
        Stage.DOWNLOADING: _DOWNLOADING,
        Stage.SEPARATING: 1 - _DOWNLOADING - uploading,
        Stage.UPLOADING: uploading,
    }
    if config.analysis is None:
        return plan
    tracks, stems = 1 + len(config.kept), len(STEMS[config.model_variant])
    analysing = _ANALYSING[config.analysis.notes] * tracks / stems
    plan[Stage.ANALYSING] = analysing
    return {stage: share / (1 + analysing) for stage, share in plan.items()}


def seconds_in_queue(waiting: int, workers: int, recent: Sequence[float]) -> float:
    """Seconds until a queued job is done, if all that wait come before it.

    A queue does not say where in it a message is, so this is the most that it takes.

    Parameters
    ----------
    waiting
        Jobs in the queue.
    workers
        How many are worked on at the same time.
    recent
        Seconds that jobs took lately, each from its start to its end; at least one.
    """
    return fmean(recent) * (waiting / workers + 1)


class Estimate:
    """Follows one job through its stages.

    The stage under way is measured by its latest reports: neither the model's loading nor anything else that
    comes once is taken for the pace of the rest. A stage that is to come is expected to
    take what the plan says, next to what separating took, or analysing where nothing is separated. Progress
    is the share of the time gone by in all the time that this makes, so that the two never contradict each
    other; it never goes back.

    All times are in seconds, on any one clock.

    Parameters
    ----------
    plan
        What to expect.
    started
        When the work began.
    """

    def __init__(self, plan: Plan, started: float) -> None:
        self._plan = plan
        self._started = started
        self._stage = next(iter(plan))
        self._stage_began = started
        self._share = 0.0
        # Reports of the stage that its pace is measured from, the latest last: (share, time).
        self._reports: deque[tuple[float, float]] = deque()
        self._main = Stage.SEPARATING if Stage.SEPARATING in plan else Stage.ANALYSING
        self._main_seconds: float | None = None
        self._progress = 0.0

    @property
    def stage(self) -> Stage:
        """The stage under way."""
        return self._stage

    def report(self, stage: Stage, share: float, now: float) -> None:
        """Take note that ``share`` of a stage, 0 to 1, is done."""
        if stage is not self._stage:
            if self._stage is self._main and self._main_seconds is None:
                self._main_seconds = now - self._stage_began  # too short a song to measure a pace in
            self._stage, self._stage_began, self._share = stage, now, 0.0
            self._reports.clear()
        self._share = max(self._share, min(max(share, 0.0), 1.0))
        if self._share == 0.0 and stage is self._main:
            return  # the model is yet to be loaded
        self._reports.append((self._share, now))
        # At least two are left to measure from.
        while len(self._reports) > 2 and self._reports[1][0] < self._share - _LATELY:
            self._reports.popleft()
        if stage is self._main and (pace := self._pace()) is not None:
            self._main_seconds = pace

    def seconds_left(self, now: float) -> float | None:
        """Seconds until the job is done; None while nothing was measured to tell it from."""
        if self._main_seconds is None:
            return None
        per_share = self._main_seconds / self._plan[self._main]
        stages = list(self._plan)
        to_come = stages[stages.index(self._stage) + 1 :]
        return self._stage_left(now, per_share) + sum(self._plan[stage] * per_share for stage in to_come)

    def progress(self, now: float) -> float:
        """Percent done, 0 to 100; never less than before."""
        left = self.seconds_left(now)
        if left is None:
            stages = list(self._plan)
            before = sum(self._plan[stage] for stage in stages[: stages.index(self._stage)])
            share = before + self._plan[self._stage] * self._share
        else:
            elapsed = now - self._started
            share = elapsed / (elapsed + left) if elapsed + left > 0 else 1.0
        self._progress = max(self._progress, 100 * share)
        return self._progress

    def _stage_left(self, now: float, per_share: float) -> float:
        pace = self._pace()
        if pace is None:
            return max(0.0, self._plan[self._stage] * per_share - (now - self._stage_began))
        share, at = self._reports[-1]
        return max(0.0, pace * (1 - share) - (now - at))

    def _pace(self) -> float | None:
        """Seconds that the whole stage would take at the pace of late."""
        if not self._reports or self._reports[-1][0] <= self._reports[0][0]:
            return None
        (share, at), (latest_share, latest_at) = self._reports[0], self._reports[-1]
        return (latest_at - at) / (latest_share - share)
