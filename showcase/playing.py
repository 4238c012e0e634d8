"""Plays a score: notes into stems, with room around them."""

from collections.abc import Mapping

import numpy as np

from media.samples import CHANNELS, SAMPLE_RATE, Samples
from showcase import synths
from showcase.score import Hit, Score, Sung

# In the mix, in front of the limiter that it does not need.
_LEVELS = {"drums": 1.0, "bass": 0.62, "other": 0.68, "vocals": 0.44}
_DRUMS = {"kick": 0.95, "snare": 0.62, "clap": 0.34, "hat": 0.3, "open hat": 0.24, "crash": 0.28}
_SIDES = {"hat": 0.15, "open hat": 0.15, "crash": -0.2, "clap": -0.1}  # from -1, left
_PEAK = 0.89
_FADE = 8000  # samples
_BLOCK = 1 << 17


def play(score: Score, duration: float, seed: int) -> dict[str, Samples]:
    """Play it.

    Parameters
    ----------
    score : Score
    duration : float
        In seconds; what rings longer is cut off softly.
    seed : int
        Of breath, vibrato and the room.

    Returns
    -------
    dict of str to ndarray (samples, 2), float32
        `drums`, `vocals`, `other` and `bass` at 44.1 kHz, whose sum stays within +-0.89.
    """
    random = np.random.default_rng(seed)
    length = round(duration * SAMPLE_RATE)
    dip = _dip(score.drums, length)
    stems: dict[str, Samples] = {name: np.zeros((length, CHANNELS), np.float32) for name in _LEVELS}
    for hit in score.drums:
        sound = synths.drum(hit.sound) * np.float32(hit.velocity**1.3 * _DRUMS[hit.sound])
        _put(stems["drums"], hit.time, sound, _SIDES.get(hit.sound, 0.0))
    for note in score.bass:
        _put(stems["bass"], note.time, synths.bass(note.pitch, note.seconds, note.velocity), 0.0)
    for note in score.keys:
        _put(
            stems["other"],
            note.time,
            0.3 * synths.keys(note.pitch, note.seconds, note.velocity),
            _place(note.pitch),
        )
    pads = np.zeros((length, CHANNELS), np.float32)
    for note in score.pad:
        for side in (-0.8, 0.8):
            _put(
                pads, note.time, 0.12 * synths.pad(note.pitch, note.seconds, note.velocity, 0.05 * side), side
            )
    before: Sung | None = None
    for sung in score.voice:
        _put(stems["vocals"], sung.time, 0.5 * synths.voice(sung, before, random), 0.0)
        before = sung
    stems["bass"] *= dip
    stems["other"] += pads * dip
    stems["other"] += 0.1 * _room(stems["other"], random, 1.1)
    stems["vocals"] = _echo(stems["vocals"], 0.433, 0.14)
    stems["vocals"] += 0.16 * _room(stems["vocals"], random, 1.5)
    stems["drums"] += 0.03 * _room(stems["drums"], random, 0.5)
    return _mastered(stems)


def _mastered(stems: Mapping[str, Samples]) -> dict[str, Samples]:
    """At their levels in the mix, whose loudest sample is at the peak; the end fades out."""
    mix: Samples = np.zeros_like(next(iter(stems.values())))
    for name, stem in stems.items():
        mix += np.float32(_LEVELS[name]) * stem
    gain = np.float32(_PEAK / max(mix.max(), -mix.min()))
    for stem in stems.values():
        stem[-_FADE:] *= np.linspace(1, 0, _FADE, dtype=np.float32)[:, None]
    return {name: np.float32(_LEVELS[name]) * gain * stem for name, stem in stems.items()}


def _put(track: Samples, time: float, sound: synths.Mono, side: float) -> None:
    """Add a sound to a track, `side` from -1, left, to 1, right."""
    start = round(time * SAMPLE_RATE)
    sound = sound[: len(track) - start]
    for channel, gain in enumerate((min(1.0, 1 - side), min(1.0, 1 + side))):
        track[start : start + len(sound), channel] += np.float32(gain) * sound


def _place(pitch: int) -> float:
    """Low keys stand left, high ones right."""
    return float(np.clip((pitch - 60) / 30, -0.3, 0.3))


def _dip(hits: tuple[Hit, ...], length: int) -> Samples:
    """How much of all the rest each kick lets through, shape (length, 1)."""
    gain = np.ones((length, 1), np.float32)
    t = np.arange(round(0.25 * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    shape = (1 - 0.45 * np.exp(-t / 0.08) * np.clip(t / 0.005, 0, 1))[:, None].astype(np.float32)
    for hit in hits:
        if hit.sound == "kick":
            start = round(hit.time * SAMPLE_RATE)
            part = gain[start : start + len(shape)]
            np.minimum(part, shape[: len(part)], out=part)
    return gain


def _echo(sound: Samples, delay: float, gain: float) -> Samples:
    """Two echoes, one from each side."""
    out = sound.copy()
    step = round(delay * SAMPLE_RATE)
    for number, channel in ((1, 0), (2, 1)):
        out[number * step :, channel] += np.float32(gain / number) * sound[: -number * step, channel]
    return out


def _room(sound: Samples, random: np.random.Generator, decay: float) -> Samples:
    """The answer of a room that is `decay` seconds long: soft noise, other on each side."""
    length = round(decay * SAMPLE_RATE)
    t = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    early = round(0.018 * SAMPLE_RATE)
    answers = np.zeros((len(sound) + _BLOCK, CHANNELS), np.float32)
    for channel in range(CHANNELS):
        answer = synths.noise(random, length, 250, 3800)
        answer *= np.exp(-6.9 * t / decay)
        answer[:early] = 0
        answer /= np.sqrt(np.sum(answer**2))
        spectrum = np.fft.rfft(answer, _BLOCK)
        step = _BLOCK - length  # the answers of two blocks overlap
        for start in range(0, len(sound), step):
            block = np.fft.rfft(sound[start : start + step, channel], _BLOCK)
            answers[start : start + _BLOCK, channel] += np.fft.irfft(block * spectrum, _BLOCK)[
                : len(answers) - start
            ].astype(np.float32)
    return answers[: len(sound)]
