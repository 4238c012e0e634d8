"""The engines there are, and how one is loaded. Each is imported only when it is asked for."""

from pathlib import Path

from downloads.directory import models_directory
from separation.engine import Bandwidth, Engine, EngineName, Precision
from separation.models.checkpoint import read_checkpoint
from separation.models.weights import VariantName, verify


def load_engine(
    variant: VariantName,
    bandwidth: Bandwidth,
    models: Path | None = None,
    *,
    engine: EngineName = "openvino",
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
    engine : {"openvino", "tensorflow"}
        What runs the networks: OpenVINO, or Spleeter's own package on TensorFlow, the reference.
    precision : {"float32", "bfloat16"}
        Of OpenVINO's arithmetic; a processor without bfloat16 uses float32, and so does the reference always.

    Raises
    ------
    ModelMissingError, ModelDamagedError
    """
    checkpoint = verify(variant, models or models_directory())
    return open_checkpoint(checkpoint, variant, bandwidth, engine=engine, precision=precision)


def open_checkpoint(
    checkpoint: Path,
    variant: VariantName,
    bandwidth: Bandwidth,
    *,
    engine: EngineName,
    precision: Precision = "float32",
) -> Engine:
    """Load weights of a variant that need not be the official ones; `checkpoint` is their files' prefix.

    Raises
    ------
    ModelDamagedError
        If they are not weights of that variant.
    """
    # Imported here, because the environment of one has not what the other needs.
    if engine == "tensorflow":
        from separation.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(checkpoint, variant, bandwidth)
    from separation.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(read_checkpoint(checkpoint), variant, bandwidth, precision)
