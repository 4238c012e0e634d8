"""The engine that estimates stems: one segment of magnitudes in, one per stem out."""

from pathlib import Path
from typing import Literal, Protocol

from separation.checkpoint import read_checkpoint
from separation.masks import Magnitude
from separation.weights import VariantName, models_directory, verify

Bandwidth = Literal["11khz", "16khz"]
EngineName = Literal["openvino", "tensorflow"]
Precision = Literal["float32", "bfloat16"]

BINS: dict[Bandwidth, int] = {"11khz": 1024, "16khz": 1536}


class Engine(Protocol):
    """Estimates the magnitudes of each stem.

    Attributes
    ----------
    stems : tuple of str
        In the order of the estimates.
    bins : int
        How many of the lowest frequency bins it takes.
    """

    @property
    def stems(self) -> tuple[str, ...]: ...

    @property
    def bins(self) -> int: ...

    def estimate(self, magnitude: Magnitude) -> Magnitude:
        """Run the networks on one segment.

        Parameters
        ----------
        magnitude : ndarray (512, bins, 2), float32
            Of the mix: frames, frequency bins, channels.

        Returns
        -------
        ndarray (stems, 512, bins, 2), float32
            Estimated magnitudes, which the caller may overwrite.
        """
        ...


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
        from separation.tensorflow_engine import TensorFlowEngine

        return TensorFlowEngine(checkpoint, variant, bandwidth)
    from separation.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(read_checkpoint(checkpoint), variant, bandwidth, precision)
