from collections.abc import Callable

import numpy as np
import pytest

from downloads.directory import models_directory
from downloads.errors import ModelDamagedError
from separation import Engine
from separation.engines.network import block_kernel, build_network, parity_kernel
from separation.models.checkpoint import read_checkpoint
from separation.models.weights import verify


@pytest.mark.parametrize(
    ("rearrange", "block", "taps", "step"), [(parity_kernel, 2, 3, 1), (block_kernel, 4, 4, 2)]
)
def test_a_rearranged_kernel_is_the_transposed_convolution(
    rearrange: Callable[[np.ndarray], np.ndarray], block: int, taps: int, step: int
) -> None:
    random = np.random.default_rng(0)
    kernel = random.standard_normal((5, 5, 3, 2)).astype(np.float32)  # rows, columns, outputs, inputs
    image = random.standard_normal((2, 4, 6)).astype(np.float32)
    expected = np.zeros((3, 2 * 4 + 3, 2 * 6 + 3), np.float32)
    for row in range(4):
        for column in range(6):
            stamp = np.einsum("hwoi,i->ohw", kernel, image[:, row, column])
            expected[:, 2 * row : 2 * row + 5, 2 * column : 2 * column + 5] += stamp
    expected = expected[:, 1:-2, 1:-2]  # SAME: one row less before, two after

    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (taps, taps), axis=(1, 2))
    groups = np.einsum("kide,ihwde->khw", rearrange(kernel), windows[:, ::step, ::step])
    blocks = groups.reshape(block, block, 3, 4 // step, 6 // step)
    found = blocks.transpose(2, 3, 0, 4, 1).reshape(3, 8, 12)

    assert np.allclose(found, expected, atol=1e-5)


def test_weights_of_another_model_are_refused() -> None:
    weights = read_checkpoint(verify("2stems", models_directory()))
    with pytest.raises(ModelDamagedError, match="4 stems"):
        build_network(weights, stems=4, activation="elu", head="sigmoid", frames=64, bins=64)


def test_the_engine_keeps_the_order_of_axes(spleeter_engine: Engine) -> None:
    """Estimates are the input times a share in 0..1, so what is silent stays silent where it is."""
    magnitude = np.random.default_rng(0).uniform(0, 10, (512, 1024, 2)).astype(np.float32)
    magnitude[100:110] = 0
    magnitude[:, 700:, 1] = 0
    before = magnitude.copy()

    estimates = spleeter_engine.estimate(magnitude)

    assert spleeter_engine.stems == ("vocals", "accompaniment")
    assert spleeter_engine.bins == 1024
    assert estimates.shape == (2, 512, 1024, 2)
    assert estimates.dtype == np.float32
    assert np.array_equal(magnitude, before)
    assert ((estimates == 0) | (magnitude > 0)).all()
    assert ((estimates >= 0) & (estimates <= magnitude)).all()
    assert np.array_equal(estimates, spleeter_engine.estimate(magnitude))
