"""How good stems are, in figures, where the parts of the song are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from media.samples import SAMPLE_RATE
from tests.quality.known_song import KnownSong, Samples

TOLERANCE = 0.05  # seconds; from there on an eye sees that light and beat are apart
BASS_HERTZ = 120

_FRAME, _HOP = 1024, 441  # frames of 23 ms, every 10 ms
_THRESHOLD = 0.03  # of the highest flux


@dataclass(frozen=True)
class Quality:
    """What two stems are worth. All but the last are in dB.

    Attributes
    ----------
    vocals_sdr, accompaniment_sdr
        Signal-to-distortion ratio: the part's energy over that of its difference from the stem.
    vocals_gain, accompaniment_gain
        How much higher that is than the ratio of the mix itself, taken for the stem.
    silence
        Energy of the vocals where nobody sings, relative to the mix there.
    bass_leak
        Energy of the vocals below 120 Hz, relative to the mix there.
    onsets
        F-measure of the onsets found in the accompaniment against the drums' beats, 0 to 1.
    """

    vocals_sdr: float
    vocals_gain: float
    accompaniment_sdr: float
    accompaniment_gain: float
    silence: float
    bass_leak: float
    onsets: float


def quality(song: KnownSong, vocals: Samples, accompaniment: Samples) -> Quality:
    """Measure two stems, of the song's shape."""
    mix = song.mix
    vocals_sdr, accompaniment_sdr = sdr(song.vocals, vocals), sdr(song.accompaniment, accompaniment)
    silent = song.is_silent
    return Quality(
        vocals_sdr=vocals_sdr,
        vocals_gain=vocals_sdr - sdr(song.vocals, mix),
        accompaniment_sdr=accompaniment_sdr,
        accompaniment_gain=accompaniment_sdr - sdr(song.accompaniment, mix),
        silence=decibels(vocals[:, silent], mix[:, silent]),
        bass_leak=decibels(_below(vocals, BASS_HERTZ), _below(mix, BASS_HERTZ)),
        onsets=f_measure(song.beats, onsets(accompaniment)),
    )


def sdr(part: Samples, stem: Samples) -> float:
    """Signal-to-distortion ratio in dB, of the whole song and both channels at once."""
    return decibels(part, part - stem)


def decibels(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Energy of one over that of the other."""
    return float(10 * np.log10((np.sum(np.abs(one) ** 2) + 1e-20) / (np.sum(np.abs(other) ** 2) + 1e-20)))


def onsets(samples: Samples) -> npt.NDArray[np.float64]:
    """When something begins, in seconds: peaks of the spectral flux.

    The rule for peaks is that of S. Böck, F. Krebs and M. Schedl, "Evaluating the online capabilities of
    onset detection methods" (ISMIR 2012): the highest of 60 ms, and above the mean of 200 ms by a threshold.
    The threshold is low, so that a voice over the drums misleads it, and separation has something to mend.
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(samples.mean(axis=0), _FRAME // 2), _FRAME)
    spectrum = np.log1p(np.abs(np.fft.rfft(windows[::_HOP] * np.hanning(_FRAME))))
    flux = np.maximum(0, np.diff(spectrum, axis=0, prepend=spectrum[:1])).sum(axis=1)
    flux /= flux.max()
    around = np.lib.stride_tricks.sliding_window_view(np.pad(flux, 3), 7).max(axis=1)
    mean = np.convolve(flux, np.ones(21) / 21, "same")
    peaks = np.flatnonzero((flux == around) & (flux > mean + _THRESHOLD))
    return peaks * _HOP / SAMPLE_RATE


def f_measure(expected: Samples, found: Samples) -> float:
    """Harmonic mean of precision and recall. A beat and an onset within 50 ms of it are a hit, once each."""
    hits = one = other = 0
    while one < len(expected) and other < len(found):
        apart = found[other] - expected[one]
        if abs(apart) <= TOLERANCE:
            hits += 1
        one += apart >= -TOLERANCE
        other += apart <= TOLERANCE
    return 2 * hits / (len(expected) + len(found))


def _below(samples: Samples, hertz: float) -> npt.NDArray[np.complex128]:
    bins = int(hertz * samples.shape[1] / SAMPLE_RATE)
    return np.fft.rfft(samples)[:, :bins]
