"""Builds Spleeter's U-Nets as one OpenVINO graph, from the variables of its TensorFlow checkpoint.

The layers are those of `spleeter/model/functions/unet.py` (A. Jansson et al., "Singing voice separation with
deep U-Net convolutional networks", ISMIR 2017). Tensors are laid out (batch, channel, frame, bin).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from downloads.errors import ModelDamagedError
from separation.engines.silent_openvino import ops, ov
from separation.engines.variables import LEVELS, StemVariables, Weights
from separation.models.weights import Activation, Head

_LEAKY_SLOPE = 0.2


def build_network(
    weights: Weights, *, stems: int, activation: Activation, head: Head, frames: int, bins: int
) -> ov.Model:
    """Make the graph of all stems' U-Nets.

    Parameters
    ----------
    weights : mapping
        Variables by TensorFlow's names, as `read_checkpoint` gives them.
    stems : int
        How many U-Nets the checkpoint has.
    activation : {"leaky_relu", "elu"}
        "leaky_relu" is LeakyReLU(0.2) on the way down and ReLU on the way up; "elu" is ELU both ways.
    head : {"sigmoid", "softmax"}
        A sigmoid per stem, or a softmax across the stems, turns logits into what multiplies the input.
    frames, bins : int
        Size of one segment; both multiples of 64. The weights fit any.

    Returns
    -------
    openvino.Model
        From magnitudes (1, 2, frames, bins) to the stems' estimated magnitudes (stems, 2, frames, bins).

    Raises
    ------
    ModelDamagedError
        If a variable is missing or has another shape.
    """
    spectrogram = ops.parameter([1, 2, frames, bins], np.float32)
    try:
        logits = ops.concat(
            [_UNet(weights, stem, activation).logits(spectrogram) for stem in range(stems)], 0
        )
    except (KeyError, ValueError, RuntimeError) as error:
        raise ModelDamagedError(f"The weights are not those of a model of {stems} stems: {error}") from error
    share = ops.sigmoid(logits) if head == "sigmoid" else ops.softmax(logits, 0)
    return ov.Model([ops.multiply(share, spectrogram)], [spectrogram])


class _UNet:
    """One stem's U-Net."""

    def __init__(self, weights: Weights, stem: int, activation: Activation) -> None:
        self._variables = StemVariables(weights, stem)
        self._activation = activation

    def logits(self, spectrogram: Any) -> Any:
        skips = []
        signal = spectrogram
        for level in range(LEVELS):
            signal = self._convolution(signal, level)
            skips.append(signal)  # before normalisation and activation, as Spleeter has it
            if level < LEVELS - 1:
                signal = self._activate_down(self._normalise(signal, level))
        for level in range(LEVELS):
            if level:
                signal = ops.concat([skips[LEVELS - 1 - level], signal], 1)
            signal = self._upsample(signal, level)
        return self._last_convolution(signal)

    def _convolution(self, signal: Any, level: int) -> Any:
        kernel, bias = self._variables.convolution(level)
        return _convolve(signal, kernel.transpose(3, 2, 0, 1), bias, strides=2, before=1, after=2)

    def _last_convolution(self, signal: Any) -> Any:
        kernel, bias = self._variables.convolution(LEVELS)
        return _convolve(signal, kernel.transpose(3, 2, 0, 1), bias, before=3, after=3, dilation=2)

    def _upsample(self, signal: Any, level: int) -> Any:
        """Transposed 5x5 convolution of stride 2, then activation, then batch norm.

        Written as four plain convolutions, one for each output parity, whose channels a depth-to-space
        interleaves: runtimes are far faster at it. Activation and norm act on each channel alone, so they
        may come before the interleaving, where the runtime fuses them into the convolutions.
        """
        kernel, bias = self._variables.transposed(level)
        if level == LEVELS - 1:
            # It has one channel, and four would still leave most of a vector register empty: sixteen fill it.
            joined = _convolve(signal, block_kernel(kernel), np.tile(bias, 16), before=1, after=1, strides=2)
            return ops.depth_to_space(self._activate_up(joined, level, repeats=16), "blocks_first", 4)
        by_parity = parity_kernel(kernel).reshape(2, 2, len(bias), -1, 3, 3)
        parts = [
            # An even row has two taps, an odd one three; so it is with columns.
            _convolve(signal, by_parity[r, c, :, :, : 2 + r, : 2 + c], bias, before=1, after=(r, c))
            for r in range(2)
            for c in range(2)
        ]
        joined = ops.concat([self._activate_up(part, level) for part in parts], 1)
        return ops.depth_to_space(joined, "blocks_first", 2)

    def _activate_up(self, signal: Any, level: int, repeats: int = 1) -> Any:
        signal = ops.relu(signal) if self._activation == "leaky_relu" else ops.elu(signal, 1.0)
        return self._normalise(signal, LEVELS + level, repeats)

    def _activate_down(self, signal: Any) -> Any:
        if self._activation == "leaky_relu":
            return ops.prelu(signal, ops.constant(np.array([_LEAKY_SLOPE], np.float32)))
        return ops.elu(signal, 1.0)

    def _normalise(self, signal: Any, index: int, repeats: int = 1) -> Any:
        scale, shift = self._variables.norm(index)
        scaled = ops.multiply(signal, _per_channel(np.tile(scale, repeats)))
        return ops.add(scaled, _per_channel(np.tile(shift, repeats)))


