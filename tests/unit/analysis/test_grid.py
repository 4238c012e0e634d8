from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.events import Beat
from analysis.midi.grid import TICKS, Grid, grid_of, steady
from tests.unit.analysis.by_hand import beats

MOST_BPM = 960  # what sequencers take


def seconds(grid: Grid, tick: float) -> float:
    """When a tick is, by the file's tempi alone."""
    time = 0.0
    ends = [tempo.tick for tempo in grid.tempi[1:]] + [float("inf")]
    for tempo, end in zip(grid.tempi, ends, strict=True):
        time += max(0, min(tick, end) - tempo.tick) * tempo.quarter / TICKS / 1e6
    return time


def bar_lines(grid: Grid, last: int) -> set[int]:
    """Ticks at which bars begin, by the file's time signatures alone."""
    lines = set()
    for signature, end in zip(
        grid.signatures, [*(following.tick for following in grid.signatures[1:]), last], strict=True
    ):
        long = 4 * TICKS * signature.numerator // signature.denominator
        lines |= set(range(signature.tick, end, long))
        assert (end - signature.tick) % long == 0 or end == last
    return lines


def jumpy(seed: int, count: int = 60) -> np.ndarray:
    """Beats of somebody who plays without a click."""
    steps = 0.5 * np.exp(np.random.default_rng(seed).normal(0, 0.05, count))
    return np.cumsum(steps)


def test_steady_beats_have_one_tempo_after_the_lead_in() -> None:
    times = 1.3 + np.arange(100) * 60 / 112 + np.random.default_rng(1).uniform(-0.02, 0.02, 100)
    grid = grid_of(beats(times), 4)
    assert len(grid.tempi) == 2
    assert 60e6 / grid.tempi[-1].quarter == pytest.approx(112, abs=0.05)
    off = [seconds(grid, grid.tempi[-1].tick + number * TICKS) - time for number, time in enumerate(times)]
    assert np.abs(off).max() <= 0.025


def test_beats_that_stray_have_a_tempo_each_and_never_drift() -> None:
    times = jumpy(2, 600)
    assert steady(times.tolist(), range(len(times))) is None
    grid = grid_of(beats(times), 4)
    first = grid.downbeats[0][0]
    off = [seconds(grid, first + number * TICKS) - time for number, time in enumerate(times)]
    assert np.abs(off).max() < 2e-6


def test_beats_23_ms_off_a_grid_are_steady_and_27_ms_off_are_not() -> None:
    for off, is_steady in ((0.023, True), (0.027, False)):
        times = 1 + 0.5 * np.arange(40) + off * np.where(np.arange(40) % 2, 1, -1)
        assert (steady(times.tolist(), range(len(times))) is not None) == is_steady


@pytest.mark.parametrize("begin", [0.0, 0.0004, 0.003, 0.02, 0.1, 0.26, 0.5, 1.0, 1.9, 2.0, 2.2, 7.77, 61.0])
@pytest.mark.parametrize("first", [1, 2, 4])
@pytest.mark.parametrize("is_steady", [True, False])
def test_downbeats_are_on_bar_lines_wherever_they_begin(begin: float, first: int, is_steady: bool) -> None:
    played = beats(begin + (0.5 * np.arange(20) if is_steady else jumpy(3, 20) - 0.5), first=first)
    played = tuple(beat for beat in played if beat.time >= 0)
    grid = grid_of(played, 4)
    lines = bar_lines(grid, 10**6)
    downbeats = [beat for beat in played if beat.beat == 1]
    assert [bar for _, bar in grid.downbeats] == [beat.bar for beat in downbeats]
    for (tick, _), beat in zip(grid.downbeats, downbeats, strict=True):
        assert tick in lines
        assert seconds(grid, tick) == pytest.approx(beat.time, abs=0.002)
    assert 0 in lines
    assert grid.tempi[0].tick == 0
    assert all(60e6 / tempo.quarter <= MOST_BPM for tempo in grid.tempi)


@given(
    begin=st.floats(0, 20),
    step=st.floats(0.25, 1.2),
    meter=st.integers(2, 7),
    first=st.integers(1, 7),
    seed=st.integers(0, 9),
)
def test_any_lead_in_fits(begin: float, step: float, meter: int, first: int, seed: int) -> None:
    steps = step * np.exp(np.random.default_rng(seed).normal(0, 0.03, 30))
    played = beats(begin + np.concatenate([[0], np.cumsum(steps)]), meter, 1 + (first - 1) % meter)
    grid = grid_of(played, meter)
    lines = bar_lines(grid, 10**6)
    for (tick, _), beat in zip(grid.downbeats, (one for one in played if one.beat == 1), strict=True):
        assert tick in lines
        assert abs(seconds(grid, tick) - beat.time) <= 0.0251
    assert all(before.tick < after.tick for before, after in pairwise(grid.tempi))


@given(seed=st.integers(0, 50), time=st.floats(0, 100))
def test_a_time_is_at_its_nearest_tick(seed: int, time: float) -> None:
    grid = grid_of(beats(0.7 + jumpy(seed)), 4)
    tick = grid.tick(time)
    slowest = max(tempo.quarter for tempo in grid.tempi) / TICKS / 1e6
    assert abs(seconds(grid, tick) - time) <= slowest / 2 + 1e-6


def test_a_bar_with_a_beat_less_has_its_own_signature() -> None:
    played = (*beats(0.5 * np.arange(7)), *(Beat(3.5 + 0.5 * n, 3 + n // 4, 1 + n % 4) for n in range(8)))
    grid = grid_of(played, 4)
    assert [(one.tick // TICKS, one.numerator) for one in grid.signatures] == [(0, 4), (4, 3), (7, 4)]


def test_three_beats_a_bar() -> None:
    grid = grid_of(beats(0.5 * np.arange(12), meter=3), 3)
    assert [(one.numerator, one.denominator) for one in grid.signatures] == [(3, 4)]


def test_without_beats_there_is_a_grid_all_the_same() -> None:
    grid = grid_of((), 3)
    assert grid.tempi[0].quarter == 500_000
    assert grid.signatures[0].numerator == 3
    assert grid.tick(10.0) == 9600


def test_a_silence_between_beats_that_no_tempo_spans() -> None:
    times = [0.5, 1.0, 41.0, 41.5, 42.0, 42.5]
    grid = grid_of(beats(times), 4)
    for time in (0.7, 20.0, 41.2, 60.0):
        assert seconds(grid, grid.tick(time)) == pytest.approx(time, abs=0.018)
