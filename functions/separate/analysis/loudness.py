"""Loudness and true peak by ITU-R BS.1770-4."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.events import Loudness
from analysis.rows import Rows
from media.samples import CHANNELS, Samples

_STEP = 0.1  # s between blocks, which are four of them long
_STEPS = 4
_OFFSET = -0.691  # LUFS of K-weighted sound with a mean square of 1
_ABSOLUTE_GATE = -70.0  # LUFS
_RELATIVE_GATE = -10.0  # LU
_TRANSFORM = 1 << 15
# The weighting's high-pass has died away to 1e-10 by then.
_RESPONSE = 1 << 13
# Annex 2's filter for four times the rate: what each of its four phases does to twelve samples.
_PHASE_0 = (
    *(0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625),
    *(
        0.9721679687500,
        -0.1022949218750,
        0.0476074218750,
        -0.0266113281250,
        0.0148925781250,
        -0.0083007812500,
    ),
)
_PHASE_1 = (
    *(
        -0.0291748046875,
        0.0292968750000,
        -0.0517578125000,
        0.0891113281250,
        -0.1665039062500,
        0.4650878906250,
    ),
    *(
        0.7797851562500,
        -0.2003173828125,
        0.1015625000000,
        -0.0582275390625,
        0.0330810546875,
        -0.0189208984375,
    ),
)
_PHASES = np.array([_PHASE_0, _PHASE_1, _PHASE_1[::-1], _PHASE_0[::-1]])
_RUN = 64  # samples that are oversampled by one row of a matrix


class LoudnessMeter:
    """Measures samples as they come.

    Parameters
    ----------
    sample_rate : int
        A multiple of 10 Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._weighting = _weighting(sample_rate)
        self._step = round(sample_rate * _STEP)
        self._waiting = np.zeros((CHANNELS, _RESPONSE), np.float32)
        self._weighted = np.empty((CHANNELS, 0), np.float32)
        self._squares = Rows(np.float64)
        self._peak = _TruePeak()

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        self._peak.add(samples.T)
        self._waiting = np.concatenate([self._waiting, samples.T], axis=1)
        begin = 0
        while self._waiting.shape[1] - begin >= _TRANSFORM:
            self._square(self._filtered(self._waiting[:, begin : begin + _TRANSFORM]))
            begin += _TRANSFORM - _RESPONSE
        self._waiting = self._waiting[:, begin:].copy()

    def finish(self) -> Loudness:
        """Give the loudness of all that was heard: integrated needs a block of 0.4 s above the gate."""
        rest = self._waiting.shape[1] - _RESPONSE
        self._square(
            self._filtered(np.pad(self._waiting, ((0, 0), (0, _TRANSFORM - _RESPONSE - rest))))[:, :rest]
        )
        peak = self._peak.finish()
        return Loudness(_integrated(self._squares.all()), 20 * float(np.log10(peak)) if peak > 0 else None)

    def _filtered(self, samples: Samples) -> Samples:
        """Weight samples, but for the first `_RESPONSE`, which are what came before."""
        if not samples.any():
            return samples[:, _RESPONSE:]
        # NumPy transforms float32 as such only if it also scales: here by a power of two, each way.
        spectrum = np.fft.rfft(samples, axis=1, norm="forward") * self._weighting
        return np.asarray(np.fft.irfft(spectrum, axis=1, norm="backward"), np.float32)[:, _RESPONSE:]

    def _square(self, weighted: Samples) -> None:
        weighted = np.concatenate([self._weighted, weighted], axis=1)
        whole = weighted.shape[1] // self._step * self._step
        steps = weighted[:, :whole].reshape(CHANNELS, -1, self._step)
        self._squares.add(np.einsum("cst,cst->s", steps, steps, dtype=np.float64) / self._step)
        self._weighted = weighted[:, whole:]


