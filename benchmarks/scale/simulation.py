"""The way of jobs to the workers, as a heap of events: owners' lines, the queue, what polls it, and workers.

What is simulated is what decides how long a song waits. Owners' lines let jobs in by the product's own
`stempipe.jobs.line.share`. The queue hands out messages in their order. Its event source begins with a few
concurrent invocations and adds more by the minute, up to the cap. An invocation takes the environment that
was used last, or starts one. Failures put the message off; lost workers are found by sweep.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from math import inf
from random import Random

from stempipe.jobs.line import share
from stempipe.jobs.record import MAX_ATTEMPTS

# rules.worker: seconds until a message comes back after the first attempt and after the second.
_RETRIES = (5.0, 20.0)
_SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Song:
    """A song that comes: when, whose, and how long a warm worker takes for it, in seconds."""

    at: float
    owner: int
    work: float


@dataclass(frozen=True)
class Workers:
    """What works on songs.

    Attributes
    ----------
    most
        MaxConcurrency, and with it what lines reckon with.
    factor
        How many times as long as measured a worker takes for everything.
    delivery
        Seconds from a message's being sent until its work begins, with a worker that is free and warm.
    cold
        Seconds that the first song of an environment takes longer.
    kept_warm
        Seconds after which an environment that does nothing is gone.
    at_once, a_minute
        Concurrent invocations with which the event source begins, and that it adds in a minute:
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    fails, dies
        Shares of attempts that fail and are put off, and of those whose worker dies.
    lease
        Seconds until a job whose worker died is noticed by the next sweep.
    most_open
        Jobs of one owner that may be open: more are refused.
    """

    most: int
    factor: float = 1.0
    delivery: float = 0.0
    cold: float = 0.0
    kept_warm: float = 600.0
    at_once: float = 5.0
    a_minute: float = 300.0
    fails: float = 0.0
    dies: float = 0.0
    lease: float = 30.0
    most_open: float = 1000.0


@dataclass(slots=True)
class _Job:
    song: Song
    attempts: int = 0
    began: float = inf
    ended: float = inf


@dataclass
class Outcome:
    """What became of the songs, in the order in which they came.

    Attributes
    ----------
    waits
        Seconds from a song's coming until work on it began for the first time; infinite of one refused.
    ends
        When each was done, or given up.
    refused, failed, cold
        How many songs had no room in their owner's quota, failed in the last attempt, and began cold.
    waiting
        The integral of the number of songs that wait, in song seconds.
    seconds
        From the first song's coming to the last one's end.
    """

    songs: Sequence[Song]
    waits: list[float]
    ends: list[float]
    refused: int
    failed: int
    cold: int
    waiting: float
    seconds: float


class _Others(dict[str, int]):
    """So many owners with so many jobs in all, as `share` asks for them; who has how many it does not ask."""

    def __init__(self, owners: int, jobs: int) -> None:
        super().__init__(all=jobs)
        self._owners = owners

    def __len__(self) -> int:
        return self._owners


class _Kind(IntEnum):
    ENDS = 0  # before others of the same moment: who comes then finds a worker free
    COMES = 1
    RETURNS = 2
    GROWS = 3
    SWEEP = 4


@dataclass
class Simulation:
    """One run, the same for the same seed.

    Parameters
    ----------
    workers
        Who works.
    seed
        Of failures, and of whose turn it is.
    """

    workers: Workers
    seed: int = 0

    def run(self, songs: Iterable[Song]) -> Outcome:
        """Let the songs come, and work until all of them are done."""
        self._chance = Random(self.seed)  # noqa: S311 - chance, not a secret
        jobs = [_Job(song) for song in sorted(songs, key=lambda song: song.at)]
        self._lines: dict[int, deque[_Job]] = {}
        self._let_in: defaultdict[int, int] = defaultdict(int)
        self._open: defaultdict[int, int] = defaultdict(int)
        self._queue: deque[_Job] = deque()  # messages
        self._busy = self._total = 0
        self._warm: list[float] = []  # when each idle environment was used last; the last one is taken first
        self._limit = min(self.workers.at_once, self.workers.most)
        self._grown_at = 0.0
        self._growing = self._sweeping = False
        self._refused = self._failed = self._cold = self._waiting = 0
        self._waited = self._now = 0.0
        self._events: list[tuple[float, int, int, _Job | None]] = []
        self._order = count()
        self._coming = iter(jobs)
        self._expect_next()
        while self._events:
            now, kind, _, job = heapq.heappop(self._events)
            self._waited += self._waiting * (now - self._now)
            self._now = now
            self._happen(kind, job)
        first = jobs[0].song.at if jobs else 0.0
        return Outcome(
            [job.song for job in jobs],
            [job.began - job.song.at for job in jobs],
            [job.ended for job in jobs],
            self._refused,
            self._failed,
            self._cold,
            self._waited,
            max((job.ended for job in jobs if job.ended < inf), default=first) - first,
        )

    def _at(self, when: float, kind: _Kind, job: _Job | None = None) -> None:
        heapq.heappush(self._events, (when, kind, next(self._order), job))

    def _expect_next(self) -> None:
        if job := next(self._coming, None):
            self._at(job.song.at, _Kind.COMES, job)

    def _happen(self, kind: int, job: _Job | None) -> None:
        if kind == _Kind.COMES and job:
            self._expect_next()
            self._come(job)
        elif kind == _Kind.ENDS and job:
            self._end(job)
        elif kind == _Kind.RETURNS and job:
            self._queue.append(job)
        elif kind == _Kind.GROWS:
            self._growing = False
            self._limit = min(self._limit + 1, self.workers.most)
        elif kind == _Kind.SWEEP:
            self._sweeping = False
            for owner in list(self._lines):
                self._send_next(owner)
            self._expect_sweep()
        self._work()

    # -- lines ---------------------------------------------------------------------------------

    def _come(self, job: _Job) -> None:
        owner = job.song.owner
        if self._open[owner] >= self.workers.most_open:
            self._refused += 1
            return
        self._open[owner] += 1
        self._waiting += 1
        if self._has_room(owner):
            self._send(job)
        else:
            self._lines.setdefault(owner, deque()).append(job)
            self._expect_sweep()

    def _has_room(self, owner: int) -> bool:
        there = self._let_in.get(owner, 0)
        if there == 0:
            return True
        others = _Others(len(self._let_in) - 1, self._total - there)
        return there < share(self.workers.most, others)

    def _send(self, job: _Job) -> None:
        self._let_in[job.song.owner] += 1
        self._total += 1
        self._queue.append(job)

    def _send_next(self, owner: int) -> bool:
        line, sent = self._lines.get(owner), False
        while line and self._has_room(owner):
            self._send(line.popleft())
            sent = True
        if line is not None and not line:
            del self._lines[owner]
        return sent

    def _expect_sweep(self) -> None:
        if self._lines and not self._sweeping:
            self._sweeping = True
            self._at((self._now // _SWEEP_SECONDS + 1) * _SWEEP_SECONDS, _Kind.SWEEP)

    # -- workers -------------------------------------------------------------------------------

    def _work(self) -> None:
        if not self._queue and self._busy == 0:
            self._limit = min(self.workers.at_once, self.workers.most)  # it has scaled down again
        while self._queue and self._busy < int(self._limit):
            self._begin(self._queue.popleft())
        if self._queue and self._limit < self.workers.most and not self._growing:
            self._growing = True
            self._at(self._now + 60 / self.workers.a_minute, _Kind.GROWS)

    def _begin(self, job: _Job) -> None:
        self._busy += 1
        job.attempts += 1
        seconds = self.workers.delivery + job.song.work * self.workers.factor
        begins = self._now + self.workers.delivery
        while self._warm and self._warm[0] < self._now - self.workers.kept_warm:
            self._warm.pop(0)
        if self._warm:
            self._warm.pop()
        else:
            self._cold += 1
            seconds += self.workers.cold * self.workers.factor
            begins += self.workers.cold * self.workers.factor
        if job.began == inf:
            job.began = begins
            self._waiting -= 1
        self._at(self._now + seconds, _Kind.ENDS, job)

    def _end(self, job: _Job) -> None:
        self._busy -= 1
        fate = self._chance.random() if self.workers.fails or self.workers.dies else 1.0
        is_lost = fate < self.workers.dies
        if not is_lost:
            self._warm.append(self._now)
        if is_lost or fate < self.workers.dies + self.workers.fails:
            if job.attempts < MAX_ATTEMPTS:
                wait = _RETRIES[min(job.attempts, len(_RETRIES)) - 1]
                if is_lost:
                    noticed = self._now + self.workers.lease
                    wait = (noticed // _SWEEP_SECONDS + 1) * _SWEEP_SECONDS - self._now
                self._at(self._now + wait, _Kind.RETURNS, job)
                return
            self._failed += 1
        job.ended = self._now
        owner = job.song.owner
        self._open[owner] -= 1
        self._let_in[owner] -= 1
        self._total -= 1
        if not self._let_in[owner]:
            del self._let_in[owner]
        if not self._send_next(owner) and self._lines:
            self._send_next(self._chance.choice(list(self._lines)))
