"""Bars and tempi of a file, made of beats: where each second is among its ticks.

A beat is a quarter note, tick 0 is second 0, and each bar begins on a bar line. What comes before the first
beat is a bar of its own, or bars, at the tempo that fills it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

import numpy as np

from analysis.events import Beat

TICKS = 480  # a quarter note
_BAR_OF_ONE = 4 * TICKS  # a whole note

_STEADY = 0.025  # seconds that beats may be off a grid of one tempo
_AT_ONCE = 0.001  # a song whose first beat comes sooner begins with it
_FASTEST = 2.0  # times the song's tempo: a faster lead-in becomes a shorter bar
_PARTS = (4, 8, 16, 32, 64, 128)  # of a whole note, that may be such a bar
_DEFAULT = 0.5  # seconds a beat where there are no beats
_SLOWEST = 0xFFFFFF  # microseconds a quarter note, as three bytes can say
_TIME = attrgetter("time")


@dataclass(frozen=True)
class Tempo:
    """From `tick`, which is at `time` in microseconds, a quarter note takes so many microseconds."""

    tick: int
    time: int
    quarter: int


@dataclass(frozen=True)
class Signature:
    """From `tick`, a bar is so many notes of one of a whole one's parts."""

    tick: int
    numerator: int
    denominator: int


@dataclass(frozen=True)
class Grid:
    """Tempi and time signatures, and the ticks of downbeats with the numbers of their bars."""

    tempi: tuple[Tempo, ...]
    signatures: tuple[Signature, ...]
    downbeats: tuple[tuple[int, int], ...]

    def tick(self, seconds: float) -> int:
        """The tick nearest to a time."""
        time = seconds * 1e6
        tempo = self.tempi[max(0, bisect_right(self.tempi, time, key=_TIME) - 1)]
        return max(0, tempo.tick + round((time - tempo.time) * TICKS / tempo.quarter))


def steady(times: Sequence[float]) -> tuple[float, float] | None:
    """Where a grid of one tempo begins and its step, in seconds, if every time is near its own line of it."""
    if len(times) < 2:
        return None
    numbers = np.arange(len(times))
    step, begin = np.polyfit(numbers, np.asarray(times, np.float64), 1)
    off = np.asarray(times) - (begin + step * numbers)
    begin = max(0.0, begin + (off.max() + off.min()) / 2)
    off = np.abs(np.asarray(times) - (begin + step * numbers))
    return (float(begin), float(step)) if off.max() <= _STEADY and step > 0 else None


def grid_of(beats: Sequence[Beat], meter: int) -> Grid:
    """The grid on which these beats are quarter notes, and their downbeats bar lines.

    Parameters
    ----------
    beats : sequence of Beat
        In the order of time.
    meter : int
        Beats in a bar, where no beats say so.
    """
    times = [beat.time for beat in beats]
    even = steady(times)
    if even is not None:
        times = [even[0] + even[1] * number for number in range(len(times))]
    step = float(np.median(np.diff(times))) if len(times) > 1 else _DEFAULT
    pickup = next((number for number, beat in enumerate(beats) if beat.beat == 1), len(beats))
    signatures, first = _lead_in(times[0] if times else 0.0, step, pickup, meter)
    tempi = [Tempo(0, 0, _quarter(times[0] * TICKS / first))] if first else []
    downbeats = []
    bars = [number for number, beat in enumerate(beats) if beat.beat == 1]
    for number, following in pairwise([*bars, len(beats)]):
        long = following - number
        if following == len(beats):
            long = max(meter, long)  # the last bar may be cut
        _sign(signatures, Signature(first + number * TICKS, long, 4))
        downbeats.append((first + number * TICKS, beats[number].bar))
    if even is not None or len(times) < 2:
        _go_on(tempi, first, _quarter(step))
    else:
        # What rounding one tempo leaves, the next one makes good.
        for number, time in enumerate(times[1:]):
            tick = first + number * TICKS
            _go_on(tempi, tick, _quarter(time - _time(tempi, tick) / 1e6))
    return Grid(tuple(tempi), tuple(signatures), tuple(downbeats))


def _lead_in(begin: float, step: float, pickup: int, meter: int) -> tuple[list[Signature], int]:
    """The bars before the first downbeat, `pickup` beats of it known; and the tick of the first beat."""
    signatures: list[Signature] = []
    pickup_bar = pickup % meter if pickup else 0
    if begin < _AT_ONCE:
        _sign(signatures, Signature(0, pickup_bar or meter, 4))
        _sign(signatures, Signature(pickup_bar * TICKS, meter, 4))
        return signatures, 0
    beats = begin / step
    whole = [count for count in range(1, int(beats) + 2 * meter + 1) if (count + pickup) % meter == 0]
    count = min(whole, key=lambda count: abs(np.log(count / beats)))
    if count / beats <= _FASTEST:
        _sign(signatures, Signature(0, meter, 4))
        return signatures, count * TICKS
    part = min(_PARTS, key=lambda part: abs(np.log(4 / part / beats)))
    tick = _BAR_OF_ONE // part
    _sign(signatures, Signature(0, 1, part))
    if pickup_bar:
        _sign(signatures, Signature(tick, pickup_bar, 4))
    _sign(signatures, Signature(tick + pickup_bar * TICKS, meter, 4))
    return signatures, tick


def _sign(signatures: list[Signature], new: Signature) -> None:
    if signatures and signatures[-1].tick == new.tick:
        signatures.pop()
    last = signatures[-1] if signatures else None
    if last is None or (last.numerator, last.denominator) != (new.numerator, new.denominator):
        signatures.append(new)


def _quarter(seconds: float) -> int:
    return min(max(1, round(seconds * 1e6)), _SLOWEST)


def _time(tempi: Sequence[Tempo], tick: int) -> int:
    """Microseconds at a tick that is not before the last tempo."""
    if not tempi:
        return 0
    return tempi[-1].time + round((tick - tempi[-1].tick) * tempi[-1].quarter / TICKS)


def _go_on(tempi: list[Tempo], tick: int, quarter: int) -> None:
    if not tempi or tempi[-1].quarter != quarter:
        tempi.append(Tempo(tick, _time(tempi, tick), quarter))