class _TruePeak:
    """The largest magnitude of the sound at four times its rate."""

    def __init__(self) -> None:
        taps = _PHASES.shape[1]
        self._matrix = np.zeros((_RUN + taps - 1, _RUN, len(_PHASES)), np.float32)
        for sample in range(_RUN):
            # The newest sample meets the first coefficient.
            self._matrix[sample : sample + taps, sample] = _PHASES[:, ::-1].T
        self._matrix = self._matrix.reshape(len(self._matrix), -1)
        self._most = float(np.abs(_PHASES).sum(axis=1).max())  # that full scale can come to
        self._waiting = np.zeros((CHANNELS, taps - 1), np.float32)
        self._largest = 0.0

    def add(self, samples: Samples) -> None:
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        rows = (self._waiting.shape[1] - len(self._matrix)) // _RUN + 1
        for begin in range(0, rows, 512):  # what stays in the processor's cache
            self._hear(self._waiting[:, begin * _RUN :], min(512, rows - begin))
        self._waiting = self._waiting[:, max(0, rows) * _RUN :].copy()

    def finish(self) -> float:
        silence = np.zeros((CHANNELS, len(self._matrix) + _RUN), np.float32)
        self.add(silence)
        return self._largest

    def _hear(self, samples: Samples, rows: int) -> None:
        runs = np.lib.stride_tricks.sliding_window_view(samples, len(self._matrix), axis=1)[
            :, : rows * _RUN : _RUN
        ]
        # Runs that cannot come to the peak of before are most of a song.
        bounds = self._most * np.maximum(runs.max(axis=-1), -runs.min(axis=-1))
        loud = runs[bounds > self._largest]
        if len(loud):
            oversampled = loud @ self._matrix
            self._largest = max(self._largest, float(oversampled.max()), -float(oversampled.min()))


def _integrated(squares: npt.NDArray[np.float64]) -> float | None:
    """Gated loudness of the mean squares of steps."""
    if len(squares) < _STEPS:
        return None
    blocks = np.convolve(squares, np.full(_STEPS, 1 / _STEPS), "valid")
    blocks = blocks[blocks > 10 ** ((_ABSOLUTE_GATE - _OFFSET) / 10)]
    if not len(blocks):
        return None
    blocks = blocks[blocks > blocks.mean() * 10 ** (_RELATIVE_GATE / 10)]
    return _OFFSET + 10 * float(np.log10(blocks.mean()))


class _Biquad(NamedTuple):
    """Coefficients of a filter of the second order."""

    numerator: tuple[float, float, float]
    denominator: tuple[float, float, float]


def weighting_filters(sample_rate: int) -> Iterator[_Biquad]:
    """K-weighting's shelf and high-pass.

    The standard has coefficients for 48 kHz; these are the analogue filters behind them, as De Man,
    "Evaluation of implementations of the EBU R128 loudness measurement", 2018, derives them.
    """
    shelf = np.tan(np.pi * 1681.974450955533 / sample_rate)
    quality = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    scale = 1 + shelf / quality + shelf**2
    yield _Biquad(
        (
            (high + middle * shelf / quality + shelf**2) / scale,
            2 * (shelf**2 - high) / scale,
            (high - middle * shelf / quality + shelf**2) / scale,
        ),
        (1, 2 * (shelf**2 - 1) / scale, (1 - shelf / quality + shelf**2) / scale),
    )
    cut = np.tan(np.pi * 38.13547087602444 / sample_rate)
    quality = 0.5003270373238773
    scale = 1 + cut / quality + cut**2
    yield _Biquad((1, -2, 1), (1, 2 * (cut**2 - 1) / scale, (1 - cut / quality + cut**2) / scale))


def _weighting(sample_rate: int) -> npt.NDArray[np.complex64]:
    """What K-weighting does to a spectrum of `_TRANSFORM` samples, which is scaled by their number twice."""
    turns = np.exp(-2j * np.pi * np.arange(_TRANSFORM // 2 + 1) / _TRANSFORM)
    powers = np.stack([np.ones_like(turns), turns, turns**2])
    response = np.ones_like(turns)
    for numerator, denominator in weighting_filters(sample_rate):
        response *= (np.array(numerator) @ powers) / (np.array(denominator) @ powers)
    weighting: npt.NDArray[np.complex64] = (_TRANSFORM * response).astype(np.complex64)
    return weighting
