"""An engine of `separation`, in whichever environment has it.

python engine_process.py native|openvino|tensorflow

Each line of standard input is a request: a function as `do`, and its arguments. The model is held between
requests, as a worker holds it between jobs.
"""

import json
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import get_args

import numpy as np

from media import AudioOutput
from separation import load_engine, separate
from separation.engine import Bandwidth, EngineName
from separation.engines import open_checkpoint
from separation.masks import MaskExtension
from separation.models.weights import VariantName

(ENGINE,) = (name for name in get_args(EngineName) if name == sys.argv[1])
held = lru_cache(maxsize=1)(load_engine)


def separate_songs(
    variant: VariantName, bandwidth: Bandwidth, mask_extension: MaskExtension, songs: list[str], folder: str
) -> None:
    """Stems in `folder/{song}/{stem}.wav`, of float samples, which are not turned down."""
    for song in map(Path, songs):
        destination = Path(folder) / song.stem
        destination.mkdir()
        engine = held(variant, bandwidth, engine=ENGINE)
        separate(
            song,
            destination,
            engine,
            stems=engine.stems,
            mask_extension=mask_extension,
            output=AudioOutput("wav", 44_100, bit_depth=32),
            max_seconds=600,
        )


def estimate(
    checkpoint: str, variant: VariantName, bandwidth: Bandwidth, magnitude: str, estimates: str
) -> None:
    """One segment by a checkpoint that is not an official one: from an array's file to another."""
    engine = open_checkpoint(Path(checkpoint), variant, bandwidth, engine=ENGINE)
    np.save(estimates, engine.estimate(np.load(magnitude)))


def main() -> None:
    """Answer each request with an empty object."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what TensorFlow prints is no answer
    functions: list[Callable[..., None]] = [separate_songs, estimate]
    by_name = {function.__name__: function for function in functions}
    for line in sys.stdin:
        request = json.loads(line)
        by_name[request.pop("do")](**request)
        print("{}", file=answers, flush=True)


if __name__ == "__main__":
    main()
