"""The suite's own judgement: each thing that must not be in a job's history is seen there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stempipe.jobs.record import Status
from tests.faults.history import GONE, Version, violations

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = 101, 102  # workers' processes


def version(status: Status, attempt: int, progress: int = 0, *, at: float = 0, **more: object) -> Version:
    """A record, written ``at`` seconds, with a lease of 3 s while it is worked on."""
    updated = NOW + timedelta(seconds=at)
    lease = updated.timestamp() + 3 if status is Status.PROCESSING else None
    return replace(Version(status, attempt, progress, lease, updated), **more)  # type: ignore[arg-type]


WAITS = version(Status.AWAITING_UPLOAD, 0)
QUEUED = version(Status.QUEUED, 0)
CLAIMED = version(Status.PROCESSING, 1, at=1, writer=FIRST)
HALF = version(Status.PROCESSING, 1, 50, at=2, writer=FIRST)
LAPSED = version(Status.QUEUED, 1, at=6)
TAKEN = version(Status.PROCESSING, 2, at=7, writer=SECOND)
DONE = version(Status.COMPLETED, 2, 100, at=8, writer=SECOND, stem_keys={"vocals": "a/01K/2/vocals.wav"})


def test_a_job_whose_first_worker_was_lost_has_nothing_against_it() -> None:
    assert violations([WAITS, QUEUED, CLAIMED, HALF, LAPSED, TAKEN, DONE]) == []
    overdue = replace(TAKEN, updated_at=NOW + timedelta(seconds=5.5))
    assert violations([QUEUED, CLAIMED, HALF, overdue, DONE]) == []


def test_the_last_write_of_a_worker_that_died_is_its_own() -> None:
    assert violations([QUEUED, CLAIMED, replace(HALF, writer=GONE), LAPSED, TAKEN, DONE]) == []


def test_a_job_whose_last_worker_was_lost_is_given_up_by_the_next_but_not_before_its_lease_ends() -> None:
    lost = version(Status.FAILED, 1, at=6, writer=SECOND, error_code="worker_lost")
    assert violations([QUEUED, CLAIMED, HALF, lost]) == []
    (found,) = violations([QUEUED, CLAIMED, HALF, replace(lost, updated_at=NOW)])
    assert "taken from a worker whose lease held" in found


@pytest.mark.parametrize(
    ("history", "what"),
    [
        ([QUEUED, replace(DONE, writer=None)], "no arrow"),
        ([QUEUED, CLAIMED, HALF, LAPSED, TAKEN, DONE, replace(HALF, attempt=2)], "a final job"),
        ([QUEUED, CLAIMED, HALF, LAPSED, TAKEN, DONE, DONE], "a final job"),
        ([QUEUED, replace(CLAIMED, attempt=2)], "not a claim"),
        ([QUEUED, CLAIMED, replace(HALF, attempt=2), DONE], "taken from a worker whose lease held"),
        ([QUEUED, CLAIMED, HALF, replace(LAPSED, updated_at=NOW)], "taken from a worker whose lease held"),
        ([QUEUED, CLAIMED, HALF, LAPSED, TAKEN, replace(DONE, writer=FIRST)], "written by process 101"),
        ([QUEUED, CLAIMED, HALF, replace(HALF, progress=49)], "progress fell from 50 to 49"),
        ([QUEUED, replace(CLAIMED, stem_keys={"vocals": "k"})], "stems of a job that is processing"),
        ([QUEUED, version(Status.FAILED, 0)], "error code None"),
    ],
)
def test_what_must_not_be_is_seen(history: list[Version], what: str) -> None:
    assert any(what in text for text in violations(history))
