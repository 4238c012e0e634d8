"""An owner's jobs in the order in which they were made."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stempipe.errors import InvalidRequest
from stempipe.jobs.record import Job, Status

# Records read at a time where only some of them are wanted.
_FILTERED_PAGE = 200


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
    """Reads from the index ``newest``, which lags behind the table a little.

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

        A page is shorter than its limit only where there are no more.

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
        # TTL deletes late: what is past its time still reads back.
        wanted = Job.expires_at > self._now()
        if statuses:
            wanted &= Job.status.is_in(*(status.value for status in statuses))
        results = self._model.newest.query(
            owner,
            between,
            wanted,
            scan_index_forward=False,
            limit=limit,
            page_size=max(limit, _FILTERED_PAGE) if statuses else limit,
            last_evaluated_key=start,
        )
        jobs = list(results)
        end = results.last_evaluated_key
        return Page(jobs, _write_cursor(end) if end else None)

    def present(self, owner: str, limit: int) -> list[Job]:
        """An owner's newest jobs, each as it is at this moment, the newest last."""
        found = [(owner, job.id) for job in self.newest(owner, limit).jobs]
        # The index lags behind the table.
        jobs = {job.id: job for job in self._model.batch_get(found, consistent_read=True)}
        return [jobs[job_id] for _, job_id in reversed(found) if job_id in jobs]

    def recent_seconds(self, owner: str, limit: int = 100) -> list[float]:
        """How long those of an owner's ``limit`` newest jobs took that were completed, from their start."""
        return [
            (job.completed_at - job.started_at).total_seconds()
            for job in self.newest(owner, limit).jobs
            if job.state is Status.COMPLETED and job.attempts == 1 and job.completed_at and job.started_at
        ]


def _as_written(time: datetime) -> str:
    text: str = Job.created_at.serialize(time)  # type: ignore[no-untyped-call]
    return text


def _write_cursor(last: Mapping[str, Any]) -> str:
    position = [last["createdAt"]["S"], last["id"]["S"]]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_cursor(owner: str, cursor: str) -> dict[str, Any]:
    # The owner is not part of the cursor: nobody pages into another's jobs.
    try:
        created_at, job_id = json.loads(base64.urlsafe_b64decode(cursor))
        if not (isinstance(created_at, str) and isinstance(job_id, str)):
            raise ValueError("not two strings")
    except (ValueError, TypeError, binascii.Error) as fault:
        raise InvalidRequest("cursor: not one that this API gave") from fault
    return {"owner": {"S": owner}, "id": {"S": job_id}, "createdAt": {"S": created_at}}
