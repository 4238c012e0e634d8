"""The images of separate by themselves, as Lambda runs them: by any user, and writing to /tmp alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from downloads.directory import models_directory
from local import demo
from separation.models.weights import verify

pytestmark = [pytest.mark.sam, pytest.mark.parametrize("target", ["openvino", "tensorflow"])]

# What the handler does between its download and its upload.
SEPARATE = """
import json
from pathlib import Path
from app import settings
from sound import Spleeter
from stempipe.jobs.config import JobConfig
from stempipe.errors import StempipeError

stems = Path("/tmp/stems")
stems.mkdir()
try:
    done = Spleeter(settings()).separate(Path("/song"), stems, JobConfig(), "", lambda share: None)
    print(json.dumps({stem: path.stat().st_size for stem, path in done.stems.items()}))
except StempipeError as error:
    print(json.dumps(error.code))
"""
# OpenVINO reads these files with its reader of ONNX, which the image keeps.
READ_NETWORKS = """
from analysis.basic_pitch import BasicPitch
from analysis.pitch import SwiftF0
from analysis.weights import load_bytes
from downloads.directory import models_directory

BasicPitch(models_directory())
SwiftF0(models_directory())
print(len(load_bytes("beatnet", models_directory())))
"""
RunInImage = Callable[..., str]


def test_a_song_is_separated_without_any_rights(target: str, run_in_image: RunInImage, root: Path) -> None:
    stems = json.loads(run_in_image(target, SEPARATE, {"/song": demo.example_song(root / ".local")}))
    assert stems.keys() == {"vocals", "accompaniment"}
    assert min(stems.values()) > 479_000 * 4  # samples of 16-bit stereo


def test_a_damaged_model_is_an_error(
    target: str, run_in_image: RunInImage, root: Path, tmp_path: Path
) -> None:
    index = tmp_path / "model.index"
    index.write_bytes(verify("2stems", models_directory()).with_name("model.index").read_bytes()[:-1])
    files = {"/song": demo.example_song(root / ".local"), "/opt/models/2stems/model.index": index}
    assert json.loads(run_in_image(target, SEPARATE, files)) == "model_damaged"


def test_the_networks_of_the_analysis_are_read(target: str, run_in_image: RunInImage) -> None:
    if target == "tensorflow":
        pytest.skip("this image has no OpenVINO")
    assert int(run_in_image(target, READ_NETWORKS, {})) == 1_612_179
