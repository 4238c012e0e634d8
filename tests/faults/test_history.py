"""The suite's own judgement: each thing that must not be in a job's history is seen there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stempipe.jobs.record import Status
from tests.faults.history import GONE, Version, violations

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAKING = 1000
FIRST, SECOND = 101, 102  # workers' processes


def version(status: Status, attempt: int, progress: int = 0, *, at: float = 0, **more: object) -> Version:
    """A record, written ``at`` seconds, with a lease of 3 s while it is worked on."""
    updated = NOW + timedelta(seconds=at)
    lease = updated.timestamp() + 3 if status is Status.PROCESSING else None
    made = Version(status, MAKING, MAKING, MAKING + attempt, MAKING + 3, progress, lease, updated)
    return replace(made, **more)  # type: ignore[arg-type]


WAITS = version(Status.AWAITING_UPLOAD, 0)
QUEUED = version(Status.QUEUED, 0)
CLAIMED = version(Status.PROCESSING, 1, at=1, writer=FIRST)
HALF = version(Status.PROCESSING, 1, 50, at=2, writer=FIRST)
LAPSED = version(Status.QUEUED, 1, at=6)
TAKEN = version(Status.PROCESSING, 2, at=7, writer=SECOND)
DONE = version(
    Status.COMPLETED, 2, 100, at=8, writer=SECOND, stem_keys={"vocals": f"a/01K/{MAKING + 2}/vocals.wav"}
)
# Listened to, killed amid that, and gone on with.
STEMS = {"vocals": f"a/01K/{MAKING + 1}/vocals.wav"}
AGAIN = {"vocals": f"a/01K/{MAKING + 2}/vocals.wav"}
PLAYER = {"vocals.peaks.dat": f"a/01K/{MAKING + 1}/vocals.peaks.dat"}
ANALYSING = replace(HALF, stage="analysing", listens=True, stem_keys=STEMS, player_keys=PLAYER)
GOES_ON = replace(TAKEN, stage="downloading", listens=True, stem_keys=STEMS, player_keys=PLAYER)
FOUND = {"analysis.json": f"a/01K/{MAKING + 2}/analysis.json"}
HEARD = replace(DONE, listens=True, stem_keys=STEMS, player_keys=PLAYER, analysis_keys=FOUND)
# Cancelled amid the work, forgotten, and made again under its id.
CANCELLED = version(Status.CANCELLED, 1, 50, at=3, is_deleting=True)
FORGOTTEN = replace(CANCELLED, is_forgotten=True)
FIRST_LIFE = [WAITS, QUEUED, CLAIMED, HALF, CANCELLED, FORGOTTEN]


def again(life: Version, making: int = MAKING + 500) -> Version:
    """The same version of a later life."""
    moved = {
        name: getattr(life, name) - MAKING + making
        for name in ("making", "number", "attempt", "last_attempt")
    }
    return replace(life, **moved)


LATER = [replace(again(WAITS), begins=True), again(QUEUED), again(CLAIMED)]


def test_a_job_whose_first_worker_was_lost_has_nothing_against_it() -> None:
    assert violations([WAITS, QUEUED, CLAIMED, HALF, LAPSED, TAKEN, DONE]) == []
    overdue = replace(TAKEN, updated_at=NOW + timedelta(seconds=5.5))
    assert violations([QUEUED, CLAIMED, HALF, overdue, DONE]) == []


def test_a_job_that_is_gone_on_with_from_its_stems_has_nothing_against_it() -> None:
    lapsed = replace(LAPSED, stem_keys=STEMS, player_keys=PLAYER)
    listening = replace(GOES_ON, stage="analysing")
    alone = replace(HEARD, analysis_keys=None, analysis_error_code="internal_error")
    for end in (HEARD, alone, replace(listening, status=Status.CANCELLED, stage=None)):
        begin = [QUEUED, CLAIMED, HALF, ANALYSING, lapsed]
        assert (
            violations([replace(version, listens=True) for version in [*begin, GOES_ON, listening, end]])
            == []
        )


def test_an_analysis_that_is_tried_again_has_nothing_against_it() -> None:
    alone = replace(HEARD, listens=True, analysis_keys=None, analysis_error_code="internal_error")
    queued = replace(LAPSED, listens=True, stem_keys=STEMS, player_keys=PLAYER)
    begin = [replace(version, listens=True) for version in (QUEUED, CLAIMED, HALF, ANALYSING)]
    lost = [queued, replace(GOES_ON, listens=True), alone]
    once_more = replace(queued, attempt=alone.attempt, number=alone.number + 1)
    assert violations([*begin, *lost, once_more]) == []
    done = replace(alone, analysis_keys=HEARD.analysis_keys, analysis_error_code=None)
    found = violations([*begin, *lost[:-1], done, replace(once_more, analysis_keys=done.analysis_keys)])
    assert any("a final job was written" in violation for violation in found)


def test_a_job_of_stems_whose_stems_have_come_has_nothing_against_it() -> None:
    none, one, all_ = {"a": None, "b": None}, {"a": None, "b": "etag"}, {"a": "etag", "b": "etag"}
    begin = [replace(WAITS, parts=none), replace(WAITS, parts=one), replace(WAITS, parts=all_)]
    assert violations([*begin, replace(QUEUED, parts=all_)]) == []


def test_the_last_write_of_a_worker_that_died_is_its_own() -> None:
    assert violations([QUEUED, CLAIMED, replace(HALF, writer=GONE), LAPSED, TAKEN, DONE]) == []


def test_a_job_whose_last_worker_was_lost_is_given_up_by_the_next_but_not_before_its_lease_ends() -> None:
    lost = version(Status.FAILED, 1, at=6, writer=SECOND, error_code="worker_lost")
    assert violations([QUEUED, CLAIMED, HALF, lost]) == []
    (found,) = violations([QUEUED, CLAIMED, HALF, replace(lost, updated_at=NOW)])
    assert "taken from a worker whose lease held" in found


def test_a_job_that_was_deleted_and_made_again_has_nothing_against_it() -> None:
    assert violations([*FIRST_LIFE, *LATER]) == []
    # The second request to delete it marks once more what is marked already.
    assert violations([*FIRST_LIFE[:-1], CANCELLED, FORGOTTEN, *LATER]) == []
    # Or a cancelled song was put into the inbox again: it takes the place of the record.
    assert violations([*FIRST_LIFE[:-1], *LATER]) == []


@pytest.mark.parametrize(
    ("history", "what"),
    [
        ([QUEUED, replace(DONE, writer=None)], "no arrow"),
        ([QUEUED, CLAIMED, HALF, LAPSED, TAKEN, DONE, replace(HALF, attempt=MAKING + 2)], "a final job"),
        ([QUEUED, CLAIMED, HALF, LAPSED, TAKEN, DONE, DONE], "a final job"),
        ([QUEUED, replace(CLAIMED, attempt=MAKING + 2)], "not a claim"),
        ([QUEUED, CLAIMED, replace(HALF, attempt=MAKING + 2), DONE], "taken from a worker whose lease held"),
        ([QUEUED, CLAIMED, HALF, replace(LAPSED, updated_at=NOW)], "taken from a worker whose lease held"),
        ([QUEUED, CLAIMED, HALF, LAPSED, TAKEN, replace(DONE, writer=FIRST)], "written by process 101"),
        ([QUEUED, CLAIMED, HALF, LAPSED, HALF], "written by process 101 while nobody had a claim"),
        ([QUEUED, CLAIMED, HALF, replace(HALF, progress=49)], "progress fell from 50 to 49"),
        ([QUEUED, replace(CLAIMED, stem_keys=STEMS)], "stems of a job that is processing"),
        ([QUEUED, CLAIMED, replace(ANALYSING, stem_keys=None)], "no stems of a job that is analysing"),
        ([QUEUED, CLAIMED, ANALYSING, replace(TAKEN, listens=True)], "stem_keys were lost"),
        ([ANALYSING, GOES_ON, replace(HEARD, stem_keys=AGAIN)], "stem_keys were lost"),
        ([ANALYSING, GOES_ON, replace(HEARD, player_keys=None)], "player_keys were lost"),
        ([CLAIMED, replace(ANALYSING, stem_keys=AGAIN)], "of attempt 1001"),
        ([GOES_ON, replace(HEARD, analysis_keys={"a": f"a/01K/{MAKING + 1}/a"})], "of attempt 1002"),
        ([GOES_ON, replace(HEARD, analysis_keys=None)], "analysis of a job that is completed"),
        ([GOES_ON, replace(HEARD, analysis_error_code="worker_lost")], "analysis of a job that is completed"),
        (
            [ANALYSING, replace(GOES_ON, status=Status.FAILED, stage=None, error_code="worker_lost")],
            "stems of a job that is failed",
        ),
        ([WAITS, replace(QUEUED, parts={"a": "etag", "b": None})], "1 of its stems never came"),
        ([QUEUED, version(Status.FAILED, 0)], "error code None"),
        ([QUEUED, CLAIMED, replace(HALF, number=MAKING + 2)], "version 1000"),
        ([*FIRST_LIFE, replace(WAITS, begins=True)], "made again with numbers of before"),
        ([*FIRST_LIFE, replace(again(WAITS, MAKING + 1), begins=True)], "made again with numbers of before"),
        ([*FIRST_LIFE[:4], *LATER], "made again while it was processing"),
        ([*FIRST_LIFE[:4], replace(HALF, is_forgotten=True)], "forgotten while it was processing"),
        ([*FIRST_LIFE, QUEUED], "written after it was forgotten"),
        ([*FIRST_LIFE[:5], QUEUED], "went on while its files were being deleted"),
        (
            [*FIRST_LIFE, *LATER[:2], replace(LATER[1], status=Status.FAILED, writer=FIRST)],
            "101 while nobody",
        ),
        ([*FIRST_LIFE, *LATER, replace(again(HALF), writer=SECOND)], "written by process 102 while 101"),
        ([TAKEN, replace(DONE, stem_keys=STEMS)], "of attempt 1002"),
        ([TAKEN, replace(DONE, output_format="flac")], "for flac"),
    ],
)
def test_what_must_not_be_is_seen(history: list[Version], what: str) -> None:
    assert any(what in text for text in violations(history))
