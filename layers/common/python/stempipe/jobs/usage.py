"""What an owner has taken, and what each may take: jobs that are open, minutes of sound, bytes that are kept.

It is counted in a table of its own, in one record for all jobs of an owner that were made on the same day,
by the transactions that write these jobs. Such a record and its jobs go together, after their time: nothing
is left of jobs that expire, and nobody need look after that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any

from pynamodb.attributes import Attribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from stempipe.errors import QuotaExceeded
from stempipe.jobs.record import Job, Status

_DAY = timedelta(days=1)
# In place of a day: the record of an owner with limits of its own.
LIMITS = "limits"
# Of the songs that people have, few are encoded with less: 128 kbit/s.
_BYTES_A_SECOND = 16_000
# Seconds until it may be worth asking again for a job, where that depends on others' ends.
_AGAIN_SECONDS = 60
# Other days that a transaction looks at; with the job's record and its day's it may have a hundred.
_DAYS = 90


class Usage(Model):
    """What an owner's jobs of one day count for; or, in place of the day, the owner's own limits."""

    owner = UnicodeAttribute(hash_key=True)
    day = UnicodeAttribute(range_key=True)

    # Jobs that have not ended, and of these the ones that were let in to the workers.
    open = NumberAttribute(null=True)
    let_in = NumberAttribute(attr_name="letIn", null=True)
    # Of sound, each time that it is worked on: at first what is reserved, then what it was.
    seconds = NumberAttribute(null=True)
    bytes = NumberAttribute(null=True)
    expires_at = TTLAttribute(attr_name="expiresAt", null=True)

    # Limits; what is not given is everybody's.
    max_open_jobs = NumberAttribute(attr_name="maxOpenJobs", null=True)
    max_minutes_a_day = NumberAttribute(attr_name="maxMinutesADay", null=True)
    max_bytes_kept = NumberAttribute(attr_name="maxBytesKept", null=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one owner may take."""

    open_jobs: int = 1000
    minutes_a_day: int = 10_000
    bytes_kept: int = 200_000_000_000


@dataclass(frozen=True, slots=True)
class Delta:
    """What a change of a job changes in its owner's account."""

    open: int = 0
    let_in: int = 0
    seconds: float = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written into an account together with a job, if the condition holds."""

    usage: Usage
    actions: Sequence[Action]
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An owner's account as it is: what is taken, and what may be.

    Attributes
    ----------
    days
        By day; those whose time is over are left out.
    """

    limits: Limits
    days: Mapping[str, Usage]

    def total(self, attribute: str, *, but: str | None = None) -> int:
        """Of all days, or of all but one."""
        return sum(int(getattr(usage, attribute) or 0) for day, usage in self.days.items() if day != but)

    def of(self, day: str, attribute: str) -> float:
        """Of one day."""
        usage = self.days.get(day)
        return float(getattr(usage, attribute) or 0) if usage else 0.0


def day_of(time: datetime) -> str:
    """The day in UTC, as accounts have it."""
    return time.astimezone(UTC).date().isoformat()


