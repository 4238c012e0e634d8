"""When each tick of a MIDI file is, in seconds and in quarter notes, and where its beats are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from analysis.events import Beat, TimeSignature
from analysis.midi.errors import MidiTooLargeError
from analysis.midi.grid import steady

Floats = npt.NDArray[np.float64]

MOST_BEATS = 50_000
_DEFAULT = 500_000  # microseconds a quarter note, where the file does not say


class TempoMap:
    """The file's tempi, or one in their place.

    Parameters
    ----------
    ticks : int or None
        Ticks a quarter note.
    ticks_a_second : Fraction or None
        If ticks divide seconds; tempi then move the beats, and no event.
    changes : iterable of (int, int)
        Ticks, and microseconds a quarter note from there, in any order.
    fixed : float or None
        Quarter notes a minute, whatever the file says.
    """

    def __init__(
        self,
        ticks: int | None,
        ticks_a_second: Fraction | None,
        changes: Iterable[tuple[int, int]],
        fixed: float | None,
    ) -> None:
        stated = dict(sorted(changes, key=lambda change: change[0]))
        self.is_stated = fixed is not None or bool(stated)
        at = {0: _DEFAULT} | stated
        if fixed is not None:
            at = {0: round(60e6 / fixed)}
        begins = np.array(sorted(at), np.float64)
        self._quarter = np.array([at[tick] for tick in sorted(at)], np.float64) / 1e6  # seconds
        if ticks is not None:
            self._ticks = float(ticks)
            self._quarters = begins / ticks
            steps = np.diff(self._quarters) * self._quarter[:-1]
            self._seconds = np.concatenate([[0.0], np.cumsum(steps)])
        else:
            assert ticks_a_second is not None
            self._ticks = 0.0
            self._ticks_a_second = float(ticks_a_second)
            self._seconds = begins / self._ticks_a_second
            steps = np.diff(self._seconds) / self._quarter[:-1]
            self._quarters = np.concatenate([[0.0], np.cumsum(steps)])

    def quarters(self, ticks: npt.ArrayLike) -> Floats:
        """Quarter notes from the beginning."""
        ticks = np.asarray(ticks, np.float64)
        return ticks / self._ticks if self._ticks else self.quarters_at(ticks / self._ticks_a_second)

    def seconds(self, ticks: npt.ArrayLike) -> Floats:
        """Seconds from the beginning."""
        ticks = np.asarray(ticks, np.float64)
        return self.seconds_at(ticks / self._ticks) if self._ticks else ticks / self._ticks_a_second

    def seconds_at(self, quarters: npt.ArrayLike) -> Floats:
        """Seconds from the beginning, of places in quarter notes."""
        quarters = np.asarray(quarters, np.float64)
        piece = np.maximum(np.searchsorted(self._quarters, quarters, side="right") - 1, 0)
        seconds: Floats = self._seconds[piece] + (quarters - self._quarters[piece]) * self._quarter[piece]
        return seconds

    def quarters_at(self, seconds: npt.ArrayLike) -> Floats:
        """Quarter notes from the beginning, of times."""
        seconds = np.asarray(seconds, np.float64)
        piece = np.maximum(np.searchsorted(self._seconds, seconds, side="right") - 1, 0)
        quarters: Floats = self._quarters[piece] + (seconds - self._seconds[piece]) / self._quarter[piece]
        return quarters

    def bpm(self, stretches: "Sequence[Stretch]") -> float:
        """Beats a minute: half of the time is no faster, and half no slower."""
        starts = np.array([stretch.begin for stretch in stretches])
        units = np.array([stretch.signature.quarters_a_beat for stretch in stretches])
        end = stretches[-1].end
        begins = np.union1d(starts, self._quarters[self._quarters < end])
        lasts = np.diff(self.seconds_at(np.append(begins, end)))
        beat = self._quarter[np.searchsorted(self._quarters, begins, side="right") - 1]
        beat = beat * units[np.searchsorted(starts, begins, side="right") - 1]
        order = np.argsort(beat)
        middle = np.searchsorted(np.cumsum(lasts[order]), lasts.sum() / 2)
        return float(60 / beat[order][middle])

    def is_steady(self, duration: float) -> bool:
        """Whether quarter notes stay near a grid of one tempo."""
        count = int(self.quarters_at(duration)) + 1
        return count < 2 or steady(self.seconds_at(range(count)).tolist(), range(count)) is not None


@dataclass(frozen=True)
class Stretch:
    """From one place to another, in quarter notes, bars are written so."""

    begin: float
    end: float
    signature: TimeSignature


def stretches_of(
    tempi: TempoMap, signatures: Sequence[tuple[int, int, int]], end: float
) -> tuple[Stretch, ...]:
    """The time signatures of a song, one after another.

    Parameters
    ----------
    tempi : TempoMap
    signatures : sequence of (tick, numerator, denominator)
        Where none holds yet, bars have four quarter notes.
    end : float
        Seconds, more than 0.
    """
    at = {0: (4, 4)} | {tick: (over, under) for tick, over, under in sorted(signatures)}
    last = max(float(tempi.quarters_at(end)), 1e-3)
    ticks = [tick for tick in sorted(at) if tempi.quarters(tick) < last]
    bounds = [*tempi.quarters(ticks).tolist(), last]
    return tuple(
        Stretch(begin, stop, TimeSignature(*at[tick]))
        for tick, (begin, stop) in zip(ticks, pairwise(bounds), strict=True)
    )


def beats_of(tempi: TempoMap, stretches: Sequence[Stretch]) -> tuple[tuple[Beat, ...], TimeSignature]:
    """The beats of a song, and the signature of most of its bars.

    Raises
    ------
    MidiTooLargeError
        If there are more than `MOST_BEATS`.
    """
    places: list[float] = []
    names: list[tuple[int, int, TimeSignature]] = []
    bars: dict[TimeSignature, int] = {}
    bar = 0
    for stretch in stretches:
        signature = stretch.signature
        step, long = signature.quarters_a_beat, signature.beats
        count = int(np.ceil((stretch.end - stretch.begin) / step - 1e-6))
        if len(places) + count > MOST_BEATS:
            raise MidiTooLargeError(f"The MIDI file has more beats than {MOST_BEATS:,}. Send a part of it.")
        places += [stretch.begin + step * number for number in range(count)]
        names += [(bar + 1 + number // long, 1 + number % long, signature) for number in range(count)]
        whole = -(-count // long)
        bar += whole
        bars[signature] = bars.get(signature, 0) + whole
    times = tempi.seconds_at(places)
    beats = tuple(Beat(float(time), *name) for time, name in zip(times, names, strict=True))
    return beats, max(bars, key=lambda signature: bars[signature])
