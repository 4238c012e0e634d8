"""What the tables say of a run."""

from __future__ import annotations

from math import inf

from benchmarks.scale.tables import Waits, burst, neighbours


def test_percentiles_are_waits_of_songs_and_leave_out_the_refused() -> None:
    assert Waits.of([*map(float, range(1, 101)), inf]) == Waits(50.0, 95.0, 99.0)
    assert Waits.of([3.0]) == Waits(3.0, 3.0, 3.0)


def test_a_burst_is_done_no_sooner_than_its_work_is() -> None:
    first, last = burst(1000, 5, 1.0, seed=1)
    assert first < 10
    assert 1000 * 4.0 / 5 < last < 1000 * 5.0 / 5


def test_beside_one_owners_500_songs_the_others_are_done_within_twice_their_time() -> None:
    found = neighbours(5, 1.0, 0.5, 500, seed=1)
    assert found.done_beside.p95 <= 2 * found.done_without.p95
