"""Strokes on a kit as sound, and what becomes of it in a room, a desk and a separation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from media.samples import SAMPLE_RATE
from training.kits import Kit, Layer, Sound
from training.patterns import Stroke

Array = npt.NDArray[Any]

_FFT = 4096
_STEP = 1024


def render(kit: Kit, strokes: Sequence[Stroke], seconds: float, choked: bool = True) -> Sound:
    """Play strokes on a kit. Those of drums that it lacks are left out; `choked` hats end the open one."""
    mixed = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
    hats = sorted(stroke.time for stroke in strokes if stroke.drum.endswith("hat"))
    for stroke in strokes:
        if stroke.drum not in kit.drums:
            continue
        start = round(stroke.time * SAMPLE_RATE)
        sound = hit(kit.drums[stroke.drum], stroke)[: len(mixed) - start]
        if choked and stroke.drum == "open_hat":
            following = next((time for time in hats if time > stroke.time), None)
            if following is not None:
                sound = _ended(sound, round((following - stroke.time) * SAMPLE_RATE))
        mixed[start : start + len(sound)] += sound
    return mixed


def hit(variants: Sequence[Sequence[Layer]], stroke: Stroke) -> Sound:
    """The layer nearest to the stroke's velocity, at its level."""
    layers = variants[stroke.variant % len(variants)]
    layer = min(layers, key=lambda one: abs(one.velocity - stroke.velocity))
    return layer.sound * np.float32((stroke.velocity / layer.velocity) ** 1.5)


def coloured(sound: Sound, rng: np.random.Generator) -> Sound:
    """Through an equaliser, and perhaps a room, a compressor, a clipper and a noisy line."""
    length = 1 << (len(sound) - 1).bit_length()
    response = np.fft.rfft(_equaliser(rng), length)
    if rng.random() < 0.35:
        response *= 1 + np.float32(rng.uniform(0.1, 0.6)) * np.fft.rfft(_room(rng), length)
    result: Sound = np.fft.irfft(np.fft.rfft(sound, length) * response)[: len(sound)].astype(np.float32)
    result /= max(float(np.abs(result).max()), 1e-6)
    if rng.random() < 0.4:
        result = compressed(result, rng.uniform(0.05, 0.4), rng.uniform(0.3, 0.8), rng.uniform(0.03, 0.3))
    if rng.random() < 0.25:
        result = np.tanh(np.float32(rng.uniform(1, 5)) * result)
    if rng.random() < 0.5:
        noise = rng.standard_normal(len(result), dtype=np.float32)
        result = result + noise * np.float32(10 ** rng.uniform(-4.2, -2.5))
    return result


def compressed(sound: Sound, threshold: float, amount: float, release: float) -> Sound:
    """Less of what is above the threshold: all but `1 - amount` of its decibels are kept back."""
    block = 256
    peaks = np.abs(np.pad(sound, (0, -len(sound) % block))).reshape(-1, block).max(axis=1)
    fall = np.exp(-block / SAMPLE_RATE / release)
    level, levels = 0.0, []
    for peak in peaks.tolist():
        level = max(peak, level * fall)
        levels.append(level)
    gains = np.minimum(1, (threshold / np.maximum(levels, 1e-6)) ** amount)
    gains = np.interp(np.arange(len(sound)), (np.arange(len(gains)) + 0.5) * block, gains)
    return sound * gains.astype(np.float32)


def separated(
    drums: Sound, others: Sound, exponent: float = 2.0, blur: float = 2.0, leak: float = 0.015
) -> Sound:
    """What a separation by masks leaves of the drums in a mix.

    The mask is the drums' share of the mix's spectrum to the power of `exponent`, blurred over that many bins
    and frames, and `leak` at the least.
    """
    d, o = _spectrum(drums), _spectrum(others)
    power = np.abs(d) ** np.float32(exponent)
    mask = _blurred(power / (power + np.abs(o) ** np.float32(exponent) + np.float32(1e-12)), blur)
    return _sound((d + o) * np.maximum(mask, np.float32(leak)), len(drums))


def _blurred(mask: Array, width: float) -> Array:
    if width > 0:
        reach = int(np.ceil(2 * width))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
        kernel = (kernel / kernel.sum()).astype(np.float32)
        for axis in (0, 1):
            padded = np.pad(mask, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
            size = mask.shape[axis]
            mask = sum(
                k * (padded[i : i + size] if axis == 0 else padded[:, i : i + size])
                for i, k in enumerate(kernel)
            )
    return mask


def _spectrum(sound: Sound) -> Array:
    padded = np.pad(sound, (_FFT, _FFT + -len(sound) % _STEP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_STEP]
    return np.fft.rfft(frames * _WINDOW)


def _sound(spectrum: Array, length: int) -> Sound:
    frames = np.fft.irfft(spectrum) * _WINDOW
    mixed = np.zeros((len(frames) - 1) * _STEP + _FFT, np.float32)
    for index, frame in enumerate(frames):
        mixed[index * _STEP : index * _STEP + _FFT] += frame
    return (mixed[_FFT : _FFT + length] / 1.5).astype(
        np.float32
    )  # of squared windows at a quarter's distance


_WINDOW = np.hanning(_FFT + 1)[:-1].astype(np.float32)


def _equaliser(rng: np.random.Generator) -> Sound:
    """An impulse through a curve of eight random points."""
    length = 4096
    frequencies = np.linspace(0, SAMPLE_RATE / 2, length // 2 + 1) + 1
    gains = np.interp(np.log(frequencies), np.log(np.geomspace(40, 16_000, 8)), rng.normal(0, 4.5, 8))
    # Of the phase that begins at once, by the cepstrum, so that hits stay where they are.
    cepstrum = np.fft.irfft(gains * np.log(10) / 20)
    cepstrum[1 : length // 2] *= 2
    cepstrum[length // 2 + 1 :] = 0
    impulse: Sound = np.fft.irfft(np.exp(np.fft.rfft(cepstrum))).astype(np.float32)
    return impulse


def _room(rng: np.random.Generator) -> Sound:
    """Noise that fades, a moment late, and duller than the sound."""
    length = int(rng.uniform(0.1, 0.9) * SAMPLE_RATE)
    t = np.arange(length) / SAMPLE_RATE
    noise = rng.standard_normal(length) * np.exp(-t * 7 * SAMPLE_RATE / length)
    width = int(rng.integers(1, 6))
    noise = np.convolve(noise, np.ones(width) / width, mode="same")
    noise[: int(rng.uniform(0, 0.02) * SAMPLE_RATE)] = 0
    room: Sound = (noise / np.sqrt(np.sum(noise**2))).astype(np.float32)
    return room


def _ended(sound: Sound, length: int, fade: int = 882) -> Sound:
    ended = sound[: length + fade].copy()
    if len(ended) > length:
        ended[length:] *= np.linspace(1, 0, fade, dtype=np.float32)[: len(ended) - length]
    return ended
