"""The simulation against queueing theory, and against what it must do by the product's rules."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from statistics import fmean

import pytest

from benchmarks.scale.formulas import erlang_c, mean_wait_constant, mean_wait_exponential
from benchmarks.scale.load import Mix, exponential, independent
from benchmarks.scale.simulation import Simulation, Song, Workers
from benchmarks.scale.theory import theory_errors

SERVICE = 3.0


def plain(servers: int) -> Workers:
    """Workers as theory has servers: all there from the beginning."""
    return Workers(servers, at_once=servers)


def first_come_first_served(songs: Sequence[Song], servers: int) -> list[float]:
    """Each song's wait for the first server that is free (Kiefer and Wolfowitz, 1955)."""
    free, waits = [0.0] * servers, []
    for song in songs:
        begins = max(heapq.heappop(free), song.at)
        waits.append(begins - song.at)
        heapq.heappush(free, begins + song.work)
    return waits


@pytest.mark.parametrize(("servers", "utilisation"), [(1, 0.9), (2, 1.2), (7, 0.95)])
def test_songs_that_no_line_holds_up_are_served_as_they_come(servers: int, utilisation: float) -> None:
    works = exponential(SERVICE, 5000, seed=1)
    songs = independent(exponential(SERVICE / servers / utilisation, 5000, seed=2), works)
    assert Simulation(plain(servers)).run(songs).waits == pytest.approx(
        first_come_first_served(songs, servers)
    )


@pytest.mark.parametrize(("servers", "load", "share"), [(1, 0.5, 0.5), (2, 1.6, 0.7111), (5, 4.0, 0.5541)])
def test_erlangs_formula_gives_what_tables_have(servers: int, load: float, share: float) -> None:
    assert erlang_c(servers, load) == pytest.approx(share, abs=1e-4)


def test_constant_service_halves_the_wait_of_one_server() -> None:
    # Pollaczek and Khinchine.
    assert mean_wait_constant(1, 0.6, SERVICE) == pytest.approx(0.6 * SERVICE / (2 * (1 - 0.6)), rel=1e-6)
    assert mean_wait_constant(1, 0.6, SERVICE) == pytest.approx(mean_wait_exponential(1, 0.6, SERVICE) / 2)


@pytest.mark.parametrize(("servers", "utilisation"), [(2, 0.5), (5, 0.6)])
def test_songs_wait_as_theory_says(servers: int, utilisation: float) -> None:
    errors = theory_errors(servers, utilisation, songs=150_000, seed=4)
    assert abs(errors.exponential) < 0.02
    assert abs(errors.constant) < 0.02


def test_littles_law_holds_with_lines_retries_and_cold_starts() -> None:
    workers = Workers(5, cold=1.7, fails=0.02, dies=0.001, kept_warm=30)
    mix = Mix(3)
    outcome = Simulation(workers, 4).run(mix.poisson(0.8 * 5 / mix.mean, 20_000, owners=20))
    # Of the time average of those who wait, counted by the clock, and of waits, counted by song. Who begins
    # cold waits on while the environment starts.
    in_cold = outcome.cold * 1.7
    a_second = len(outcome.songs) / outcome.seconds
    average = (outcome.waiting + in_cold) / outcome.seconds
    assert average == pytest.approx(a_second * fmean(outcome.waits), rel=0.01)


def test_a_run_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    songs = Mix(5).poisson(2, 600, owners=5)
    workers = Workers(5, fails=0.1)
    first, again, other = (Simulation(workers, seed).run(songs).ends for seed in (1, 1, 2))
    assert first == again != other


def test_a_burst_takes_as_long_as_its_work_among_the_workers() -> None:
    outcome = Simulation(plain(10)).run([Song(0.0, number, 3.0) for number in range(100)])
    assert outcome.seconds == pytest.approx(30.0)


def test_workers_come_by_the_minute() -> None:
    # 5 at once, then one each fifth of a second.
    outcome = Simulation(Workers(50)).run([Song(0.0, number, 600.0) for number in range(50)])
    assert sorted(outcome.waits)[:6] == pytest.approx([0, 0, 0, 0, 0, 0.2])
    assert max(outcome.waits) == pytest.approx(9.0)


def test_whoever_comes_beside_500_songs_waits_for_one_of_them_at_most() -> None:
    songs = [*(Song(0.0, 0, 3.0) for _ in range(500)), Song(20.5, 1, 3.0)]
    outcome = Simulation(plain(5)).run(songs)
    assert outcome.waits[-1] <= 3.0
    assert max(outcome.waits) > 250


def test_an_owner_has_no_more_songs_open_than_the_quota_allows() -> None:
    outcome = Simulation(Workers(2, most_open=10)).run([Song(0.0, 0, 1.0)] * 15)
    assert outcome.refused == 5


def test_a_song_is_tried_three_times() -> None:
    outcome = Simulation(Workers(2, fails=1.0)).run([Song(0.0, 0, 1.0)])
    assert outcome.failed == 1
    assert outcome.ends == [pytest.approx(1 + 5 + 1 + 20 + 1)]


def test_an_environment_is_cold_once_and_again_after_a_long_rest() -> None:
    songs = [Song(at, 0, 1.0) for at in (0.0, 10.0, 2000.0)]
    outcome = Simulation(Workers(2, cold=2.0, kept_warm=600)).run(songs)
    assert outcome.cold == 2
    assert outcome.waits == pytest.approx([2.0, 0.0, 2.0])
