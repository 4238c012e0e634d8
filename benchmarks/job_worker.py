"""The sound of jobs, with analysis and without, in a process that stays as a Lambda function's does.

python -m benchmarks.job_worker VARIANT SONG FOLDER [PARTS]

What is analysed are the stems that were made, or the song's true parts in the folder PARTS.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from analysis import analyse, write_files
from benchmarks import random_weights
from media import AudioOutput
from separation import Engine, separate
from separation.models.weights import VARIANTS


def answer(
    engine: Engine, song: Path, out: Path, parts: Path | None, request: dict[str, Any]
) -> dict[str, Any]:
    """Do a job as it is asked for: `player`, and `notes`, which is None where there is no analysis."""
    began = time.perf_counter()
    made = separate(
        song,
        out,
        engine,
        stems=engine.stems,
        mask_extension="average",
        output=AudioOutput("wav"),
        max_seconds=600,
        player=request["player"],
    )
    answered = {"stems_s": time.perf_counter() - began}
    if request["notes"] is not None:
        before = _processor_seconds()
        stems = made.stems if parts is None else {name: parts / f"{name}.wav" for name in made.stems}
        found = analyse(song, stems, notes=request["notes"], frame_rate=60, max_seconds=600)
        write_files(found, out)
        answered["cpu_s"] = (_processor_seconds() - before) / (made.seconds / 60)
    answered["seconds"] = time.perf_counter() - began
    answered["peak_mb"] = _peak_mb()
    return answered


def _processor_seconds() -> float:
    """Of this process, and of those that decoded for it."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _forget_peak() -> None:
    """What making random weights takes is not of a job."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    """The most memory that this process has held since then, in MB of 2**20 bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main(variant: str, song: Path, out: Path, parts: Path | None = None) -> None:
    """Answer each line of standard input."""
    known = next(name for name in VARIANTS if name == variant)
    engine = random_weights.load_engine(known)
    _forget_peak()
    for line in sys.stdin:
        print(json.dumps(answer(engine, song, out, parts, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
