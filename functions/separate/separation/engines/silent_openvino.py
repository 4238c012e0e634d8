"""OpenVINO without its telemetry, whose mere import would start a thread that reports to Google Analytics."""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # an import of it now fails, silently

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["ops", "ov"]
