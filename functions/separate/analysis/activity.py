"""Where a stem sounds."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from analysis.events import Stretch
from analysis.frames import Framer
from analysis.rows import Rows
from media.samples import CHANNELS, Samples

LEVEL_RATE = 50  # levels a second: whole samples at 44.1 kHz and at 48 kHz
_FLOOR = -60.0  # dBFS: silence
_RANGE = 40.0  # dB below its own loud moments a stem is silent
_LEAK = 24.0  # dB below the mix around it is what a separator leaks
_HYSTERESIS = 3.0  # dB either way
_SMOOTH = 5  # levels that are one, and
_SMOOTH_MIX = 25  # of the mix, so that what follows a drum is not taken for sound
_SHORTEST_GAP = 0.8  # s: shorter ones are part of the sound
_SHORTEST = 0.1  # s: shorter sounds are none


class LevelMeter:
    """Measures the level of samples as they come."""

    def __init__(self, sample_rate: int) -> None:
        self._framer = Framer(sample_rate, LEVEL_RATE, sample_rate // LEVEL_RATE, 0, CHANNELS)
        self._levels = Rows(np.float32)

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        self._hear(self._framer.add(samples))

    def finish(self) -> npt.NDArray[np.float32]:
        """Give mean squares, `LEVEL_RATE` a second."""
        self._hear(self._framer.finish())
        return self._levels.all()

    def _hear(self, batches: Iterable[Samples]) -> None:
        for frames in batches:
            self._levels.add((frames**2).mean(axis=(0, 2)))


def stretches(
    levels: npt.NDArray[np.float32], mix: npt.NDArray[np.float32] | None = None
) -> tuple[Stretch, ...]:
    """Where something sounds.

    Parameters
    ----------
    levels : ndarray (any,)
        As a LevelMeter gives them.
    mix : ndarray (any,) or None
        The same of all stems together, where a separator made them: what is far below it is but a leak.
    """
    if not len(levels):
        return ()
    decibels = _smoothed(levels, _SMOOTH)
    audible = decibels[decibels > _FLOOR]
    if not len(audible):
        return ()
    threshold = np.full(len(levels), max(_FLOOR, float(np.percentile(audible, 95)) - _RANGE))
    if mix is not None and len(mix):
        leak = _smoothed(mix, _SMOOTH_MIX)[: len(levels)] - _LEAK
        threshold[: len(leak)] = np.maximum(threshold[: len(leak)], leak)
    found: list[Stretch] = []
    for begin, end in _runs(decibels > threshold - _HYSTERESIS):
        if not np.any(decibels[begin:end] > threshold[begin:end] + _HYSTERESIS):
            continue
        stretch = Stretch(begin / LEVEL_RATE, end / LEVEL_RATE)
        if found and stretch.start - found[-1].end < _SHORTEST_GAP:
            stretch = Stretch(found.pop().start, stretch.end)
        found.append(stretch)
    return tuple(stretch for stretch in found if stretch.end - stretch.start >= _SHORTEST)


def _smoothed(levels: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float64]:
    """In dBFS, of the mean over `width` levels around each."""
    padded = np.pad(levels.astype(np.float64), width // 2)
    means = np.lib.stride_tricks.sliding_window_view(padded, width).mean(axis=1)
    return np.asarray(10 * np.log10(means + 1e-12))


def _runs(values: npt.NDArray[np.bool_]) -> Iterable[tuple[int, int]]:
    """First and behind the last of each run of True."""
    edges = np.flatnonzero(np.diff(np.pad(values.astype(np.int8), 1)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
