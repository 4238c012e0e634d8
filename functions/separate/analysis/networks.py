"""Runs a network of the analysis on OpenVINO, from its ONNX file's bytes."""

import os
import sys
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from downloads.errors import ModelDamagedError

# Its mere import would start a thread that reports to Google Analytics: an import of it now fails, silently.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402


class Network:
    """A compiled network, for as many threads at once as there are processors.

    Parameters
    ----------
    onnx : bytes
        The file, verified.
    shapes : mapping of str to sequence of int
        Fixes the inputs of these names to these shapes, where the file leaves them open.

    Raises
    ------
    ModelDamagedError
        If OpenVINO does not take it.
    """

    def __init__(self, onnx: bytes, shapes: Mapping[str, Sequence[int]]) -> None:
        self._idle: SimpleQueue[Any] = SimpleQueue()
        core = ov.Core()
        properties = {
            # Without it OpenVINO uses bfloat16 wherever the processor has it, and thresholds no longer fit.
            "INFERENCE_PRECISION_HINT": "f32",
            # Each stem is heard by a thread of its own: its network needs no more.
            "INFERENCE_NUM_THREADS": _cores(),
            "NUM_STREAMS": _cores(),
            "ENABLE_HYPER_THREADING": True,  # a vCPU of Lambda is one hyper-thread
            "ENABLE_CPU_PINNING": False,
        }
        try:
            model = core.read_model(onnx)
            model.reshape({name: ov.PartialShape(list(shape)) for name, shape in shapes.items()})
            compiled = core.compile_model(model, "CPU", properties)
            for _ in range(_cores()):
                self._idle.put(compiled.create_infer_request())
        except RuntimeError as error:
            raise ModelDamagedError(f"OpenVINO does not take the network: {error}") from error

    def run(self, inputs: Mapping[str, npt.NDArray[np.float32]], *outputs: str) -> list[npt.NDArray[Any]]:
        """The outputs of these names, as arrays of their own."""
        request = self._idle.get()
        try:
            request.infer(dict(inputs), share_inputs=True)
            return [request.get_tensor(name).data.copy() for name in outputs]
        finally:
            self._idle.put(request)


def _cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS knows no affinity
