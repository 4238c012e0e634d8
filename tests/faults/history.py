"""What became of each job, version by version, and what must hold of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from stempipe.errors import WorkerLost
from stempipe.jobs.record import TRANSITIONS, Status

GONE = 0
Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Version:
    """A job's record as one write left it.

    Attributes
    ----------
    writer
        The process that wrote, if it was a worker; `GONE` if it had died by then.
    """

    status: Status
    attempt: int
    progress: int
    due_at: float | None
    updated_at: datetime
    stage: str | None = None
    error_code: str | None = None
    etag: str | None = None
    stem_keys: Mapping[str, str] | None = None
    writer: int | None = None

    @classmethod
    def read(cls, item: Item, writer: int | None) -> Version:
        """From DynamoDB's form of a record."""

        def value(name: str) -> Any:
            return next(iter(item[name].values())) if name in item and "NULL" not in item[name] else None

        stem_keys = value("stemKeys")
        return cls(
            status=Status(value("status")),
            attempt=int(value("attempt")),
            progress=int(value("progress")),
            due_at=float(value("dueAt")) if value("dueAt") else None,
            updated_at=datetime.strptime(value("updatedAt"), "%Y-%m-%dT%H:%M:%S.%f%z"),
            stage=value("stage"),
            error_code=value("errorCode"),
            etag=value("etag"),
            stem_keys=json.loads(stem_keys) if stem_keys else None,
            writer=writer,
        )


def violations(versions: Sequence[Version]) -> list[str]:
    """What must not be in a job's history, and is."""
    found = []
    holder: int | None = None
    for before, after in pairwise(versions):
        change = f"{before.status} (attempt {before.attempt}) -> {after.status} (attempt {after.attempt})"
        if before.status.is_final and after.status not in TRANSITIONS[before.status]:
            found.append(f"a final job was written: {change}")
        elif after.status is not before.status and after.status not in TRANSITIONS[before.status]:
            found.append(f"no arrow of the design: {change}")
        is_claim = after.attempt != before.attempt
        # Whoever comes after the last attempt's worker says so in the job.
        gives_up = after.error_code == WorkerLost.code
        if is_claim:
            if after.status is not Status.PROCESSING or after.attempt != before.attempt + 1:
                found.append(f"not a claim, yet another attempt: {change}")
            holder = after.writer
        elif after.writer and holder and after.writer != holder and not gives_up:
            found.append(f"written by process {after.writer} while {holder} had the claim: {change}")
        if (
            (is_claim or after.writer is None or gives_up)
            and before.status is Status.PROCESSING
            and (before.due_at or 0) > after.updated_at.timestamp()
        ):
            found.append(f"taken from a worker whose lease held: {change}")
        if (
            not is_claim
            and before.status is Status.PROCESSING
            and after.status in (Status.PROCESSING, Status.COMPLETED)
            and after.progress < before.progress
        ):
            found.append(f"progress fell from {before.progress} to {after.progress}: {change}")
    for version in versions:
        if (version.stem_keys is not None) != (version.status is Status.COMPLETED):
            found.append(f"stems of a job that is {version.status}")
        if (version.error_code is not None) != (version.status is Status.FAILED):
            found.append(f"error code {version.error_code} of a job that is {version.status}")
    return found
