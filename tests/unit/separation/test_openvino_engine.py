"""The precision of OpenVINO's arithmetic."""

import logging

import numpy as np
import pytest

from separation import load_engine
from separation.engines.openvino import has_bfloat16, precision_hint


def test_bfloat16_is_used_where_it_is_wanted_and_there(caplog: pytest.LogCaptureFixture) -> None:
    assert precision_hint("bfloat16", True) == "bf16"
    assert precision_hint("float32", True) == "f32"
    assert precision_hint("float32", False) == "f32"
    assert not caplog.records


def test_a_processor_without_bfloat16_uses_float32_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert precision_hint("bfloat16", False) == "f32"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "no bfloat16" in record.getMessage()


def test_estimates_in_bfloat16_are_close_and_other_than_those_in_float32() -> None:
    magnitude = np.random.default_rng(0).exponential(5, (512, 1024, 2)).astype(np.float32)
    expected = load_engine("2stems", "11khz", engine="openvino").estimate(magnitude)
    found = load_engine("2stems", "11khz", engine="openvino", precision="bfloat16").estimate(magnitude)
    error = np.sum((found - expected) ** 2) / np.sum(expected**2)
    assert error < 1e-3
    assert (error > 0) == has_bfloat16()
