"""The networks, loaded once for all tests, and the same files in their own runtime."""

from functools import cache

import onnxruntime

from analysis.basic_pitch import BasicPitch
from analysis.pitch import SwiftF0
from analysis.weights import ModelName, load_bytes
from downloads.directory import models_directory


@cache
def basic_pitch() -> BasicPitch:
    return BasicPitch(models_directory())


@cache
def swift_f0() -> SwiftF0:
    return SwiftF0(models_directory())


@cache
def onnx_runtime(name: ModelName) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        load_bytes(name, models_directory()), providers=["CPUExecutionProvider"]
    )
