"""Soft masks from the networks' estimates, as Spleeter makes them.

Source: `_build_masks` and `_extend_mask` of `spleeter/model/__init__.py`.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

MaskExtension = Literal["average", "zeros"]
Magnitude = npt.NDArray[np.float32]

_EPSILON = np.float32(1e-10)


def total_power(estimates: Magnitude) -> Magnitude:
    """Sum over the stems (axis 0) of the squared estimates, kept off zero."""
    total: Magnitude = np.square(estimates[0])
    for estimate in estimates[1:]:
        total += np.square(estimate)
    total += _EPSILON
    return total


def soft_mask(estimate: Magnitude, total: Magnitude, stems: int) -> Magnitude:
    """Share of one stem in the mix: (o_i^2 + eps / N) / (sum of o_j^2 + eps). All stems' masks sum to one.

    Parameters
    ----------
    estimate : ndarray, float32
        The stem's estimated magnitudes.
    total : ndarray of the same shape
        What `total_power` gives for all stems.
    stems : int
        How many stems there are.
    """
    mask = np.square(estimate)
    mask += _EPSILON / np.float32(stems)
    mask /= total
    return mask


def extend(mask: Magnitude, extension: MaskExtension) -> Magnitude | None:
    """The mask for the bins above those of the network.

    Parameters
    ----------
    mask : ndarray (2, frames, bins), float32
    extension : {"average", "zeros"}
        "average" repeats each frame's mean, so that stems still sum to the mix; "zeros" mutes, which is
        Spleeter's default.

    Returns
    -------
    ndarray (2, frames, 1), float32, or None
        None stands for zeros.
    """
    if extension == "zeros":
        return None
    mean: Magnitude = mask.mean(axis=-1, keepdims=True, dtype=np.float32)
    return mean
