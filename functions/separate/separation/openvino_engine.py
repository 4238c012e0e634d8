"""The default engine: Spleeter's checkpoint, run by OpenVINO on the processor."""

import os
from typing import Any

import numpy as np

from separation.engine import BINS, Bandwidth
from separation.masks import Magnitude
from separation.network import Weights, build_network
from separation.silent_openvino import ov
from separation.spectrum import SEGMENT_FRAMES
from separation.weights import VARIANTS, VariantName


class OpenVinoEngine:
    """An `Engine`.

    Parameters
    ----------
    weights : mapping
        Variables by TensorFlow's names, as `read_checkpoint` gives them.
    variant, bandwidth
        See `load_engine`.

    Raises
    ------
    ModelDamagedError
        If the weights are not those of this variant.
    """

    def __init__(self, weights: Weights, variant: VariantName, bandwidth: Bandwidth) -> None:
        specification = VARIANTS[variant]
        self.stems = specification.stems
        self.bins = BINS[bandwidth]
        network = build_network(
            weights,
            stems=len(specification.stems),
            activation=specification.activation,
            head=specification.head,
            frames=SEGMENT_FRAMES,
            bins=self.bins,
        )
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
