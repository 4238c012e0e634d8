"""Instruments: each gives one note as samples. What is not a formula is noise from a seed."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from media.samples import SAMPLE_RATE
from showcase.score import Sound, Sung, Vowel

Mono = npt.NDArray[np.float32]  # shape (samples,)

# The first five resonances of a voice, in Hz, how wide they are, and how loud in dB: those of a soprano, as
# textbooks of acoustics have them.
_FORMANTS: Mapping[Vowel, tuple[tuple[float, float, float], ...]] = {
    "a": ((800, 90, 0), (1150, 95, -5), (2900, 120, -26), (3900, 130, -22), (4950, 140, -42)),
    "e": ((400, 70, 0), (2000, 100, -12), (2800, 120, -14), (3600, 150, -30), (4950, 200, -44)),
    "i": ((310, 70, 0), (2250, 100, -12), (3000, 120, -18), (3700, 150, -28), (4950, 200, -44)),
    "o": ((450, 70, 0), (800, 80, -8), (2830, 100, -20), (3800, 130, -22), (4950, 135, -44)),
    "u": ((350, 60, 0), (700, 70, -12), (2700, 170, -30), (3800, 180, -32), (4950, 200, -50)),
}
_VOICE_HARMONICS = 22
_CONTROL = 64  # samples between two looks at what changes slowly


def seconds(length: float) -> Mono:
    """Times of samples, from 0."""
    return np.arange(round(length * SAMPLE_RATE), dtype=np.float32) / np.float32(SAMPLE_RATE)


def hertz(pitch: float) -> float:
    """The frequency of a MIDI note."""
    return 440.0 * 2 ** ((pitch - 69) / 12)


def band(samples: Mono, low: float, high: float) -> Mono:
    """What of a sound lies between two frequencies, with edges an octave wide."""
    size = 1 << len(samples).bit_length()  # a transform of any other length takes far longer
    spectrum = np.fft.rfft(samples, size)
    at = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 1)
    rise = np.clip(1 + np.log2(at / low), 0, 1)
    fall = np.clip(1 - np.log2(at / high), 0, 1)
    return _mono(np.fft.irfft(spectrum * rise * fall, size)[: len(samples)])


def noise(random: np.random.Generator, samples: int, low: float, high: float) -> Mono:
    """Noise between two frequencies."""
    return band(random.standard_normal(samples, np.float32), low, high)


@lru_cache(maxsize=16)
def drum(sound: Sound) -> Mono:
    """A stroke at full strength."""
    random = np.random.default_rng(sum(sound.encode()))
    if sound == "kick":
        t = seconds(0.42)
        phase = 2 * np.pi * (47 * t + 150 / 34 * (1 - np.exp(-34 * t)))
        click = noise(random, len(t), 1500, 5000) * np.exp(-t / 0.004)
        return _mono(np.tanh(1.6 * np.sin(phase) * np.exp(-t / 0.15)) * _ends(t) + 0.25 * click)
    if sound == "snare":
        t = seconds(0.3)
        hiss = noise(random, len(t), 1100, 7000)
        tone = np.sin(2 * np.pi * 186 * t) + 0.6 * np.sin(2 * np.pi * 331 * t)
        body = 0.5 * tone * np.exp(-t / 0.055) + 0.55 * hiss * np.exp(-t / 0.085)
        return _mono(np.tanh(1.3 * body) * _ends(t))
    if sound == "clap":
        t = seconds(0.26)
        hiss = noise(random, len(t), 900, 3200)
        shape = np.exp(-np.maximum(t - 0.024, 0) / 0.06) * (t >= 0.024)
        for late in (0.0, 0.012):
            shape += np.exp(-np.maximum(t - late, 0) / 0.004) * (t >= late)
        return _mono(0.8 * hiss * shape * _ends(t))
    length, decay = {"hat": (0.09, 0.018), "open hat": (0.34, 0.11), "crash": (1.8, 0.5)}[sound]
    t = seconds(length)
    hiss = noise(random, len(t), 5200 if sound == "crash" else 7600, 13_000)
    metal = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in (3174.0, 4110.0, 5336.0, 6120.0))
    ringing = band(np.asarray(metal, np.float32), 7000, 13_000)
    return _mono((0.6 * hiss + 0.2 * ringing) * np.exp(-t / decay) * _ends(t))


def bass(pitch: int, length: float, velocity: float) -> Mono:
    """A plucked string through a filter that closes."""
    t = seconds(length + 0.06)
    tone = np.zeros_like(t)
    base = hertz(pitch)
    for harmonic in range(1, 15):
        closes = np.exp(-t * (1.2 + 0.9 * (harmonic - 1) * (1.6 - velocity)))
        tone += np.sin(2 * np.pi * harmonic * base * t + 0.4 * harmonic) / harmonic**1.15 * closes
    return _mono(np.tanh(1.1 * velocity * tone) * _held(t, length, 0.004, 0.03))


def keys(pitch: int, length: float, velocity: float) -> Mono:
    """An electric piano: a tine struck by a hammer, by frequency modulation."""
    t = seconds(length + 0.25)
    base = 2 * np.pi * hertz(pitch) * t
    bark = (0.35 + 1.3 * velocity**2) * np.exp(-t / 0.35)
    tine = 0.22 * velocity * np.sin(14 * base) * np.exp(-t / 0.05)
    tone = np.sin(base + bark * np.sin(base)) + 0.18 * np.sin(2 * base) * np.exp(-t / 0.9)
    return _mono(velocity * (tone * np.exp(-t / 1.5) + tine) * _held(t, length, 0.003, 0.09))


@lru_cache(maxsize=16)
def pad(pitch: int, length: float, velocity: float, detune: float) -> Mono:
    """Soft strings, a few cents beside the pitch."""
    t = seconds(length + 0.5)
    base = 2 * np.pi * hertz(pitch + detune) * t
    tone = sum(np.sin(k * base + 1.7 * k * k) / k**1.9 for k in range(1, 7))
    return _mono(velocity * tone * _held(t, length, 0.35, 0.2))


def voice(sung: Sung, before: Sung | None, random: np.random.Generator) -> Mono:
    """A sung note: harmonics as loud as the vowel's resonances let them be, with vibrato and breath."""
    t = seconds(sung.seconds + 0.09)
    slow = t[::_CONTROL]
    tied = before is not None and sung.tied
    come_from = before.pitch if before is not None and tied else sung.pitch - 1.2
    glide = 1 - np.exp(-t / (0.03 if tied else 0.022))
    vibrato = 0.24 * np.clip((t - 0.16) / 0.35, 0, 1) * np.sin(2 * np.pi * 5.4 * t + random.uniform(0, 6))
    drift = np.interp(t, slow, 0.04 * np.cumsum(random.normal(0, 0.06, len(slow))))
    pitch = come_from + (sung.pitch - come_from) * glide + vibrato + drift
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    old = _FORMANTS[before.vowel if before is not None and tied else "u"]
    new = _FORMANTS[sung.vowel]
    share = np.clip(slow / 0.09, 0, 1)[:, None]  # the mouth opens
    formants = np.array(old)[None] * (1 - share[..., None]) + np.array(new)[None] * share[..., None]
    centre, width, peak = formants[..., 0], 1.4 * formants[..., 1], 10 ** (formants[..., 2] / 20)
    turn = np.exp(1j * phase).astype(np.complex64)
    turning = turn.copy()  # its powers are the harmonics
    tone = np.zeros_like(t)
    for harmonic in range(1, _VOICE_HARMONICS + 1):
        at = harmonic * frequency[::_CONTROL, None]
        resonance = peak / (1 + ((at - centre) / width) ** 2)
        loudness = (resonance.sum(axis=1) + (0.5 if harmonic == 1 else 0.03)) / harmonic**0.55
        tone += np.interp(t, slow, loudness).astype(np.float32) * turning.imag
        turning *= turn
    air = _air()[random.integers(SAMPLE_RATE) :][: len(t)]
    breath = 0.02 + 0.1 * np.exp(-t / 0.03) * (not tied)
    swell = 0.8 + 0.2 * np.sin(np.pi * np.clip(t / max(sung.seconds, 0.1), 0, 1))
    attack = 0.02 if tied else 0.045
    return _mono((tone * swell + breath * air) * _held(t, sung.seconds, attack, 0.05))


@lru_cache(maxsize=1)
def _air() -> Mono:
    """Breath, longer than any note by a second."""
    return noise(np.random.default_rng(5), 4 * SAMPLE_RATE, 2500, 9000)


def _mono(samples: npt.ArrayLike) -> Mono:
    return np.asarray(samples, np.float32)


def _held(t: Mono, length: float, attack: float, release: float) -> npt.NDArray[np.float64]:
    """1 while a note is held, with soft edges."""
    rise = np.clip(t / attack, 0, 1)
    fall = np.exp(-np.maximum(t - length, 0) / release)
    return np.asarray(np.sin(np.pi / 2 * rise) ** 2 * fall * _ends(t), np.float64)


def _ends(t: Mono) -> npt.NDArray[np.float64]:
    """1, and in the last hundredth of a second down to 0, so that nothing clicks."""
    return np.asarray(np.clip((t[-1] - t) / 0.01, 0, 1), np.float64)
