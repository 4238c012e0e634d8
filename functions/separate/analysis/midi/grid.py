"""Bars and tempi of a file, made of beats: where each second is among its ticks.

A beat is what its time signature says, or a quarter note; tick 0 is second 0, and each bar begins on a bar
line. What comes before the first beat is a bar of its own, or bars, at the tempo that fills it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import attrgetter

import numpy as np

from analysis.events import Beat, TimeSignature
from analysis.events import Tempo as SongTempo

TICKS = 480  # a quarter note
_BAR_OF_ONE = 4 * TICKS  # a whole note

_STEADY = 0.025  # seconds that beats may be off a grid of one tempo
_AT_ONCE = 0.001  # a song whose first beat comes sooner begins with it
_FASTEST = 2.0  # times the song's tempo: a faster lead-in becomes a shorter bar
_PARTS = (4, 8, 16, 32, 64, 128)  # of a whole note, that may be such a bar
_DEFAULT = 0.5  # seconds a quarter note where nothing says how long one is
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


def steady(times: Sequence[float], places: Sequence[float]) -> tuple[float, float] | None:
    """Where a grid of one tempo begins, and its step, in seconds, if every time is near its place on it.

    Parameters
    ----------
    times : sequence of float
        Seconds.
    places : sequence of float
        Of each time, in steps from the grid's beginning.
    """
    if len(times) < 2:
        return None
    numbers = np.asarray(places, np.float64)
    step, begin = np.polyfit(numbers, np.asarray(times, np.float64), 1)
    off = np.asarray(times) - (begin + step * numbers)
    begin = max(0.0, begin + (off.max() + off.min()) / 2)
    off = np.abs(np.asarray(times) - (begin + step * numbers))
    return (float(begin), float(step)) if off.max() <= _STEADY and step > 0 else None


def grid_of(beats: Sequence[Beat], meter: int, tempo: SongTempo | None = None) -> Grid:
    """The grid on which these beats are as long as their signatures say, and their downbeats bar lines.

    Parameters
    ----------
    beats : sequence of Beat
        In the order of time. Those without a signature are quarter notes.
    meter : int
        Beats in a bar, where no beats say so.
    tempo : analysis.events.Tempo, optional
        The song's, for songs of fewer beats than two.
    """
    written = [beat.signature or TimeSignature(meter, 4) for beat in beats] or [TimeSignature(meter, 4)]
    quarters = [*accumulate((one.quarters_a_beat for one in written), initial=0.0)]  # and the last one's end
    times = [beat.time for beat in beats]
    even = steady(times, quarters[: len(times)])
    if even is not None:
        times = [even[0] + even[1] * place for place in quarters[: len(times)]]
    if len(times) > 1:
        step = float(np.median(np.diff(times) / np.diff(quarters[: len(times)])))
    else:
        step = 60 / tempo.bpm / written[0].quarters_a_beat if tempo else _DEFAULT
    bars = [number for number, beat in enumerate(beats) if beat.beat == 1]
    pickup = bars[0] if bars else len(beats)
    signatures, first = _lead_in(times[0] if times else 0.0, step, pickup, written[0])
    ticks = [first + round(place * TICKS) for place in quarters]
    tempi = [Tempo(0, 0, _quarter(times[0] * TICKS / first))] if first else []
    downbeats = []
    for number, following in pairwise([*bars, len(beats)]):
        long = following - number
        if following == len(beats):
            long = max(written[number].beats, long)  # the last bar may be cut
        _sign(signatures, _bar(ticks[number], long, written[number]))
        downbeats.append((ticks[number], beats[number].bar))
    if even is not None or len(times) < 2:
        _go_on(tempi, first, _quarter(step))
    else:
        # What rounding one tempo leaves, the next one makes good.
        for (tick, end), time in zip(pairwise(ticks), times[1:], strict=False):
            seconds = time - _time(tempi, tick) / 1e6
            _go_on(tempi, tick, _quarter(seconds * TICKS / (end - tick)))
    return Grid(tuple(tempi), tuple(signatures), tuple(downbeats))


def _lead_in(begin: float, step: float, pickup: int, written: TimeSignature) -> tuple[list[Signature], int]:
    """The bars before the first downbeat, `pickup` beats of it known; and the tick of the first beat."""
    signatures: list[Signature] = []
    meter, beat = written.beats, round(written.quarters_a_beat * TICKS)
    pickup_bar = pickup % meter if pickup else 0
    if begin < _AT_ONCE:
        _sign(signatures, _bar(0, pickup_bar or meter, written))
        _sign(signatures, _bar(pickup_bar * beat, meter, written))
        return signatures, 0
    quarters = begin / step
    beats = quarters / written.quarters_a_beat
    whole = [count for count in range(1, int(beats) + 2 * meter + 1) if (count + pickup) % meter == 0]
    count = min(whole, key=lambda count: abs(np.log(count / beats)))
    if count / beats <= _FASTEST:
        _sign(signatures, _bar(0, meter, written))
        return signatures, count * beat
    part = min(_PARTS, key=lambda part: abs(np.log(4 / part / quarters)))
    tick = _BAR_OF_ONE // part
    _sign(signatures, Signature(0, 1, part))
    if pickup_bar:
        _sign(signatures, _bar(tick, pickup_bar, written))
    _sign(signatures, _bar(tick + pickup_bar * beat, meter, written))
    return signatures, tick


def _bar(tick: int, beats: int, written: TimeSignature) -> Signature:
    """Bars of so many beats, whatever the signature that says what a beat is."""
    return Signature(tick, beats * written.notes_a_beat, written.denominator)


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
