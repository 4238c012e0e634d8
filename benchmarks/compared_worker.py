"""One engine on some of the processors, with some of their instructions, to be compared with another.

python -m benchmarks.compared_worker SONG FOLDER native|openvino avx512|avx2 CORES

OpenVINO's matrix products take AVX-512 whatever it is told; its convolutions keep to ONEDNN_MAX_CPU_ISA.
"""

import json
import os
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

from downloads.directory import models_directory
from media import AudioOutput
from media.audio_input import AudioInput
from separation import Engine, separate
from separation.engines import load_engine
from separation.engines.native import NativeEngine
from separation.models.checkpoint import read_checkpoint
from separation.models.weights import verify
from separation.native.bindings import open_library
from separation.native.build import INSTRUCTIONS, NotBuiltError
from separation.spectrum import segments

_SEGMENTS = 5


def instructions_here() -> list[str]:
    """Those that the native engine has a library for, and this processor has; none if nothing is compiled."""
    found = []
    for name in INSTRUCTIONS:
        try:
            open_library(name)
        except NotBuiltError:
            continue
        found.append(name)
    return found


def _engine(name: str, instructions: str) -> Engine:
    if name == "openvino":
        return load_engine("2stems", "11khz", engine="openvino")
    return NativeEngine(
        read_checkpoint(verify("2stems", models_directory())), "2stems", "11khz", instructions
    )


def answer(song: Path, folder: Path, engine: Engine) -> dict[str, Any]:
    """Seconds of the networks for a segment, the mean of the song's first five, and of the whole song."""
    with AudioInput(song, 600) as opened:
        some = list(islice(segments(opened.blocks(), engine.transform, engine.bins), _SEGMENTS))
    began = time.perf_counter()
    for segment in some:
        engine.estimate(segment.magnitude)
    network = (time.perf_counter() - began) / len(some)
    began = time.perf_counter()
    separate(
        song,
        folder,
        engine,
        stems=engine.stems,
        mask_extension="average",
        output=AudioOutput("wav"),
        max_seconds=600,
    )
    return {"network": network, "song": time.perf_counter() - began}


def main(song: Path, folder: Path, name: str, instructions: str, cores: int) -> None:
    """Answer each line of standard input, whatever it says."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    engine = _engine(name, instructions)
    for _ in sys.stdin:
        print(json.dumps(answer(song, folder, engine)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
