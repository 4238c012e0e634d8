"""Training of one of the networks that hear drums, in numpy: forward, backward, AdamW."""

from collections.abc import Sequence

import numpy as np

from analysis.drums import BANDS, DILATIONS, DRUMS, Array, Network
from training.clips import Clip, tilted

WIDTH = 64
FRAMES = 300  # of a piece
PIECES = 32  # of a batch
RATE = 3e-3
DECAY = 0.01
OF_HITS = 2  # what a miss costs, where something false costs 1
OF_VELOCITIES = 0.5


def train(clips: Sequence[Clip], epochs: int, seed: int, report: bool = True) -> Network:
    """Train from a seed. On one thread of one machine the result is always the same, bit by bit."""
    rng = np.random.default_rng(seed)
    parameters = beginning(rng)
    moments = [(np.zeros_like(parameter), np.zeros_like(parameter)) for parameter in parameters]
    batches = max(1, sum(len(clip.inputs) for clip in clips) // (FRAMES * PIECES))
    for step in range(epochs * batches):
        inputs, targets, velocities = _batch(clips, rng)
        loss, gradients = loss_and_gradients(parameters, inputs, targets, velocities)
        rate = _one_cycle(step / (epochs * batches))
        for parameter, gradient, (first, second) in zip(parameters, gradients, moments, strict=True):
            first += 0.1 * (gradient - first)
            second += 0.01 * (gradient**2 - second)
            mean, square = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.99 ** (step + 1))
            parameter -= rate * (mean / (np.sqrt(square) + 1e-8) + DECAY * parameter)
        if report and step % 50 == 0:
            print(f"network {seed}: step {step} of {epochs * batches}, loss {loss:.4f}", flush=True)
    return Network(parameters[0::2], parameters[1::2])


def beginning(rng: np.random.Generator) -> list[Array]:
    """Weights and biases, layer by layer, drawn as He et al. (2015) do."""
    shapes = [(6 * BANDS, WIDTH), *[(3 * WIDTH, WIDTH)] * len(DILATIONS), (WIDTH, 2 * len(DRUMS))]
    parameters = []
    for inputs, outputs in shapes:
        parameters.append(
            (rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs) * 0.7).astype(np.float32)
        )
        parameters.append(np.zeros(outputs, np.float32))
    parameters[-1][: len(DRUMS)] = -3  # hits are rare
    return parameters


def _batch(clips: Sequence[Clip], rng: np.random.Generator) -> tuple[Array, Array, Array]:
    pieces = []
    for _ in range(PIECES):
        clip = clips[int(rng.integers(len(clips)))]
        start = int(rng.integers(len(clip.inputs) - FRAMES + 1))
        piece = slice(start, start + FRAMES)
        pieces.append((clip.inputs[piece], clip.targets[piece], clip.velocities[piece]))
    inputs, targets, velocities = (np.stack(part).astype(np.float32) for part in zip(*pieces, strict=True))
    return tilted(inputs, rng), targets, velocities


def loss_and_gradients(
    parameters: list[Array], inputs: Array, targets: Array, velocities: Array
) -> tuple[float, list[Array]]:
    """The batch's loss, and what each parameter adds to it."""
    weights, biases = parameters[0::2], parameters[1::2]
    distances = (1, *DILATIONS)
    seen, switched = [], []
    hidden = inputs
    for layer, distance in enumerate(distances):
        seen.append(_neighbours(hidden, distance))
        added = np.maximum(seen[-1] @ weights[layer] + biases[layer], 0)
        switched.append(added > 0)
        hidden = added if layer == 0 else hidden + added
    outputs = 1 / (1 + np.exp(-(hidden @ weights[-1] + biases[-1])))

    hits, levels = outputs[..., : len(DRUMS)], outputs[..., len(DRUMS) :]
    safe = np.clip(hits, 1e-6, 1 - 1e-6)
    known = targets > 0
    errors = np.where(known, levels - velocities, 0)
    loss = -np.mean(OF_HITS * targets * np.log(safe) + (1 - targets) * np.log(1 - safe))
    scale = np.float32(1 / targets.size)
    of_hits = scale * (OF_HITS * targets * (hits - 1) + (1 - targets) * hits)
    of_levels = scale * OF_VELOCITIES * 2 * errors * levels * (1 - levels)

    gradient = np.concatenate([of_hits, of_levels], axis=-1)
    gradients = [_matrix(hidden).T @ _matrix(gradient), gradient.sum(axis=(0, 1))]
    gradient = gradient @ weights[-1].T
    for layer in reversed(range(len(distances))):
        through = gradient * switched[layer]
        gradients[:0] = [_matrix(seen[layer]).T @ _matrix(through), through.sum(axis=(0, 1))]
        if layer:
            gradient = gradient + _from_neighbours(through @ weights[layer].T, distances[layer])
    return float(loss), gradients


def _neighbours(frames: Array, distance: int) -> Array:
    """As `analysis.drums` has it, of a batch."""
    padded = np.pad(frames, ((0, 0), (distance, distance), (0, 0)))
    return np.concatenate([padded[:, : frames.shape[1]], frames, padded[:, 2 * distance :]], axis=2)


def _from_neighbours(gradient: Array, distance: int) -> Array:
    """What `_neighbours` hands back."""
    before, here, after = np.split(gradient, 3, axis=2)
    here = here.copy()
    here[:, :-distance] += before[:, distance:]
    here[:, distance:] += after[:, :-distance]
    return here


def _matrix(frames: Array) -> Array:
    return frames.reshape(-1, frames.shape[-1])


def _one_cycle(done: float) -> float:
    """Up in the first tenth, and down to nothing along a cosine (Smith and Topin 2018)."""
    if done < 0.1:
        return RATE * (0.04 + 0.96 * done / 0.1)
    return RATE * 0.5 * (1 + float(np.cos(np.pi * (done - 0.1) / 0.9)))
