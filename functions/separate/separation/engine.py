"""The engine that estimates stems: one segment of magnitudes in, one per stem out."""

import os
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from separation.checkpoint import read_checkpoint
from separation.masks import Magnitude
from separation.network import build_network
from separation.silent_openvino import ov
from separation.spectrum import SEGMENT_FRAMES
from separation.weights import VARIANTS, VariantName, models_directory, verify

Bandwidth = Literal["11khz", "16khz"]

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


class OpenVinoEngine:
    """Spleeter's checkpoint, run by OpenVINO on the processor."""

    def __init__(self, network: ov.Model, stems: tuple[str, ...], bins: int) -> None:
        self.stems = stems
        self.bins = bins
        properties = {
            # OpenVINO would else use bfloat16 where the processor has it, which is audible.
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": _cores(),
            "NUM_STREAMS": 1,
            "ENABLE_HYPER_THREADING": True,  # a vCPU of Lambda is one hyper-thread
            "ENABLE_CPU_PINNING": False,
        }
        self._request: Any = ov.Core().compile_model(network, "CPU", properties).create_infer_request()

    def estimate(self, magnitude: Magnitude) -> Magnitude:
        planes = np.ascontiguousarray(magnitude.transpose(2, 0, 1)[np.newaxis])
        self._request.infer([planes], share_inputs=True)
        estimates: Magnitude = self._request.get_output_tensor().data.copy()
        return estimates.transpose(0, 2, 3, 1)


def _cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS knows no affinity


def load_engine(variant: VariantName, bandwidth: Bandwidth, models: Path | None = None) -> Engine:
    """Load the weights of a variant, after verifying them.

    Parameters
    ----------
    variant : {"2stems", "4stems", "5stems"}
    bandwidth : {"11khz", "16khz"}
        Up to where the networks look; the weights are the same.
    models : Path, optional
        Where the models are; by default as `models_directory` says.

    Raises
    ------
    ModelMissingError, ModelDamagedError
    """
    specification = VARIANTS[variant]
    prefix = verify(variant, models or models_directory())
    bins = BINS[bandwidth]
    network = build_network(
        read_checkpoint(prefix),
        stems=len(specification.stems),
        activation=specification.activation,
        head=specification.head,
        frames=SEGMENT_FRAMES,
        bins=bins,
    )
    return OpenVinoEngine(network, specification.stems, bins)
