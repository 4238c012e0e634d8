"""An owner's jobs in the order in which they were made."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from stempipe.errors import InvalidRequest
from stempipe.jobs.record import Job, Status

# Records read at a time where only some of them are wanted.
_FILTERED_PAGE = 200
# Times that so many are read for one page.
_MOST_READS = 5
# Jobs that tell how long the next one will take.
_RECENT = 20
# Bytes, as the HTTP API takes them.
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Page:
    """Some of an owner's jobs, and where the next ones begin."""

    jobs: list[Job]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class MadeBetween:
    """Two times, both within."""

    first: datetime
    last: datetime


class Listing:
    """Finds jobs by the index ``newest``, which lags behind the table a little, and reads them there.

    Parameters
    ----------
    model
        The record, bound to its table.
    now
        The clock.
    """

    def __init__(self, model: type[Job], now: Callable[[], datetime]) -> None:
        self._model = model
        self._now = now

    def newest(
        self,
        owner: str,
        limit: int,
        cursor: str | None = None,
        *,
        statuses: Collection[Status] = (),
        made: MadeBetween | None = None,
    ) -> Page:
        """List an owner's jobs, newest first: those in any of ``statuses``, where some are given.

        Each is as it is at this moment.

        So many records are read and no more, however many an owner has: a page may be shorter than its limit,
        or empty, and others follow it all the same.

        Raises
        ------
        InvalidRequest
            The cursor is not one that an earlier page of the same list gave.
        """
        start = _read_cursor(owner, cursor) if cursor else None
        between = None
        if made:
            if made.first > made.last:
                return Page([], None)
            # Which DynamoDB would refuse.
            if start and not _as_written(made.first) <= start["createdAt"]["S"] <= _as_written(made.last):
                raise InvalidRequest("cursor: from another list; give the same filters with it")
            between = Job.created_at.between(made.first, made.last)
        jobs: list[Job] = []
        read = max(limit, _FILTERED_PAGE) if statuses else limit
        for _ in range(_MOST_READS):
            found, start = self._find(owner, read, statuses, between, start)
            if len(found) > limit - len(jobs):
                found = found[: limit - len(jobs)]
                start = _key_of(found[-1])
            # By now one may be in another state, or deleted: those after it take its place.
            jobs += [job for job in self._read(found) if not statuses or job.state in statuses]
            if start is None or len(jobs) == limit:
                break
        return Page(jobs, _write_cursor(start) if start else None)

    def recent_seconds(self, owner: str) -> list[float]:
        """How long an owner's latest completed jobs took, from their start. None of long ago."""
        found, _ = self._find(owner, _FILTERED_PAGE, [Status.COMPLETED])
        return [
            (job.completed_at - job.started_at).total_seconds()
            for job in found[:_RECENT]
            if job.attempts == 1 and job.completed_at and job.started_at
        ]

    def _find(
        self,
        owner: str,
        read: int,
        statuses: Collection[Status],
        between: Condition | None = None,
        start: dict[str, Any] | None = None,
    ) -> tuple[list[Job], dict[str, Any] | None]:
        """Of so many records of the index those that are wanted, with the attributes alone that it holds, and
        where the next ones begin."""
        # TTL deletes late: what is past its time still reads back.
        wanted = Job.expires_at > self._now()
        if statuses:
            wanted &= Job.status.is_in(*(status.value for status in statuses))
        pages = self._model.newest.query(
            owner, between, wanted, scan_index_forward=False, page_size=read, last_evaluated_key=start
        ).page_iter
        page = next(pages)
        return [self._model.from_raw_data(item) for item in page["Items"]], page.get("LastEvaluatedKey")

    def _read(self, found: Iterable[Job]) -> list[Job]:
        """The jobs in their order, each as it is at this moment."""
        keys = [(job.owner, job.id) for job in found]
        jobs = {job.id: job for job in self._model.batch_get(keys, consistent_read=True)}
        return [jobs[job_id] for _, job_id in keys if job_id in jobs]


def _as_written(time: datetime) -> str:
    text: str = Job.created_at.serialize(time)  # type: ignore[no-untyped-call]
    return text


def _key_of(job: Job) -> dict[str, Any]:
    return {
        "owner": {"S": job.owner},
        "id": {"S": job.id},
        "createdAt": {"S": _as_written(job.created_at)},
    }


def _write_cursor(last: Mapping[str, Any]) -> str:
    position = [last["createdAt"]["S"], last["id"]["S"]]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_cursor(owner: str, cursor: str) -> dict[str, Any]:
    # The owner is not part of the cursor: nobody pages into another's jobs.
    # DynamoDB refuses what cannot be a key, an empty one for instance.
    try:
        created_at, job_id = json.loads(base64.urlsafe_b64decode(cursor))
        if not (isinstance(created_at, str) and isinstance(job_id, str)):
            raise ValueError("not two strings")
        if not 0 < len(job_id.encode()) <= _LONGEST_ID:
            raise ValueError("not an id")
        time = Job.created_at.deserialize(created_at)  # type: ignore[no-untyped-call]
        if _as_written(time) != created_at:
            raise ValueError("not a time as it is written")
    except (ValueError, TypeError, binascii.Error) as fault:
        raise InvalidRequest("cursor: not one that this API gave") from fault
    return {"owner": {"S": owner}, "id": {"S": job_id}, "createdAt": {"S": created_at}}
