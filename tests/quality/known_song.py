"""A song whose parts are known: drums on a grid, bass, chords, and a voice that comes and goes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from media.samples import SAMPLE_RATE
from tests.quality.voice import Voice

Samples = npt.NDArray[np.floating[Any]]

BARS = 12
_BEAT = 60 / 110
_BAR = 4 * _BEAT
_START = 0.1
_ROOTS = [45, 41, 48, 43]  # A minor, F, C, G: a chord a bar, as MIDI's numbers
_THIRDS = [3, 4, 4, 4]
_LINES = {
    2: "Every morning in the city there is a song that nobody knows",
    4: "Come along and sing it with me all night long",
    7: "Down by the river where the old train goes",
    9: "I will be waiting, I will be waiting for you",
}
_PEAK = 0.9
_VOICE_LEVEL = 1.6


@dataclass(frozen=True)
class KnownSong:
    """The song, and what there is to know of it.

    Attributes
    ----------
    vocals, accompaniment : ndarray (2, any), float64
        They sum to the mix, which stays within +-0.9.
    beats : ndarray (any,)
        When drums are hit, in seconds.
    is_silent : ndarray (any,), bool
        Where the voice says nothing, nor within a tenth of a second.
    """

    vocals: Samples
    accompaniment: Samples
    beats: Samples
    is_silent: npt.NDArray[np.bool_]

    @property
    def mix(self) -> Samples:
        return self.vocals + self.accompaniment


def known_song(voice_gain: float = 0.0) -> KnownSong:
    """Make it; the same each time.

    Parameters
    ----------
    voice_gain
        In dB. At 0 the voice has 3 dB less energy than all the rest.
    """
    random = np.random.default_rng(0)
    beats = _START + _BEAT * np.arange(4 * BARS)
    voice = _voice()
    accompaniment = _drums(random, beats) + _bass(beats) + _chords()
    vocals = np.stack([voice, voice]) * _VOICE_LEVEL * 10 ** (voice_gain / 20)
    scale = _PEAK / np.abs(vocals + accompaniment).max()
    reach = SAMPLE_RATE // 10
    nearby = np.convolve(voice != 0, np.ones(2 * reach + 1), "same")
    return KnownSong(vocals * scale, accompaniment * scale, beats, nearby < 0.5)


def _voice() -> Samples:
    voice = Voice()
    return _placed((_START + bar * _BAR, voice.say(line, SAMPLE_RATE)) for bar, line in _LINES.items())


def _drums(random: np.random.Generator, beats: Samples) -> Samples:
    """Kick on one and three, snare on two and four, hi-hat on all, a little to the right."""

    def noise(seconds: float) -> Samples:
        return np.diff(random.standard_normal(round(seconds * SAMPLE_RATE) + 1)) / 2

    time = _time(0.3)
    sweep = np.cumsum(45 + 120 * np.exp(-time / 0.03)) / SAMPLE_RATE
    kick = 0.8 * np.sin(2 * np.pi * sweep) * np.exp(-time / 0.1)
    time = _time(0.25)
    snares = (
        0.3 * np.sin(2 * np.pi * 185 * time) * np.exp(-time / 0.05) + 0.5 * noise(0.25) * np.exp(-time / 0.07)
        for _ in beats[1::2]
    )
    hats = (0.25 * noise(0.08) * np.exp(-_time(0.08) / 0.02) for _ in beats)
    middle = _placed((at, kick) for at in beats[::2]) + _placed(zip(beats[1::2], snares, strict=True))
    side = _placed(zip(beats, hats, strict=True))
    return np.stack([middle + 0.7 * side, middle + side])


def _bass(beats: Samples) -> Samples:
    """The chord's root, two octaves down, in notes of a beat."""
    time = _time(0.95 * _BEAT)
    shape = np.minimum(1, time / 0.005) * np.minimum(1, (time[-1] - time) / 0.02) * np.exp(-time / 0.4)
    notes = [0.25 * shape * _harmonics(root - 12, time, 6, 1.5) for root in _ROOTS]
    bass = _placed((at, notes[index // 4 % 4]) for index, at in enumerate(beats))
    return np.stack([bass, bass])


def _chords() -> Samples:
    """Something plucked, a little to the left, once a bar."""
    time = _time(_BAR)
    shape = np.minimum(1, time / 0.004) * np.minimum(1, (time[-1] - time) / 0.05) * np.exp(-time / 0.8)
    chords = [
        0.06 * shape * sum(_harmonics(root + 12 + up, time, 8, 1.0) for up in (0, third, 7, 12))
        for root, third in zip(_ROOTS, _THIRDS, strict=True)
    ]
    plucked = _placed((_START + bar * _BAR, chords[bar % 4]) for bar in range(BARS))
    return np.stack([plucked, 0.6 * plucked])


def _harmonics(note: int, time: Samples, count: int, slope: float) -> Samples:
    hertz = 440 * 2 ** ((note - 69) / 12)
    numbers = np.arange(1, count + 1)[:, np.newaxis]
    partials = np.sin(2 * np.pi * hertz * numbers * time + numbers) / numbers**slope
    summed: Samples = partials.sum(axis=0)
    return summed


def _placed(sounds: Iterable[tuple[float, Samples]]) -> Samples:
    """One channel of the song with sounds at their times, in seconds."""
    track = np.zeros(round((_START + BARS * _BAR + 0.5) * SAMPLE_RATE))
    for at, sound in sounds:
        begin = round(at * SAMPLE_RATE)
        track[begin : begin + len(sound)] += sound
    return track


def _time(seconds: float) -> Samples:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
