"""What changes all the time in a stem, for each frame of a picture.

Frame i covers the samples at i / fps and later, before (i + 1) / fps; the last is filled up with silence.
Level and peak are of just these samples. A spectrum takes more: its window is centred on the frame, and as
long as its bands ask for.

===============  ==================================================================================
`rms`            dBFS of the root of the mean square of both channels: a full sine is at -3
`peak`           dBFS of the largest magnitude
`onset`          how strongly something begins, 0 to 1
`band_20`, ...   dBFS of what lies between 20 Hz and the next band, as for `rms`; `band_8000` ends at 20 kHz
`centroid`       the spectrum's centre in Hz, each frequency weighing as its magnitude; NaN in silence
`chroma_0`, ...  how much of each pitch class there is from C on, the strongest 1; 0 in silence
===============  ==================================================================================

`pitch` is not measured here. What is below -96 dBFS is -96.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from analysis.events import Curves
from analysis.frames import Framer, hann
from analysis.onsets import STRENGTH_RATE
from analysis.rows import Rows
from media.samples import CHANNELS, Samples

FLOOR = -96.0  # dBFS
_EDGES = (20, 60, 120, 250, 500, 1000, 2000, 4000, 8000, 20_000)  # Hz
BANDS = tuple(f"band_{low}" for low in _EDGES[:-1])
CHROMA = tuple(f"chroma_{pitch_class}" for pitch_class in range(12))
FIELDS = ("rms", "peak", "onset", *BANDS, "centroid", *CHROMA)

_LONG, _SHORT = 4096, 1024  # samples of the two windows
_LOW_BANDS = 4  # from the long one: the short one does not resolve them
_CHROMA_RANGE = (100.0, 4000.0)  # Hz
_SILENCE = 10 ** (FLOOR / 20)


class CurveMeter:
    """Measures samples as they come.

    Parameters
    ----------
    sample_rate : int
    frame_rate : int
        One of `events.FRAME_RATES`.
    """

    def __init__(self, sample_rate: int, frame_rate: int) -> None:
        self._sample_rate, self._frame_rate = sample_rate, frame_rate
        self._before = (_LONG - sample_rate // frame_rate) // 2
        self._framer = Framer(sample_rate, frame_rate, _LONG, self._before, CHANNELS)
        self._long = _Spectrum(_LONG)
        self._short = _Spectrum(_SHORT)
        self._low = _band_filters(sample_rate, _LONG, _EDGES[: _LOW_BANDS + 1])
        self._high = _band_filters(sample_rate, _SHORT, _EDGES[_LOW_BANDS:])
        self._chroma = _chroma_filters(sample_rate)
        self._bins = 1 + int(
            np.flatnonzero(self._chroma.any(axis=1))[-1]
        )  # of the long one, that are looked at
        self._low, self._chroma = self._low[: self._bins], self._chroma[: self._bins]
        self._frequencies = (np.arange(_SHORT // 2 + 1) * sample_rate / _SHORT).astype(np.float32)
        self._frames = 0
        self._rows = Rows(np.float32, len(FIELDS))

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        self._hear(self._framer.add(samples))

    def finish(self, strength: npt.NDArray[np.float32]) -> Curves:
        """Give the curves of all that was heard: `FIELDS`, in this order.

        Parameters
        ----------
        strength : ndarray
            Of the same stem's onsets, as `analysis.onsets` gives it.
        """
        self._hear(self._framer.finish())
        rows = self._rows.all()
        if len(rows) and len(strength):
            begins = np.arange(len(rows)) * STRENGTH_RATE // self._frame_rate
            rows[:, FIELDS.index("onset")] = np.maximum.reduceat(
                strength, np.minimum(begins, len(strength) - 1)
            )
        return Curves(self._frame_rate, dict(zip(FIELDS, np.ascontiguousarray(rows.T), strict=True)))

    def _hear(self, batches: Iterable[Samples]) -> None:
        for frames in batches:
            rows = np.zeros((frames.shape[1], len(FIELDS)), np.float32)
            rows[:, : FIELDS.index("centroid")] = FLOOR
            rows[:, FIELDS.index("onset")] = 0
            rows[:, FIELDS.index("centroid")] = np.nan
            if max(frames.max(), -frames.min()) > _SILENCE:
                self._measure(frames, rows)
            self._rows.add(rows)
            self._frames += len(rows)

    def _measure(self, frames: Samples, rows: npt.NDArray[np.float32]) -> None:
        numbers = np.arange(self._frames, self._frames + len(rows) + 1)
        lengths = np.diff(-(-numbers * self._sample_rate // self._frame_rate))
        own = frames[:, :, self._before : self._before + lengths.max()]
        own = np.where(np.arange(lengths.max()) < lengths[:, None], own, 0)
        rows[:, 0] = _decibels(np.einsum("cts,cts->t", own, own) / (CHANNELS * lengths))
        rows[:, 1] = _decibels(np.maximum(own.max(axis=(0, 2)), -own.min(axis=(0, 2))) ** 2)
        centre = slice((_LONG - _SHORT) // 2, (_LONG + _SHORT) // 2)
        powers = self._long.powers(frames, self._bins)
        short = self._short.powers(frames[:, :, centre], _SHORT // 2 + 1)
        low, high = powers @ self._low, short @ self._high
        begin = FIELDS.index(BANDS[0])
        rows[:, begin : begin + len(BANDS)] = _decibels(np.concatenate([low, high], axis=1))
        sounds = rows[:, 0] > FLOOR
        sizes = np.sqrt(short[sounds])
        rows[sounds, FIELDS.index("centroid")] = (
            sizes @ self._frequencies / np.maximum(sizes.sum(axis=1), 1e-20)
        )
        chroma = powers[sounds] @ self._chroma
        begin = FIELDS.index(CHROMA[0])
        rows[sounds, begin:] = np.sqrt(chroma / np.maximum(chroma.max(axis=1, keepdims=True), 1e-20))


class _Spectrum:
    """Powers of both channels' spectra."""

    def __init__(self, size: int) -> None:
        window = hann(size)
        # NumPy transforms float32 as such only if it also scales.
        self._window = window * np.float32(size)
        # Of the mean square, by Parseval: all bins but the first and last stand for two.
        self._scale = np.full(size // 2 + 1, 2 / size / (window**2).sum() / CHANNELS, np.float32)
        self._scale[[0, -1]] /= 2

    def powers(self, frames: Samples, bins: int) -> npt.NDArray[np.float32]:
        """Shape (2, frames, size) in, the first bins out, (frames, bins).

        All bins sum to the mean square of both channels.
        """
        spectrum = np.fft.rfft(frames * self._window, axis=-1, norm="forward")[:, :, :bins]
        squares = np.square(spectrum.real) + np.square(spectrum.imag)
        powers: Samples = squares[0] + squares[1]
        powers *= self._scale[:bins]
        return powers


def _decibels(powers: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    decibels: Samples = np.maximum(FLOOR, 10 * np.log10(np.maximum(powers, 1e-20)))
    return decibels


def _band_filters(sample_rate: int, size: int, edges: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Which bins are in which band, shape (bins, bands): those at an edge are shared."""
    corners = np.array(edges) * size / sample_rate
    low = np.arange(size // 2 + 1)[:, None] - 0.5
    shares = np.minimum(low + 1, corners[1:]) - np.maximum(low, corners[:-1])
    return np.asarray(np.clip(shares, 0, 1), np.float32)


def _chroma_filters(sample_rate: int) -> npt.NDArray[np.float32]:
    """Which bins are of which pitch class, shape (bins, 12)."""
    frequencies = np.arange(_LONG // 2 + 1) * sample_rate / _LONG
    lowest, highest = _CHROMA_RANGE
    inside = (frequencies >= lowest) & (frequencies <= highest)
    notes = np.round(69 + 12 * np.log2(np.maximum(frequencies, 1) / 440)).astype(int)
    return np.asarray(inside[:, None] & (notes[:, None] % 12 == np.arange(12)), np.float32)
