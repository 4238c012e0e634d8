"""Random weights in the shapes of the real ones, for models that are not on this machine.

The arithmetic is the same and takes as long; only what comes out is noise.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from downloads.directory import models_directory
from downloads.errors import ModelMissingError
from separation.engine import Bandwidth, Engine, Precision
from separation.engines import load_engine as load_installed
from separation.engines import open_weights
from separation.models.checkpoint import read_checkpoint
from separation.models.weights import VARIANTS, VariantName, verify

_LAYERS = {"conv2d": 7, "conv2d_transpose": 6, "batch_normalization": 12}  # of one U-Net
_VARIABLE = re.compile(r"(?P<kind>[a-z]\w*?)(?:_(?P<number>\d+))?/(?P<name>\w+)")


def is_installed(variant: VariantName) -> bool:
    """Whether a model has its official weights."""
    try:
        verify(variant, models_directory())
    except ModelMissingError:
        return False
    return True


def load_engine(
    variant: VariantName, bandwidth: Bandwidth = "11khz", *, precision: Precision = "float32", **_: object
) -> Engine:
    """As `separation.load_engine`, but also for a model that is not installed."""
    if is_installed(variant):
        return load_installed(variant, bandwidth, precision=precision)
    weights = _random_weights(len(VARIANTS[variant].stems))
    return open_weights(weights, variant, bandwidth, precision=precision)


def _random_weights(stems: int) -> dict[str, npt.NDArray[np.float32]]:
    """Each stem's variables have the shapes of those of the first stem of 2stems."""
    random = np.random.default_rng(0)
    weights = {}
    for variable, value in read_checkpoint(verify("2stems", models_directory())).items():
        match = _VARIABLE.fullmatch(variable)
        if match is None or match["kind"] not in _LAYERS:
            continue
        layers, number = _LAYERS[match["kind"]], int(match["number"] or 0)
        for stem in range(stems) if number < layers else ():
            index = number + stem * layers
            layer = f"{match['kind']}_{index}" if index else match["kind"]
            weights[f"{layer}/{match['name']}"] = _values(random, variable, value.shape)
    return weights


def _values(random: np.random.Generator, variable: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Values that keep signals in range."""
    if variable.endswith("/kernel"):
        inputs = shape[3] if "transpose" in variable else shape[2]
        return random.normal(0, (shape[0] * shape[1] * inputs) ** -0.5, shape).astype(np.float32)
    if variable.endswith(("/gamma", "/moving_variance")):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    return random.uniform(-0.3, 0.3, shape).astype(np.float32)
