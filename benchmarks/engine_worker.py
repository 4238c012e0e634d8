"""The engine in a process that stays, as a Lambda function's does between songs.

python -m benchmarks.engine_worker SONG FOLDER
"""

import json
import resource
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import random_weights
from benchmarks.stages import matrix_gflops, stage_seconds
from media import AudioOutput
from separation import Engine, separate
from separation.engine import Precision
from separation.engines.openvino import has_bfloat16
from separation.models.weights import VariantName


@cache
def engine(variant: VariantName, precision: Precision) -> Engine:
    """A model, loaded once."""
    return random_weights.load_engine(variant, precision=precision)


def answer(song: Path, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked; loading a model is not part of the time."""
    if request["do"] == "matrix":
        return {"gflops": matrix_gflops()}
    if request["do"] == "describe":
        return {"bfloat16": has_bfloat16(), "official 4stems": random_weights.is_installed("4stems")}
    loaded = engine(request["variant"], request["precision"])
    if request["do"] == "stages":
        stages, gflops = stage_seconds(song, folder, loaded)
        return {"stages": stages, "gflops": gflops}
    bitrate = 192 if request["format"] == "mp3" else None
    began = time.perf_counter()
    separate(
        song,
        folder,
        loaded,
        stems=loaded.stems,
        mask_extension="zeros",
        output=AudioOutput(request["format"], bitrate=bitrate),
        max_seconds=600,
    )
    seconds = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak_mb}


def main(song: Path, folder: Path) -> None:
    """Answer each line of standard input."""
    for line in sys.stdin:
        print(json.dumps(answer(song, folder, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
