"""What an account must say follows from what was written of the jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stempipe.jobs.record import Status
from tests.faults.accounts import account
from tests.faults.history import Version
from tests.faults.test_history import CLAIMED, DONE, LAPSED, QUEUED, STEMS, WAITS

SIZES = dict.fromkeys(STEMS.values(), 70)


def song(*versions: Version) -> list[Version]:
    """A life of a job of a song of 5 bytes, which are there once it is queued, and may be a second."""
    return [
        replace(
            version,
            bytes=5,
            arrived=0 if version.status is Status.AWAITING_UPLOAD else 5,
            reserved=0 if version.status.is_final else 1,
        )
        for version in versions
    ]


FAILED = replace(LAPSED, status=Status.FAILED, error_code="internal_error")
CANCELLED = replace(CLAIMED, status=Status.CANCELLED)
COMPLETED = replace(DONE, seconds=2.5, stem_keys=STEMS)


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        ([WAITS], (1, 0, 1, 5)),
        ([WAITS, replace(QUEUED, in_line=True)], (1, 0, 1, 5)),
        ([WAITS, QUEUED], (1, 1, 1, 5)),
        ([WAITS, QUEUED, CLAIMED], (1, 1, 1, 5)),
        ([WAITS, QUEUED, CLAIMED, LAPSED], (1, 1, 1, 5)),
        ([WAITS, QUEUED, CLAIMED, FAILED], (0, 0, 1, 5)),
        ([WAITS, QUEUED, CLAIMED, COMPLETED], (0, 0, 2.5, 75)),
        ([WAITS, QUEUED, CLAIMED, COMPLETED, replace(COMPLETED, is_forgotten=True)], (0, 0, 2.5, 0)),
        ([WAITS, QUEUED, CANCELLED], (0, 0, 1, 0)),  # claimed by the time
        ([WAITS, replace(WAITS, status=Status.CANCELLED)], (0, 0, 0, 0)),
        # Tried again: what the first time took stays counted.
        ([WAITS, QUEUED, CLAIMED, FAILED, LAPSED], (1, 1, 2, 5)),
    ],
)
def test_a_job_counts_for_what_became_of_it(life: list[Version], expected: tuple[float, ...]) -> None:
    assert tuple(account([song(*life)], SIZES).values()) == expected


def test_all_jobs_of_an_owner_count() -> None:
    lives = [song(WAITS), song(WAITS, QUEUED, CLAIMED, COMPLETED)]
    assert account(lives, SIZES) == {"open": 1, "letIn": 0, "seconds": 3.5, "bytes": 80}
