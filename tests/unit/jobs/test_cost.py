"""What a job says of its cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stempipe import prices
from stempipe.jobs.cost import Cost, cost_of
from stempipe.jobs.record import Job
from stempipe.jobs.views import job_view

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def record(**changes: Any) -> Job:
    """A song of 180 s that was made into two WAV files and is kept for a week."""
    facts: dict[str, Any] = {
        "status": "completed",
        "kind": "song",
        "provider": "s3",
        "filename": "song.wav",
        "key": "jobs/alice/01K/song.wav",
        "bytes": 31_752_044,
        "etag": "e",
        "config_json": {},
        "making": 1000,
        "version": 1010,
        "attempt": 1001,
        "last_attempt": 1003,
        "progress": 100,
        "stem_keys": {
            "vocals": "alice/01K/1001/vocals.wav",
            "accompaniment": "alice/01K/1001/accompaniment.wav",
        },
        "stored_bytes": 63_504_088,
        "gb_seconds": 9.0,
        "disk_gb_seconds": 13.5,
        "created_at": MADE,
        "updated_at": MADE,
        "expires_at": MADE + timedelta(days=7),
    }
    return Job("alice", "01K", **facts | changes)


def cost(**changes: Any) -> Cost:
    found = cost_of(record(**changes))
    assert found
    return found


def test_compute_is_memory_and_temporary_disk() -> None:
    worker = 9.0 * 0.0000166667 + 13.5 * 0.0000000309
    assert cost().compute == pytest.approx(worker, rel=0.15)  # the other functions have some, too
    assert cost().compute > worker


def test_storage_is_of_the_song_and_its_stems_until_they_expire() -> None:
    months = 7 * 86400 / prices.SECONDS_A_MONTH
    assert cost().storage == pytest.approx(0.095256132 * months * 0.023)


def test_transfer_stands_apart() -> None:
    found = cost()
    assert found.transfer == pytest.approx(0.063504088 * 0.09)
    assert found.total == pytest.approx(found.compute + found.requests + found.storage)


def test_a_large_file_is_put_in_parts() -> None:
    """Each of two files of 31.8 MB is begun, put in four parts and ended; small ones take a request each."""
    small = cost(stored_bytes=8_000_000)
    assert cost().requests - small.requests == pytest.approx((2 * 6 - 2) * 0.000005)


def test_in_r2_keeping_is_cheaper_and_the_worker_pays_for_the_way_there() -> None:
    found, in_s3 = cost(provider="r2"), cost()
    assert found.storage == pytest.approx(in_s3.storage * 0.015 / 0.023)
    assert found.transfer == in_s3.transfer


def test_more_reports_cost_more() -> None:
    assert cost(version=1100).requests > cost().requests


def test_a_record_of_before_is_read_without_its_disk() -> None:
    assert cost(disk_gb_seconds=None).compute == pytest.approx(cost().compute - 13.5 * 0.0000000309)


def test_a_job_that_no_worker_completed_says_nothing() -> None:
    assert cost_of(record(gb_seconds=None)) is None


def test_its_owner_sees_the_parts_and_their_sum() -> None:
    view = job_view(record(), lambda key, name: f"https://example.com/{key}").cost
    assert view
    parts = view.compute_usd + view.requests_usd + view.storage_usd
    assert view.usd == pytest.approx(parts, abs=2e-7)
    assert view.transfer_usd == pytest.approx(0.0057154)
