import subprocess
import sys

import pytest

from analysis.networks import Network
from analysis.weights import load_bytes
from downloads.directory import models_directory
from downloads.errors import ModelDamagedError
from tests.unit.wheels import FUNCTION


def test_what_is_no_network_is_damage() -> None:
    cut = load_bytes("swift_f0", models_directory())[:-100]
    for onnx in (b"", b"no network", cut):
        with pytest.raises(ModelDamagedError, match="OpenVINO does not take the network"):
            Network(onnx, {})


def test_importing_it_reports_to_nobody() -> None:
    """OpenVINO's telemetry would send a message, from a thread of its own, on import."""
    program = (
        "import analysis.notes, analysis.pitch, sys, threading; "
        "assert threading.active_count() == 1; assert sys.modules['openvino_telemetry'] is None"
    )
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(FUNCTION)}, check=True)


def test_nothing_comes_with_it_that_the_image_has_not() -> None:
    program = (
        "import analysis.notes, analysis.pitch, analysis.key, sys; "
        "assert not {'scipy', 'onnxruntime', 'librosa', 'torch', 'tensorflow', 'onnx'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(FUNCTION)}, check=True)
