"""What the networks learn from: clips, each with a kit, a pattern and a sound of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.drums import BANDS, DRUMS, FRAME_RATE, Array, bands_of, inputs_of
from analysis.events import Drum
from media.samples import SAMPLE_RATE
from training.kits import Kit, Layer, Sound, trimmed
from training.patterns import Stroke, random_loops
from training.sound import coloured, render, separated

SECONDS = 11.5

# How loud a drum's hardest hit usually is, before that is varied.
_LEVELS: dict[Drum, float] = {
    "kick": 1.0, "snare": 0.9, "closed_hat": 0.3, "open_hat": 0.35, "tom": 0.8, "crash": 0.5, "ride": 0.3,
}  # fmt: skip


@dataclass(frozen=True)
class Family:
    """Kits of one origin, and how often one of them is taken."""

    kits: Sequence[Kit]
    weight: float
    recorded: bool = True


@dataclass(frozen=True)
class Clip:
    """A clip as the networks see it.

    Attributes
    ----------
    inputs : ndarray (frames, 2 * BANDS), float16
    targets : ndarray (frames, 7), float16
        1 where a drum is hit, and half beside it.
    velocities : ndarray (frames, 7), float16
        Where targets are not 0.
    """

    inputs: npt.NDArray[Any]
    targets: npt.NDArray[Any]
    velocities: npt.NDArray[Any]


def clip(families: Sequence[Family], others: Sequence[Sound], rng: np.random.Generator) -> Clip:
    """Draw a clip; `others` are accompaniments as long as it."""
    kit = drawn_kit(families, rng)
    strokes = [stroke for stroke in random_loops(SECONDS, rng) if stroke.drum in kit.drums]
    sound = render(kit, strokes, SECONDS, choked=rng.random() < 0.85)
    sound = coloured(sound, rng)
    if rng.random() < 0.45:
        sound = _beside_music(sound, others[int(rng.integers(len(others)))], rng)
    inputs = inputs_of(bands_of(sound))
    return Clip(inputs.astype(np.float16), *targets_of(strokes, len(inputs)))


def targets_of(strokes: Sequence[Stroke], frames: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Targets and velocities of `Clip`."""
    targets = np.zeros((frames, len(DRUMS)), np.float16)
    velocities = np.zeros((frames, len(DRUMS)), np.float16)
    for stroke in strokes:
        at = stroke.time * FRAME_RATE
        for frame in range(max(0, int(at) - 1), min(frames, int(at) + 3)):
            near = 1 - abs(frame - at) / 2
            if near > targets[frame, DRUMS.index(stroke.drum)]:
                targets[frame, DRUMS.index(stroke.drum)] = near
                velocities[frame, DRUMS.index(stroke.drum)] = stroke.velocity
    return targets, velocities


def drawn_kit(families: Sequence[Family], rng: np.random.Generator) -> Kit:
    """Drums of one kit, some of them another's, warped, mixed, and louder or softer than they were."""
    first = _drawn(families, rng)
    crossed = rng.random() < 0.3
    drums = {}
    for drum in DRUMS:
        variants = first.drums.get(drum)
        while variants is None or (crossed and rng.random() < 0.5):
            variants = _drawn(families, rng).drums.get(drum)
        chosen = [variants[int(rng.integers(len(variants)))] for _ in range(min(2, len(variants)))]
        if rng.random() < 0.35:
            chosen = [_mixed(layers, _another(drum, families, rng), rng) for layers in chosen]
        level = _LEVELS[drum] * float(np.exp(rng.uniform(np.log(0.45), np.log(2.2))))
        drums[drum] = _warped(chosen, level, rng)
    return Kit(first.name, drums)


def _drawn(families: Sequence[Family], rng: np.random.Generator) -> Kit:
    weights = np.array([family.weight for family in families])
    kits = families[int(rng.choice(len(families), p=weights / weights.sum()))].kits
    return kits[int(rng.integers(len(kits)))]


def _another(drum: Drum, families: Sequence[Family], rng: np.random.Generator) -> Sequence[Layer]:
    while True:
        if variants := _drawn(families, rng).drums.get(drum):
            return variants[int(rng.integers(len(variants)))]


def _mixed(layers: Sequence[Layer], others: Sequence[Layer], rng: np.random.Generator) -> list[Layer]:
    """Each layer with the other drum's nearest beneath it."""
    amount = np.float32(rng.uniform(0.2, 0.8))
    result = []
    for layer in layers:
        other = min(others, key=lambda one: abs(one.velocity - layer.velocity)).sound
        scaled = amount * other * (np.abs(layer.sound).max() / np.abs(other).max())
        length = max(len(layer.sound), len(scaled))
        both = np.pad(layer.sound, (0, length - len(layer.sound))) + np.pad(scaled, (0, length - len(scaled)))
        result.append(Layer(both, layer.velocity))
    return result


def _warped(variants: list[Sequence[Layer]], level: float, rng: np.random.Generator) -> list[list[Layer]]:
    """Faster or slower, shorter, duller, all of a drum's layers alike; its loudest sample at `level`."""
    speed = float(np.exp(rng.uniform(-0.28, 0.28)))
    decay = rng.uniform(0.05, 0.8) if rng.random() < 0.35 else None
    cutoff = float(np.exp(rng.uniform(np.log(3000), np.log(14000)))) if rng.random() < 0.2 else None
    warped = []
    for layers in variants:
        layers = layers[:: max(1, len(layers) // 2)]
        loudest = max(float(np.abs(layer.sound).max()) for layer in layers)
        warped.append(
            [
                Layer(_warp(layer.sound, speed, decay, cutoff) * np.float32(level / loudest), layer.velocity)
                for layer in layers
            ]
        )
    return warped


def _warp(sound: Sound, speed: float, decay: float | None, cutoff: float | None) -> Sound:
    at = np.arange(0, len(sound) - 1, speed)
    before = at.astype(np.intp)
    part = (at - before).astype(np.float32)
    sound = sound[before] * (1 - part) + sound[before + 1] * part
    if decay is not None:
        sound = sound * np.exp(-np.arange(len(sound), dtype=np.float32) / np.float32(decay * SAMPLE_RATE))
    if cutoff is not None:
        spectrum = np.fft.rfft(sound, 1 << (len(sound) - 1).bit_length())
        frequencies = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
        spectrum /= 1 + (frequencies / cutoff).astype(np.float32) ** 4
        sound = np.fft.irfft(spectrum)[: len(sound)].astype(np.float32)
    kept = trimmed(sound)
    return sound if kept is None else kept


def _beside_music(drums: Sound, others: Sound, rng: np.random.Generator) -> Sound:
    """As a separation leaves them, or with some of the rest still to be heard."""
    if rng.random() < 0.25:
        return drums + others * np.float32(10 ** rng.uniform(-1.4, -0.6))
    balance = np.float32(10 ** rng.uniform(-0.4, 0.3))
    return separated(drums, others * balance, rng.uniform(1.2, 2), rng.uniform(0, 3), rng.uniform(0, 0.03))


def tilted(inputs: Array, rng: np.random.Generator) -> Array:
    """Inputs of a batch (clips, frames, 2 * BANDS) as of louder or softer, brighter or duller songs."""
    gains = rng.normal(0, 0.25, (len(inputs), 1, 1)) + rng.normal(0, 0.15, (len(inputs), 1, 1)) * np.linspace(
        -1, 1, BANDS
    )
    inputs[:, :, :BANDS] += gains.astype(np.float32)
    return inputs
