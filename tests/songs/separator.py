"""Takes songs apart as a separator does: with masks on the mix's spectrum, which blur and leak."""

from collections.abc import Mapping

import numpy as np

from media.samples import Samples
from separation.masks import Magnitude
from separation.numpy_transform import NumpyTransform
from separation.spectrum import BINS, Inverse, segments

_SPREAD = 2  # the next bins, and frames, that a mask blurs into
_FLOOR = 1e-10


def separated(parts: Mapping[str, Samples], leak: float = 0.03) -> dict[str, Samples]:
    """Masks that know the parts, but neither their phases nor their finest detail.

    Parameters
    ----------
    parts : mapping of str to ndarray (any, 2), float32
        At 44.1 kHz, equally long.
    leak : float
        The share of all the rest that each stem gets besides its own.

    Returns
    -------
    dict of str to ndarray (any, 2), float32
        They sum to the parts' sum.
    """
    mix: Samples = np.sum(list(parts.values()), axis=0, dtype=np.float32)
    transform = NumpyTransform()
    inverses = {name: Inverse(transform) for name in parts}
    stems: dict[str, list[Samples]] = {name: [] for name in parts}
    songs = (segments([part.T], transform, BINS) for part in [mix, *parts.values()])
    for whole, *each in zip(*songs, strict=True):
        energies = {
            name: _blurred(np.abs(part.spectrum) ** 2) for name, part in zip(parts, each, strict=True)
        }
        total = np.sum(list(energies.values()), axis=0) + _FLOOR
        for name, energy in energies.items():
            mask = (1 - leak * len(parts) / (len(parts) - 1)) * (energy / total) + leak / (len(parts) - 1)
            stems[name].append(inverses[name].add(whole, mask.astype(np.float32).transpose(1, 2, 0), "zeros"))
    return {name: np.concatenate(blocks, axis=1).T[: len(mix)] for name, blocks in stems.items()}


def _blurred(energy: Magnitude) -> Magnitude:
    for axis in (1, 2):
        width = [(0, 0)] * 3
        width[axis] = (_SPREAD, _SPREAD)
        summed = np.cumsum(np.pad(energy, width, mode="edge"), axis=axis, dtype=np.float64)
        zeros = np.zeros_like(np.take(summed, [0], axis=axis))
        summed = np.concatenate([zeros, summed], axis=axis)
        count = energy.shape[axis]
        upper = np.take(summed, range(2 * _SPREAD + 1, 2 * _SPREAD + 1 + count), axis=axis)
        energy = (upper - np.take(summed, range(count), axis=axis)).astype(np.float32)
    return energy
