"""When each tick of a MIDI file is, in seconds and in quarter notes, and where its beats are."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from analysis.events import Beat
from analysis.midi.errors import MidiTooLargeError
from analysis.midi.grid import steady

Floats = npt.NDArray[np.float64]

MOST_BEATS = 50_000
_DEFAULT = 500_000  # microseconds a quarter note, where the file does not say
_COMPOUND = (6, 9, 12)  # eighths, or shorter, whose beats are three of them


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

    def bpm(self, duration: float) -> float:
        """Quarter notes a minute: half of the time is no faster, and half no slower."""
        ends = np.append(self._seconds[1:], np.inf)
        lasts = np.clip(ends, 0, duration) - np.clip(self._seconds, 0, duration)
        order = np.argsort(self._quarter)
        middle = np.searchsorted(np.cumsum(lasts[order]), lasts.sum() / 2)
        return float(60 / self._quarter[order][middle])

    def is_steady(self, duration: float) -> bool:
        """Whether quarter notes stay near a grid of one tempo."""
        count = int(self.quarters_at(duration)) + 1
        return count < 2 or steady(self.seconds_at(np.arange(count)).tolist()) is not None


def beats_of(
    tempi: TempoMap, signatures: Sequence[tuple[int, int, int]], end: float
) -> tuple[tuple[Beat, ...], int]:
    """The beats before `end`, and the number of beats in most of the bars.

    A beat is the note that the time signature counts, or three of them in 6/8, 9/8 and 12/8.

    Parameters
    ----------
    tempi : TempoMap
    signatures : sequence of (tick, numerator, denominator)
        Where none holds yet, bars have four quarter notes.
    end : float
        Seconds.

    Raises
    ------
    MidiTooLargeError
        If there are more than `MOST_BEATS`.
    """
    at = {0: (4, 4)} | {tick: (over, under) for tick, over, under in sorted(signatures)}
    last = max(float(tempi.quarters_at(end)), 1e-3)
    ticks = [tick for tick in sorted(at) if tempi.quarters(tick) < last]
    bounds = [*tempi.quarters(ticks), last]
    places: list[float] = []
    names: list[tuple[int, int]] = []
    bars: dict[int, int] = {}
    bar = 0
    for tick, begin, stop in zip(ticks, bounds, bounds[1:], strict=False):
        over, under = at[tick]
        is_compound = under >= 8 and over in _COMPOUND
        step = 4 / under * (3 if is_compound else 1)
        long = over // 3 if is_compound else over
        count = int(np.ceil((stop - begin) / step - 1e-6))
        if len(places) + count > MOST_BEATS:
            raise MidiTooLargeError(f"The MIDI file has more beats than {MOST_BEATS:,}. Send a part of it.")
        places += [float(begin) + step * number for number in range(count)]
        names += [(bar + 1 + number // long, 1 + number % long) for number in range(count)]
        whole = -(-count // long)
        bar += whole
        bars[long] = bars.get(long, 0) + whole
    times = tempi.seconds_at(places)
    beats = tuple(Beat(float(time), *name) for time, name in zip(times, names, strict=True))
    return beats, max(bars, key=lambda long: bars[long])
