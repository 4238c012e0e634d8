"""What became of the songs that were sent, and which promises that breaks.

Times are seconds since the epoch, of one clock: everything runs on one machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from random import Random

from benchmarks.scale.tables import Waits

TOLD_SECONDS = 2.0
"""Within which 95 of 100 changes are told."""
MIN_SHARE = 0.95
"""Of the rate that was asked for: if fewer are done in the time, songs pile up. The last song's own time is
in it, so that only a run of minutes tells."""


def schedule(rate: float, seconds: float, seed: int) -> list[float]:
    """When songs are to be sent, in seconds from the start: independently of each other, and of all answers.

    There are ``rate * seconds`` of them, one at least, at random moments: those of a Poisson process of that
    many.
    """
    chance = Random(seed)  # noqa: S311 - chance, not a secret
    return sorted(chance.uniform(0, seconds) for _ in range(max(1, round(rate * seconds))))


class Change(StrEnum):
    """Changes of a job of which its own JSON says when they were."""

    MADE = "createdAt"
    BEGUN = "startedAt"
    DONE = "completedAt"


@dataclass
class Sent:
    """A song.

    Attributes
    ----------
    name
        No other has it.
    intended
        When it was to be sent. Every latency is counted from then: a generator, or a service, that falls
        behind and asks later would otherwise look the faster for it (coordinated omission).
    accepted
        When the service had it; None if it was refused.
    """

    name: str
    owner: str
    intended: float
    accepted: float | None = None


@dataclass(frozen=True)
class Made:
    """A job as it is in the end: what it was made of, and the state, tries and times that its record has.

    ``results`` are the attempts that left stems.
    """

    id: str
    name: str
    status: str
    attempts: int
    times: Mapping[Change, float]
    results: int


@dataclass
class Heard:
    """What clients have been told.

    Attributes
    ----------
    changes
        By job, when each change was first told.
    ends
        By job, the versions in which it was told to be completed.
    done
        The names of songs that are done.
    cut
        Why connections ended that should have stayed.
    """

    changes: dict[str, dict[Change, float]] = field(default_factory=dict)
    ends: dict[str, set[int]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    cut: list[Exception] = field(default_factory=list)

    def hear(self, job_id: str, name: str, version: int, changes: Sequence[Change], at: float) -> None:
        """A message shows a job, and with it the changes that it has gone through."""
        told = self.changes.setdefault(job_id, {})
        for change in changes:
            told.setdefault(change, at)
        if Change.DONE in changes:
            self.ends.setdefault(job_id, set()).add(version)
            self.done.add(name)


@dataclass(frozen=True)
class Outcome:
    """Of a run.

    Attributes
    ----------
    asked
        Songs a second that were to be sent.
    lost
        Songs without a job that completed: refused, failed, or not done in time.
    doubled
        Jobs, results and ends too many.
    attempts
        Of a job, on average.
    accepted, begun, done
        Seconds from a song's intended start: until the service had it, a worker had begun, and it was told
        that the song is done.
    told
        Seconds from a change of a record to its arrival at the client; infinite if it never did.
    rate
        Songs done a second, from the first intended start to the last end.
    """

    asked: float
    jobs: int
    lost: list[str]
    doubled: list[str]
    attempts: float
    accepted: Waits
    begun: Waits
    done: Waits
    told: Waits
    rate: float

    @property
    def broken(self) -> list[str]:
        """The promises that were broken, each in a few words."""
        found = {
            f"{len(self.lost)} lost: {', '.join(self.lost[:5])}": bool(self.lost),
            f"{len(self.doubled)} doubled: {', '.join(self.doubled[:5])}": bool(self.doubled),
            f"{self.attempts:.2f} attempts a job": self.attempts != 1,
            f"a change is told after {self.told.p95:.2f} s (p95)": not self.told.p95 <= TOLD_SECONDS,
        }
        return [said for said, is_so in found.items() if is_so]

    @property
    def piles_up(self) -> list[str]:
        """The promise that the rate is kept, if it was broken."""
        is_kept = self.rate >= MIN_SHARE * self.asked
        return [] if is_kept else [f"{self.rate:.2f} songs a second are done of {self.asked:.2f}"]


def outcome(asked: float, sent: Sequence[Sent], made: Sequence[Made], heard: Heard) -> Outcome:
    """Put together what was sent, what the table has, and what was told."""
    jobs_of = Counter(job.name for job in made)
    completed = {job.name: job for job in made if job.status == "completed"}
    lost = [song.name for song in sent if song.name not in completed]
    doubled = [name for name, jobs in jobs_of.items() if jobs > 1]
    doubled += [job.name for job in made if job.results > 1]
    doubled += [job.name for job in made if len(heard.ends.get(job.id, ())) > 1]
    done = [
        heard.changes.get(completed[song.name].id, {}).get(Change.DONE, inf) - song.intended
        for song in sent
        if song.name in completed
    ]
    told = [
        heard.changes.get(job.id, {}).get(change, inf) - at
        for job in made
        for change, at in job.times.items()
    ]
    ends = [job.times[Change.DONE] for job in completed.values()]
    span = max(ends, default=inf) - min((song.intended for song in sent), default=0)
    return Outcome(
        asked,
        len(sent),
        lost,
        doubled,
        sum(job.attempts for job in made) / len(made) if made else 0.0,
        _percentiles([(song.accepted or inf) - song.intended for song in sent]),
        _percentiles(
            [
                completed[song.name].times[Change.BEGUN] - song.intended
                for song in sent
                if song.name in completed
            ]
        ),
        _percentiles(done),
        _percentiles(told),
        len(completed) / span,
    )


def _percentiles(seconds: Sequence[float]) -> Waits:
    return Waits.ranked(sorted(seconds)) if seconds else Waits(inf, inf, inf)