def parity_kernel(kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rearrange a transposed convolution of stride 2 and SAME padding into a plain one of stride 1.

    Output row 2p + r of the transposed convolution sums input row p + d - 1 times kernel row r + 3 - 2d, for
    d of 0, 1, 2 and where the kernel has that row; the same holds for columns.

    Parameters
    ----------
    kernel : ndarray (5, 5, outputs, inputs)
        As TensorFlow keeps it.

    Returns
    -------
    ndarray (4 * outputs, inputs, 3, 3)
        The channels of row parity r and column parity c begin at (2 r + c) * outputs. Of even parity the
        last row, or column, is zero.
    """
    height, width, outputs, inputs = kernel.shape
    if (height, width) != (5, 5):
        raise ValueError(f"a kernel of {height} x {width}")
    by_row = kernel.transpose(2, 3, 0, 1)
    result = np.zeros((2, 2, outputs, inputs, 3, 3), np.float32)
    for r, d in _TAPS:
        for c, e in _TAPS:
            result[r, c, :, :, d, e] = by_row[:, :, r + 3 - 2 * d, c + 3 - 2 * e]
    return result.reshape(4 * outputs, inputs, 3, 3)


def block_kernel(kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rearrange the same transposed convolution so that one step makes a block of 4 x 4 of its outputs.

    Two by two neighbouring steps of `parity_kernel` in one: of 4 x 4 taps and stride 2.

    Parameters
    ----------
    kernel : ndarray (5, 5, outputs, inputs)
        As TensorFlow keeps it.

    Returns
    -------
    ndarray (16 * outputs, inputs, 4, 4)
        The channels of the block's row y and column x begin at (4 y + x) * outputs.
    """
    outputs, inputs = kernel.shape[2:]
    parities = parity_kernel(kernel).reshape(2, 2, outputs, inputs, 3, 3)
    # Axes: step and parity of the rows, step and parity of the columns, then as above.
    result = np.zeros((2, 2, 2, 2, outputs, inputs, 4, 4), np.float32)
    for row in range(2):
        for column in range(2):
            result[row, :, column, :, :, :, row : row + 3, column : column + 3] = parities
    return result.reshape(16 * outputs, inputs, 4, 4)


_TAPS = [(parity, tap) for parity in range(2) for tap in range(3) if 0 <= parity + 3 - 2 * tap < 5]


def _convolve(
    signal: Any,
    kernel: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    *,
    before: int,
    after: int | tuple[int, int],
    strides: int = 1,
    dilation: int = 1,
) -> Any:
    weights = ops.constant(np.ascontiguousarray(kernel))
    ends = list(after) if isinstance(after, tuple) else [after] * 2
    convolved = ops.convolution(signal, weights, [strides] * 2, [before] * 2, ends, [dilation] * 2)
    return ops.add(convolved, _per_channel(bias))


def _per_channel(values: npt.NDArray[np.float32]) -> Any:
    return ops.constant(values.reshape(1, -1, 1, 1))