def midnight_after(now: datetime) -> datetime:
    """When the next day begins in UTC."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY


def until_midnight(now: datetime) -> int:
    """Seconds until then."""
    return math.ceil((midnight_after(now) - now).total_seconds())


def ending(job: Job, to: Status, *, seconds: float | None, stored: int) -> Delta:
    """What an open job's end changes.

    A job counts for its length once a worker has begun it, however it ends: the work was done. Of one whose
    length nobody ever knew, what was reserved is counted.

    Parameters
    ----------
    job
        As it was read; open.
    seconds, stored
        The length, if it is known, and bytes of results.
    """
    reserved = float(job.reserved_seconds or 0)
    taken = (reserved if seconds is None else seconds) if job.was_begun else 0.0
    uploads = sum(part.bytes for part in job.uploads if part.etag)
    kept = 0 if to is Status.CANCELLED else uploads + stored
    return Delta(
        open=-1,
        let_in=-1 if _is_let_in(job) else 0,
        seconds=round(taken - reserved, 3),
        bytes=kept - job.bytes_kept,
    )


def _is_let_in(job: Job) -> bool:
    return job.state in (Status.QUEUED, Status.PROCESSING) and job.in_line_since is None


class Accounts:
    """Owners' accounts.

    Parameters
    ----------
    table
        Name of the DynamoDB table.
    limits
        What each owner may take that has no limits of its own.
    max_song_seconds
        No song is longer.
    retention
        How long a job is kept.
    now
        The clock.
    """

    def __init__(
        self,
        table: str,
        limits: Limits,
        max_song_seconds: int,
        retention: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        class BoundUsage(Usage):
            class Meta:
                table_name = table
                connect_timeout_seconds = 2
                read_timeout_seconds = 4
                max_retry_attempts = 3

        self._model = BoundUsage
        self._limits = limits
        self._max_song_seconds = max_song_seconds
        self._retention = retention
        self._now = now

    def standing(self, owner: str) -> Standing:
        """An owner's account as it is."""
        limits, days = self._limits, {}
        for usage in self._model.query(owner, consistent_read=True):
            if usage.day == LIMITS:
                limits = Limits(
                    _or(usage.max_open_jobs, limits.open_jobs),
                    _or(usage.max_minutes_a_day, limits.minutes_a_day),
                    _or(usage.max_bytes_kept, limits.bytes_kept),
                )
            elif usage.expires_at > self._now():
                days[usage.day] = usage
        return Standing(limits, days)

    def reserve(self, size: float) -> int:
        """Seconds to count for uploads of so many bytes until their length is known."""
        return min(self._max_song_seconds, math.ceil(size / _BYTES_A_SECOND))

    def entry(self, job: Job, delta: Delta, condition: Condition | None = None) -> Entry:
        """Change the account by what a job of it counts for."""
        day = day_of(job.created_at)
        actions = [
            attribute.add(amount)
            for attribute, amount in (
                (Usage.open, delta.open),
                (Usage.let_in, delta.let_in),
                (Usage.seconds, delta.seconds),
                (Usage.bytes, delta.bytes),
            )
            if amount
        ]
        # As long as its jobs, of which the last was made just before the day's end; objects live as long.
        expires_at = datetime.fromisoformat(day).replace(tzinfo=UTC) + _DAY + self._retention
        return Entry(self._model(job.owner, day), [*actions, Usage.expires_at.set(expires_at)], condition)

    def others(self, standing: Standing, but: str, *counts: str) -> list[Entry]:
        """That no more is counted on other days than ``standing`` has: a limit of all days is kept by all.

        Jobs of other days are tried again, or let in, at the same time.
        """
        newest = sorted((day for day in standing.days if day != but), reverse=True)[:_DAYS]
        found = []
        for usage in (standing.days[day] for day in newest):
            conditions = [at_most(getattr(Usage, count), standing.of(usage.day, count)) for count in counts]
            # Written as it is, for the transaction to have a condition on it.
            same = [Usage.expires_at.set(usage.expires_at)]
            found.append(Entry(self._model(usage.owner, usage.day), same, reduce(and_, conditions)))
        return found

    def opening(self, job: Job, delta: Delta) -> list[Entry]:
        """Open a job, if its owner may have it.

        Parameters
        ----------
        job
            With its owner and when it was made.

        Raises
        ------
        QuotaExceeded
            The owner may not; the message says why.
        """
        standing, day = self.standing(job.owner), day_of(job.created_at)
        limits = standing.limits
        open_most = limits.open_jobs - delta.open - standing.total("open", but=day)
        seconds_most = limits.minutes_a_day * 60 - delta.seconds
        bytes_most = limits.bytes_kept - delta.bytes - standing.total("bytes", but=day)
        if standing.of(day, "open") > open_most:
            raise QuotaExceeded(
                f"You have {standing.total('open'):,} jobs that have not ended, and may have "
                f"{limits.open_jobs:,}. Ask again when one has, or delete those that await their upload.",
                _AGAIN_SECONDS,
            )
        if standing.of(day, "seconds") > seconds_most:
            left = max(0.0, seconds_most + delta.seconds - standing.of(day, "seconds"))
            is_of_today = day == day_of(self._now())
            advice = (
                "A new day begins at midnight UTC." if is_of_today else f"It is of {day}; make a new job."
            )
            raise QuotaExceeded(
                f"You have {math.floor(left / 60):,} left of {limits.minutes_a_day:,} minutes of sound a "
                f"day, and this may be {math.ceil(delta.seconds / 60):,}. {advice}",
                until_midnight(self._now()),
            )
        if standing.of(day, "bytes") > bytes_most:
            raise QuotaExceeded(
                f"Your uploads and results have {standing.total('bytes'):,} bytes, and may have "
                f"{limits.bytes_kept:,}. Delete jobs that you have done with, or wait until they expire.",
                until_midnight(self._now()),
            )
        is_room = (
            at_most(Usage.open, open_most)
            & at_most(Usage.seconds, seconds_most)
            & at_most(Usage.bytes, bytes_most)
        )
        entry = self.entry(job, delta, is_room)
        return [entry, *self.others(standing, day, "open", "bytes")]


def at_most(attribute: Attribute[Any], most: float) -> Condition:
    """So much has been counted, or less; of a day that has no record yet nothing has."""
    condition = attribute <= most
    return condition if most < 0 else attribute.does_not_exist() | condition


def _or(own: float | None, everybodys: int) -> int:
    return everybodys if own is None else int(own)
