"""When something begins to sound.

A spectral flux that vibrato does not fool ("SuperFlux", Böck and Widmer, "Maximum filter vibrato suppression
for onset detection", DAFx 2013) finds onsets. Where a drum's loudness rises fastest, to the millisecond,
times them.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.events import Onset
from analysis.frames import Framer, hann, magnitudes, mixed_down
from analysis.rows import Rows
from media.samples import Samples

STRENGTH_RATE = 100  # frames a second
_SIZE = 2048
_LAG = 2  # frames between the spectra that are compared
_LOWEST, _HIGHEST = 30, 16_000  # Hz
_REACH = 3  # frames before and after an onset that are all weaker
_AROUND = (10, 7)  # frames before and after, above whose mean it stands out
_TIMES = 2.0  # an onset's flux over that mean: in noise it comes to no more
_LEAST = 1e-5  # the flux of an onset in what is all but silent
_FINE_RATE = 1000  # frames a second of what times percussive onsets
_FINE_SEARCH = 15  # ms around the flux's peak
_FINE_WIDTH = 8  # ms before and after an onset whose loudnesses are compared
_LATE = 0.006  # s that the flux's peak comes behind the beginning of a pitched sound


class _Hearing(NamedTuple):
    """What the flux listens to.

    Attributes
    ----------
    corners : ndarray
        Of its bands, in Hz.
    gain : float
        Of the bands before their logarithm. With much of it soft strokes count, and what separators leak;
        with little, loudness does.
    share : float
        Of the song's strong fluxes, by which an onset stands out from its surroundings.
    """

    corners: npt.NDArray[np.float64]
    gain: float
    share: float


def _mel(frequency: float) -> float:
    return float(2595 * np.log10(1 + frequency / 700))


# Soft strokes of cymbals fill bands that are even in mel; chords and vibrato are told apart by semitones.
_PERCUSSIVE = _Hearing(700 * (10 ** (np.linspace(_mel(0), _mel(_HIGHEST), 62) / 2595) - 1), 2000, 0.05)
_PITCHED = _Hearing(_LOWEST * 2.0 ** (np.arange(0, 109) / 12), 10, 0.32)


class Onsets(NamedTuple):
    """What an OnsetDetector finds.

    Attributes
    ----------
    onsets : tuple of Onset
    strength : ndarray (any,), float32
        How strongly something begins, 0 to 1, `STRENGTH_RATE` times a second.
    """

    onsets: tuple[Onset, ...]
    strength: npt.NDArray[np.float32]


class OnsetDetector:
    """Finds onsets in samples as they come.

    Parameters
    ----------
    sample_rate : int
    percussive : bool
        Whether this is drums, whose onsets are short and loud against what separators leak between them.
    """

    def __init__(self, sample_rate: int, percussive: bool) -> None:
        self._hearing = _PERCUSSIVE if percussive else _PITCHED
        self._framer = Framer(sample_rate, STRENGTH_RATE, _SIZE, _SIZE // 2, 1)
        self._window = hann(_SIZE)
        self._filters = _filters(self._hearing, sample_rate)
        self._last = np.zeros((_LAG, self._filters.shape[1]), np.float32)
        self._flux = Rows(np.float32)
        self._loudness = _FineLoudness(sample_rate) if percussive else None

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        mono = mixed_down(samples)
        if self._loudness:
            self._loudness.add(mono)
        self._hear(self._framer.add(mono))

    def finish(self) -> Onsets:
        """Give the onsets of all that was heard."""
        self._hear(self._framer.finish())
        flux = self._flux.all()
        energies = self._loudness.finish() if self._loudness else None
        peaks = _peaks(flux)
        if not len(peaks):
            return Onsets((), np.zeros_like(flux))
        # Their mean, each as often as it is strong: many weak ones do not lower it.
        strong = float((flux[peaks] ** 2).sum() / flux[peaks].sum())
        strength = np.minimum(1, flux / strong).astype(np.float32)
        around = np.lib.stride_tricks.sliding_window_view(np.pad(flux, _AROUND), sum(_AROUND) + 1).mean(
            axis=1
        )
        onsets: list[Onset] = []
        stands_out = flux[peaks] > np.maximum(
            around[peaks] + self._hearing.share * strong, _TIMES * around[peaks]
        )
        for peak in peaks[stands_out & (peaks < len(flux) - _REACH)]:  # at the very end is but the end
            time = peak / STRENGTH_RATE
            time = max(0.0, time - _LATE) if energies is None else _timed(time, energies)
            if not onsets or time - onsets[-1].time >= _REACH / STRENGTH_RATE:
                onsets.append(Onset(float(time), float(strength[peak])))
        return Onsets(tuple(onsets), strength)

    def _hear(self, batches: Iterable[Samples]) -> None:
        for frames in batches:
            if frames.any():
                bands = np.log10(1 + magnitudes(frames[0], self._window) @ self._filters)
            else:
                bands = np.zeros((frames.shape[1], self._last.shape[1]), np.float32)
            bands = np.concatenate([self._last, bands])
            widest = bands.copy()
            np.maximum(widest[:, 1:], bands[:, :-1], out=widest[:, 1:])
            np.maximum(widest[:, :-1], bands[:, 1:], out=widest[:, :-1])
            self._flux.add(np.maximum(0, bands[_LAG:] - widest[:-_LAG]).mean(axis=1))
            self._last = bands[-_LAG:]


class _FineLoudness:
    """The energy of each millisecond, of what is high in it above all."""

    def __init__(self, sample_rate: int) -> None:
        size = -(-sample_rate // _FINE_RATE) + 1  # the sample before, for differences
        self._framer = Framer(sample_rate, _FINE_RATE, size, 1, 1, batch=_FINE_RATE)
        self._energies = Rows(np.float32)

    def add(self, mono: Samples) -> None:
        self._hear(self._framer.add(mono))

    def finish(self) -> npt.NDArray[np.float32]:
        self._hear(self._framer.finish())
        return self._energies.all()

    def _hear(self, batches: Iterable[Samples]) -> None:
        for frames in batches:
            self._energies.add((np.diff(frames[0], axis=-1) ** 2).sum(axis=-1))


def _peaks(flux: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """The frames that are stronger than those around them."""
    if not len(flux):
        return np.empty(0, np.intp)
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(flux, _REACH), 2 * _REACH + 1).max(axis=1)
    return np.flatnonzero((flux == highest) & (flux > _LEAST))


def _timed(time: float, energies: npt.NDArray[np.float32]) -> float:
    """Where, near a time, the energy rises most."""
    centre = round(time * _FINE_RATE)
    begin = max(0, centre - _FINE_SEARCH - _FINE_WIDTH)
    near = np.pad(energies[begin : centre + _FINE_SEARCH + _FINE_WIDTH], (_FINE_WIDTH, 0))
    summed = np.cumsum(np.concatenate([[0.0], near.astype(np.float64)]))
    means = summed[_FINE_WIDTH:] - summed[:-_FINE_WIDTH]
    if len(means) <= _FINE_WIDTH:
        return time
    least = 1e-3 * means.max() + 1e-12
    rises = np.log(means[_FINE_WIDTH:] + least) - np.log(means[:-_FINE_WIDTH] + least)
    return (begin + int(rises.argmax())) / _FINE_RATE


def _filters(hearing: _Hearing, sample_rate: int) -> npt.NDArray[np.float32]:
    """Triangles between the corners, where the spectrum resolves them: shape (bins, bands)."""
    corners = np.unique(np.round(hearing.corners * _SIZE / sample_rate))
    bins = np.arange(_SIZE // 2 + 1)
    filters = np.stack(
        [np.interp(bins, corners[band : band + 3], [0, 1, 0]) for band in range(len(corners) - 2)], axis=1
    )
    peak = hann(_SIZE).sum() / 2  # of a full sine
    filters *= hearing.gain / peak / filters.sum(axis=0)
    return filters.astype(np.float32)
