"""Each owner's line: queued jobs wait there until they are let in to the workers.

A message once sent cannot be overtaken. So of each owner only as many jobs have one as the owner's share of
the workers is, and whoever comes next finds next to nobody ahead, however many songs somebody else has sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from secrets import SystemRandom
from typing import Any

from stempipe.errors import JobNotFound
from stempipe.jobs import writes
from stempipe.jobs.record import SHARDS, Job, Status
from stempipe.jobs.refusals import NoRoom
from stempipe.jobs.table import Jobs
from stempipe.jobs.usage import Delta, Usage, at_most, day_of

# Of a line, jobs that are found at a time.
_PAGE = 20
# Of all lines, jobs among which those are found whose turn may be: so many of each of so many parts of the
# index. One owner's are in one part, and what they hide there they do not hide where there are others.
_SOME = 20
_PARTS = range(4, 8)
# Jobs that are counted before one in line. Who is farther back need not know how far.
_FAR = 1000
# Times that an account is looked at again, because somebody else wrote it meanwhile.
_LOOKS = 10


def share(workers: int, others: Mapping[str, int]) -> int:
    """How many jobs of an owner may be with the workers: what others leave, and at least as many as each.

    Of three workers and more one is left to whoever comes next, whose first job is let in at once: a song
    under way is stopped for nobody.

    Parameters
    ----------
    workers
        Jobs that are worked on at the same time.
    others
        How many jobs of each other owner are with them, or have a message.
    """
    shared = workers - 1 if workers > 2 else workers
    return max(1, shared // (len(others) + 1), shared - sum(others.values()))


class Line:
    """Lets jobs in.

    Parameters
    ----------
    jobs
        The table.
    workers
        Jobs that are worked on at the same time.
    """

    def __init__(self, jobs: Jobs, workers: int) -> None:
        self._jobs = jobs
        self._workers = workers

    def let_in(self, job: Job) -> Job:
        """Let a job in, if there is room for it in its owner's share.

        Raises
        ------
        NoRoom
            There is none.
        TransitionRefused
            It is not in line any more.
        """
        day = day_of(job.created_at)
        is_in_line = (
            (Job.status == Status.QUEUED.value) & Job.in_line_since.exists() & (Job.making == job.making)
        )
        actions = [Job.in_line_since.remove(), *self._jobs.due(job, Status.QUEUED)]
        for _ in range(_LOOKS):
            standing = self._jobs.accounts.standing(job.owner)
            there = standing.total("let_in")
            if there >= (most := self._share(job.owner, there)):
                break
            is_room = at_most(Usage.let_in, most - 1 - standing.total("let_in", but=day))
            entry = self._jobs.accounts.entry(job, Delta(let_in=1), is_room)
            entries = [entry, *self._jobs.accounts.others(standing, day, "let_in")]
            with suppress(NoRoom):  # others were let in meanwhile
                return writes.change(job, actions, is_in_line, entries)
        raise NoRoom(f"{job.owner} has {there} jobs with the workers")

    def _share(self, owner: str, there: int) -> int:
        if there == 0:
            return 1  # which everybody has: there is nothing to look up
        if there >= (alone := share(self._workers, {})):
            return alone  # nobody has more
        return share(self._workers, self._others(owner))

    def _others(self, owner: str) -> Counter[str]:
        """How many jobs of each other owner have a message, or a worker. The index lags behind a little."""
        due = self._jobs.model.due
        found = Counter(job.owner for shard in range(SHARDS) for job in due.query(shard))
        del found[owner]
        return found

    def of(self, owner: str) -> Iterator[Job]:
        """Jobs in an owner's line, the first of them first. The index holds keys alone, and lags a little."""
        # What came before this has expired, and is yet to be deleted.
        oldest = (self._jobs.now() - self._jobs.retention).timestamp()
        for key in self._jobs.model.line.query(owner, Job.in_line_since > oldest, page_size=_PAGE):
            with suppress(JobNotFound):
                yield self._jobs.get(owner, key.id)

    def before(self, job: Job) -> int | None:
        """How many of its owner's jobs stand before a job in line; None: too many to be counted."""
        count = self._jobs.model.line.count(job.owner, Job.in_line_since < job.in_line_since, limit=_FAR)
        return int(count) if count < _FAR else None

    def owners(self) -> Iterator[str]:
        """Whose jobs are in line: all of them, in any order, found one by one."""
        seen: set[str] = set()
        for key in (key for part in self._in_parts() for key in part):
            if key.owner not in seen:
                seen.add(key.owner)
                yield key.owner

    def waiting(self) -> list[str]:
        """Whose jobs are in line: some of them, whose job has stood there longest first."""
        since: dict[str, float] = {}
        for key in (key for part in self._in_parts(limit=_SOME) for key in part):
            since[key.owner] = min(key.in_line_since, since.get(key.owner, key.in_line_since))
        return sorted(since, key=lambda owner: since[owner])

    def _in_parts(self, **options: Any) -> Iterator[Iterator[Job]]:
        """The index of all lines, in parts of changing sizes and in any order."""
        chance = SystemRandom()
        parts = chance.choice(_PARTS)
        for part in chance.sample(range(parts), parts):
            yield self._jobs.model.line.scan(segment=part, total_segments=parts, **options)
