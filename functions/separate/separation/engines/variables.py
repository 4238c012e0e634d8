"""One stem's variables in a checkpoint, where TensorFlow numbered them in the order of creation."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Weights = Mapping[str, Floats]

LEVELS = 6
_BATCH_NORM_EPSILON = np.float32(1e-3)


class StemVariables:
    """What one U-Net consists of.

    Parameters
    ----------
    weights : mapping
        Variables by TensorFlow's names, as `read_checkpoint` gives them.
    stem : int
        Which of the U-Nets.

    Notes
    -----
    A variable that is not there raises a KeyError.
    """

    def __init__(self, weights: Weights, stem: int) -> None:
        self._weights = weights
        self._stem = stem

    def convolution(self, level: int) -> tuple[Floats, Floats]:
        """Kernel (rows, columns, inputs, outputs) and bias, down; of level 6, those of the last."""
        return self._kernel("conv2d", (LEVELS + 1) * self._stem + level)

    def transposed(self, level: int) -> tuple[Floats, Floats]:
        """Kernel (rows, columns, outputs, inputs) and bias, up."""
        return self._kernel("conv2d_transpose", LEVELS * self._stem + level)

    def norm(self, index: int) -> tuple[Floats, Floats]:
        """Scale and shift that batch norm comes to; levels 0 to 5 down, then those up."""
        layer = _numbered("batch_normalization", 2 * LEVELS * self._stem + index)
        gamma, beta, mean, variance = (
            self._weights[f"{layer}/{name}"] for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        scale = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
        return scale, beta - mean * scale

    def _kernel(self, kind: str, index: int) -> tuple[Floats, Floats]:
        layer = _numbered(kind, index)
        return self._weights[f"{layer}/kernel"], self._weights[f"{layer}/bias"]


def _numbered(layer: str, index: int) -> str:
    return f"{layer}_{index}" if index else layer
