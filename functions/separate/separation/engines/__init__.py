"""The engines there are, and how one is loaded. Each is imported only when it is asked for."""

import logging
from pathlib import Path
from typing import Literal

from downloads.directory import models_directory
from separation.engine import Bandwidth, Engine, EngineName, Precision
from separation.engines.variables import Weights
from separation.models.checkpoint import read_checkpoint
from separation.models.weights import VariantName, verify
from separation.native.build import NotBuiltError

_log = logging.getLogger(__name__)


def load_engine(
    variant: VariantName,
    bandwidth: Bandwidth,
    models: Path | None = None,
    *,
    engine: EngineName | None = None,
    precision: Precision = "float32",
) -> Engine:
    """Load the weights of a variant, after verifying them.

    Parameters
    ----------
    variant : {"2stems", "4stems", "5stems"}
    bandwidth : {"11khz", "16khz"}
        Up to where the networks look; the weights are the same.
    models : Path, optional
        Where the models are; by default as `models_directory` says.
    engine : {"native", "openvino", "tensorflow"}, optional
        What runs the networks: our own code, OpenVINO, or Spleeter's own package on TensorFlow, the
        reference. By default the first, and where that cannot run the second, and a warning.
    precision : {"float32", "bfloat16"}
        Of the arithmetic. bfloat16 is OpenVINO's alone, and makes it the default; a processor without it uses
        float32, and so do the others always.

    Raises
    ------
    ModelMissingError, ModelDamagedError
    NotBuiltError
        If the native engine was asked for, and cannot run here.
    """
    checkpoint = verify(variant, models or models_directory())
    return open_checkpoint(checkpoint, variant, bandwidth, engine=engine, precision=precision)


def open_checkpoint(
    checkpoint: Path,
    variant: VariantName,
    bandwidth: Bandwidth,
    *,
    engine: EngineName | None = None,
    precision: Precision = "float32",
) -> Engine:
    """Load weights of a variant that need not be the official ones; `checkpoint` is their files' prefix.

    Raises
    ------
    ModelDamagedError
        If they are not weights of that variant.
    """
    # Each is imported where it is chosen, because the environment of one has not what the other needs.
    if engine == "tensorflow":
        from separation.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(checkpoint, variant, bandwidth)
    return open_weights(read_checkpoint(checkpoint), variant, bandwidth, engine=engine, precision=precision)


def open_weights(
    weights: Weights,
    variant: VariantName,
    bandwidth: Bandwidth,
    *,
    engine: Literal["native", "openvino"] | None = None,
    precision: Precision = "float32",
) -> Engine:
    """Load weights that have been read, by TensorFlow's names; else as `load_engine`.

    Raises
    ------
    ModelDamagedError
        If they are not weights of that variant.
    NotBuiltError
    """
    if engine == "native" or (engine is None and precision == "float32"):
        from separation.engines.native import NativeEngine

        try:
            return NativeEngine(weights, variant, bandwidth)
        except NotBuiltError as error:
            if engine == "native":
                raise
            _log.warning("The native engine does not run here, so OpenVINO does: %s.", error)
    from separation.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(weights, variant, bandwidth, precision)
