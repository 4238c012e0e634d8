"""How a job moves from state to state, and its owner's account with it.

Each transition is one conditional write: the condition names the states it may come from. Where a job opens
or ends, its owner's account changes in the same write, or neither does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from stempipe.jobs import writes
from stempipe.jobs.record import Job, Status, shard_of
from stempipe.jobs.refusals import NoRoom
from stempipe.jobs.usage import Accounts, Delta, Entry, ending

# Lambda's, of the trace that an invocation belongs to.
_TRACE = "_X_AMZN_TRACE_ID"
# Times that an account is looked at again, because somebody else wrote it meanwhile.
_LOOKS = 10


class Moves:
    """Every change of state goes through these; see ``stempipe.jobs.table`` for what they are for.

    Parameters
    ----------
    model
        The record, bound to the table.
    accounts
        What owners have taken.
    patience
        Seconds in which something should happen to a job in these states. Later it is due.
    now
        The clock.
    """

    def __init__(
        self,
        model: type[Job],
        accounts: Accounts,
        patience: Mapping[Status, float],
        now: Callable[[], datetime],
    ) -> None:
        self.model = model
        self.accounts = accounts
        self._patience = patience
        self.now = now

    def move(
        self,
        job: Job,
        to: Status,
        actions: list[Action],
        condition: Condition,
        entries: Sequence[Entry] = (),
        *,
        in_line: bool = False,
    ) -> Job:
        """Change the state in one conditional write; returns what the table holds then.

        For the transitions of this package: whoever else wants a change calls it by its name.

        Parameters
        ----------
        job
            As it was read, and no later making of it. What was not read has its key alone.
        entries
            What changes in its owner's account.
        in_line
            Whether it waits for its owner's turn, and not for a worker.

        Raises
        ------
        TransitionRefused
            The condition does not hold.
        NoRoom
            That of an entry does not.
        """
        now = self.now()
        actions = [
            Job.status.set(to.value),
            Job.updated_at.set(now),
            Job.version.add(1),
            *actions,
        ]
        if job.making is not None:
            condition &= Job.making == job.making
        if in_line:
            actions += [Job.in_line_since.set(now.timestamp()), Job.queued_at.set(now.timestamp())]
            actions.append(
                Job.trace_header.set(trace) if (trace := present_trace()) else Job.trace_header.remove()
            )
        if to.is_final:
            actions += [Job.completed_at.set(now), Job.in_line_since.remove(), Job.reserved_seconds.remove()]
        if in_line or to.is_final:
            actions += [Job.due_at.remove(), Job.open_shard.remove()]
        elif to in self._patience:
            actions += self.due(job, to)
        if to is not Status.PROCESSING:
            actions += [Job.stage.remove(), Job.estimated_seconds_left.remove()]
        return writes.change(job, actions, condition, entries)

    def due(self, job: Job, state: Status) -> list[Action]:
        """That something should happen to a job in this state before long, else sweep looks after it."""
        due_at = self.now().timestamp() + self._patience[state]
        return [Job.due_at.set(due_at), Job.open_shard.set(shard_of(job.id, state))]

    def end(
        self,
        job: Job,
        to: Status,
        actions: list[Action],
        condition: Condition,
        *,
        seconds: float | None = None,
        stored: int | None = None,
    ) -> Job:
        """Any open state to a final one, and settle what the job has taken.

        Parameters
        ----------
        job
            As it was read, and is if the condition holds: that its state, its attempt and its uploads are.
        seconds, stored
            Length of the sound, and bytes of the results, where the record does not say them.

        Raises
        ------
        TransitionRefused
            The condition does not hold.
        """
        delta = ending(
            job,
            to,
            seconds=job.duration_seconds if seconds is None else seconds,
            stored=int(job.stored_bytes or 0) if stored is None else stored,
        )
        return self.move(job, to, actions, condition, [self.accounts.entry(job, delta)])

    def reopen(
        self,
        job: Job,
        to: Status,
        actions: list[Action],
        condition: Condition,
        *,
        within_limits: bool = True,
    ) -> Job:
        """``failed`` to an open state, and count it anew.

        Raises
        ------
        TransitionRefused
            The condition does not hold, or the job is not as it was read any more.
        QuotaExceeded
            The owner may have no more of what it takes.
        """
        seconds = self.accounts.reserve(job.bytes)
        actions = [*actions, Job.reserved_seconds.set(seconds)]
        # What it keeps, and is counted for, follows from how it ended.
        condition &= Job.version == job.version
        is_queued = to is Status.QUEUED

        def write(entries: Sequence[Entry]) -> Job:
            return self.move(job, to, actions, condition, entries, in_line=is_queued)

        bytes_more = int(job.bytes) - job.bytes_kept
        if not within_limits:
            return write([self.accounts.entry(job, Delta(open=1, seconds=seconds, bytes=bytes_more))])
        return self.open(job, bytes_more, write)

    def open(self, job: Job, bytes_more: int, write: Callable[[Sequence[Entry]], Job]) -> Job:
        """Count a job that opens, and write it with that.

        Raises
        ------
        QuotaExceeded
            Its owner may have no more of what it takes.
        """
        delta = Delta(open=1, seconds=self.accounts.reserve(job.bytes), bytes=bytes_more)
        for _ in range(_LOOKS - 1):
            with suppress(NoRoom):
                return write(self.accounts.opening(job, delta))
        return write(self.accounts.opening(job, delta))


def present_trace() -> str | None:
    """X-Ray's header of what this process is at, without Lambda's list of functions that came before.

    None where nothing is traced.
    """
    parts = os.environ.get(_TRACE, "").split(";")
    return ";".join(part for part in parts if part.startswith(("Root=", "Parent=", "Sampled="))) or None
