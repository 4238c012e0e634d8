"""Where the native engine cannot run, the default: Spleeter's checkpoint, run by OpenVINO."""

import logging
from typing import Any

import numpy as np

from separation.engine import BINS, Bandwidth, Precision
from separation.engines.network import build_network
from separation.engines.silent_openvino import ov
from separation.engines.variables import Weights
from separation.masks import Magnitude
from separation.models.weights import VARIANTS, VariantName
from separation.numpy_transform import NumpyTransform
from separation.processors import processors
from separation.spectrum import SEGMENT_FRAMES

_log = logging.getLogger(__name__)


class OpenVinoEngine:
    """An `Engine`.

    Parameters
    ----------
    weights : mapping
        Variables by TensorFlow's names, as `read_checkpoint` gives them.
    variant, bandwidth, precision
        See `load_engine`.

    Raises
    ------
    ModelDamagedError
        If the weights are not those of this variant.
    """

    def __init__(
        self,
        weights: Weights,
        variant: VariantName,
        bandwidth: Bandwidth,
        precision: Precision = "float32",
    ) -> None:
        specification = VARIANTS[variant]
        self.stems = specification.stems
        self.bins = BINS[bandwidth]
        self.transform = NumpyTransform()
        network = build_network(
            weights,
            stems=len(specification.stems),
            activation=specification.activation,
            head=specification.head,
            frames=SEGMENT_FRAMES,
            bins=self.bins,
        )
        properties = {
            # Without it OpenVINO uses bfloat16 wherever the processor has it.
            "INFERENCE_PRECISION_HINT": precision_hint(precision, has_bfloat16()),
            "INFERENCE_NUM_THREADS": processors(),
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


def has_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16."""
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def precision_hint(wanted: Precision, is_bfloat16_there: bool) -> str:
    """OpenVINO's name of the precision to use. Where there is no bfloat16, float32 it is, and a warning."""
    if wanted == "bfloat16" and is_bfloat16_there:
        return "bf16"
    if wanted == "bfloat16":
        _log.warning("This processor has no bfloat16: the networks run in float32.")
    return "f32"
