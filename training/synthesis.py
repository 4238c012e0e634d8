"""Drums out of nothing: sweeps, modes and bands of noise, as no drummer has them twice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.events import Drum
from media.samples import SAMPLE_RATE
from training.kits import Kit, Layer, Sound, trimmed

Array = npt.NDArray[Any]

_LAYERS = 3


def synthesised(number: int, rng: np.random.Generator) -> Kit:
    """A kit with every drum, each in three velocities; hats of one kit share their metal."""
    hats = _Metal(rng)
    ride = _Metal(rng)
    crash = _Metal(rng)
    closed, opened = rng.uniform(0.01, 0.1), rng.uniform(0.15, 0.7)
    makers: dict[Drum, Sequence[Sound]] = {
        "kick": [_kick(rng)],
        "snare": [_snare(rng), _clap(rng) if rng.random() < 0.4 else _snare(rng)],
        "closed_hat": [hats.hit(closed, rng), hats.hit(closed * rng.uniform(0.5, 2), rng)],
        "open_hat": [hats.hit(opened, rng)],
        "tom": [_tom(rng) for _ in range(3)],
        "crash": [crash.hit(rng.uniform(0.5, 1.6), rng, spread=rng.uniform(0, 0.02))],
        "ride": [ride.hit(rng.uniform(0.3, 1.4), rng, ping=rng.uniform(0.2, 1.5))],
    }
    drums = {drum: [_layers(sound, rng) for sound in sounds] for drum, sounds in makers.items()}
    return Kit(f"synthesised {number}", drums)


def _layers(sound: Sound, rng: np.random.Generator) -> list[Layer]:
    """Softer hits are duller, and not just the hard one at less gain."""
    dullness = rng.uniform(0, 1.5)
    layers = []
    for velocity in np.linspace(1 / _LAYERS, 1, _LAYERS):
        spectrum = np.fft.rfft(sound, _length(len(sound)))
        frequencies = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
        spectrum *= (1 + frequencies / 2000) ** (-dullness * (1 - velocity))
        softer = trimmed(np.fft.irfft(spectrum)[: len(sound)].astype(np.float32))
        assert softer is not None
        layers.append(Layer(softer / np.abs(softer).max() * np.float32(velocity**1.5), float(velocity)))
    return layers


def _kick(rng: np.random.Generator) -> Sound:
    t = _times(rng.uniform(0.25, 0.9))
    frequency = rng.uniform(38, 95) * (1 + rng.uniform(0.2, 6) * np.exp(-t / rng.uniform(0.006, 0.07)))
    body = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE + rng.uniform(0, 1)) * _decay(
        t, rng.uniform(0.04, 0.5) / 2
    )
    body = np.tanh(rng.uniform(0.5, 4) * body)
    click = _noise(len(t), rng.uniform(500, 3000), rng.uniform(3500, 14000), rng) * _decay(
        t, rng.uniform(0.002, 0.01)
    )
    thud = _noise(len(t), 40, rng.uniform(200, 1200), rng) * _decay(t, rng.uniform(0.01, 0.08))
    return _sound(body + rng.uniform(0, 0.5) * click + rng.uniform(0, 0.4) * thud)


def _snare(rng: np.random.Generator) -> Sound:
    t = _times(rng.uniform(0.2, 0.7))
    first = rng.uniform(120, 330)
    bend = 1 + rng.uniform(0, 0.5) * np.exp(-t / 0.02)
    modes = sum(
        amount
        * np.sin(2 * np.pi * np.cumsum(first * ratio * bend) / SAMPLE_RATE)
        * _decay(t, rng.uniform(0.02, 0.12))
        for ratio, amount in ((1, 1), (rng.uniform(1.4, 1.9), rng.uniform(0.2, 0.9)))
    )
    wires = _noise(len(t), rng.uniform(300, 3000), rng.uniform(5000, 16000), rng) * _decay(
        t, rng.uniform(0.03, 0.2)
    )
    mixed = rng.uniform(0.1, 1.2) * modes + rng.uniform(0.5, 1.5) * wires
    if rng.random() < 0.4:  # a thump of its shell
        mixed = mixed + rng.uniform(0.2, 1) * np.sin(2 * np.pi * rng.uniform(80, 160) * t) * _decay(t, 0.05)
    if rng.random() < 0.3:  # a ring
        mixed = mixed + rng.uniform(0.05, 0.3) * np.sin(2 * np.pi * rng.uniform(400, 1200) * t) * _decay(
            t, 0.2
        )
    return _sound(mixed)


def _clap(rng: np.random.Generator) -> Sound:
    t = _times(rng.uniform(0.2, 0.5))
    envelope = rng.uniform(0.3, 0.9) * _decay(t, rng.uniform(0.04, 0.15))
    for burst in range(4):
        late = t - burst * rng.uniform(0.007, 0.014)
        envelope = np.maximum(
            envelope, np.where(late >= 0, np.exp(-np.maximum(late, 0) / rng.uniform(0.003, 0.01)), 0)
        )
    low = rng.uniform(500, 1500)
    return _sound(envelope * _noise(len(t), low, low * rng.uniform(2, 8), rng))


def _tom(rng: np.random.Generator) -> Sound:
    t = _times(rng.uniform(0.3, 1.0))
    frequency = rng.uniform(70, 260) * (1 + rng.uniform(0.05, 0.8) * np.exp(-t / rng.uniform(0.02, 0.12)))
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    body = np.sin(phase) + rng.uniform(0, 0.5) * np.sin(phase * rng.uniform(1.5, 2.2)) * _decay(t, 0.06)
    stick = _noise(len(t), rng.uniform(300, 2000), rng.uniform(3000, 9000), rng) * _decay(
        t, rng.uniform(0.004, 0.03)
    )
    return _sound(body * _decay(t, rng.uniform(0.06, 0.35)) + rng.uniform(0, 0.6) * stick)


class _Metal:
    """Partials of square waves, and noise, in a band."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._low = float(np.exp(rng.uniform(np.log(1200), np.log(9500))))
        self._high = max(rng.uniform(6000, 20000), 1.5 * self._low)
        self._partials = rng.uniform(200, 1200) * rng.uniform(1, 4, size=6)
        self._tone = rng.uniform(0, 1) ** 2

    def hit(self, seconds: float, rng: np.random.Generator, spread: float = 0.0, ping: float = 0.0) -> Sound:
        """`seconds` to a third; `spread` to full level; `ping` of the stick on a bell."""
        t = _times(min(2.4, 5 * seconds + 0.05))
        squares = (
            np.sign(np.sin(2 * np.pi * self._partials[:, None] * t + rng.uniform(0, 6, (6, 1)))).sum(axis=0)
            / 6
        )
        squares = _filtered(squares, self._low, self._high)
        noise = _noise(len(t), self._low, self._high, rng)
        mixed = self._tone * squares / np.abs(squares).max() + (1 - self._tone) * noise
        mixed = mixed * _decay(t, seconds) * (1 - np.exp(-t / spread) if spread else 1)
        if rng.random() < 0.5:
            mixed = mixed + rng.uniform(0.2, 1) * noise * _decay(t, 0.005)
        if ping:
            bell = sum(np.sin(2 * np.pi * f * t) for f in rng.uniform(400, 6000, size=4)) / 4
            mixed = mixed + ping * bell * _decay(t, rng.uniform(0.05, 0.4))
        return _sound(mixed)


def _times(seconds: float) -> Array:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _decay(t: Array, seconds: float) -> Array:
    return np.exp(-t / seconds)


def _noise(length: int, low: float, high: float, rng: np.random.Generator) -> Array:
    noise = _filtered(rng.standard_normal(length, dtype=np.float32), low, high)
    return noise / float(np.abs(noise[: SAMPLE_RATE // 20]).max())


def _filtered(sound: Array, low: float, high: float) -> Array:
    """A band of it, with shoulders of 12 dB an octave; lengths of powers of two are the fast ones."""
    spectrum = np.fft.rfft(sound, _length(len(sound)))
    frequencies = np.linspace(0, SAMPLE_RATE / 2, len(spectrum)) + 1
    spectrum *= np.minimum(1, (frequencies / low) ** 2) * np.minimum(1, (high / frequencies) ** 2)
    return np.fft.irfft(spectrum)[: len(sound)]


def _length(samples: int) -> int:
    return 1 << (samples - 1).bit_length()


def _sound(mixed: Array) -> Sound:
    sound = trimmed(mixed.astype(np.float32))
    assert sound is not None
    return sound / float(np.abs(sound).max())
