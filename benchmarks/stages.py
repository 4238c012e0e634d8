"""The stages of a separation one after another, each alone on the machine, and the machine's own limit."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from media import AudioOutput
from media.audio_input import AudioInput
from media.audio_output import AudioWriter
from media.samples import SAMPLE_RATE
from media.spool import Spool
from separation import Engine
from separation.engines.silent_openvino import ops, ov
from separation.spectrum import Inverse, segments

STAGES = ("decode", "spectrum", "network", "masks and inverse", "encode")
UNET_FLOP = 2 * 6.10e9  # of one U-Net and segment, as Spleeter has it: a multiplication and an addition each
_MATRIX = 3072

Item = TypeVar("Item")


class Stopwatch:
    """Adds up the seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - began

    def each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items, timing how long each is in the making."""
        iterator = iter(items)
        while True:
            with self.timing(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item


def stage_seconds(song: Path, folder: Path, engine: Engine) -> tuple[dict[str, float], float]:
    """Separate a song as `separation.separate` does, but one thing at a time, into WAV.

    Returns
    -------
    seconds : dict
        Of each of `STAGES`.
    gflops : float
        Rate of the network, in 10**9 operations of Spleeter's own arithmetic a second.
    """
    watch = Stopwatch()
    transform = engine.transform
    inverses = [Inverse(transform) for _ in engine.stems]
    spools = [Spool(folder, SAMPLE_RATE) for _ in engine.stems]
    count = 0
    with AudioInput(song, 600) as opened:
        blocks = watch.each("decode", opened.blocks())
        for segment in watch.each("spectrum", segments(blocks, transform, engine.bins)):
            count += 1
            with watch.timing("network"):
                estimates = engine.estimate(segment.magnitude)
            with watch.timing("masks and inverse"):
                masks = transform.masks(estimates)
            for mask, inverse, spool in zip(masks, inverses, spools, strict=True):
                with watch.timing("masks and inverse"):
                    samples = inverse.add(segment, mask, "zeros")
                with watch.timing("encode"):
                    spool.write(samples)
    output = AudioOutput("wav")
    for stem, spool in zip(engine.stems, spools, strict=True):
        with watch.timing("encode"), spool, AudioWriter(folder / f"{stem}.wav", output) as writer:
            spool.finish()
            for block in spool.blocks():
                writer.write(block)
            writer.finish()
    seconds = {stage: watch.seconds[stage] for stage in STAGES}
    seconds["spectrum"] -= seconds["decode"]  # decoding goes on inside it
    return seconds, UNET_FLOP * count * len(engine.stems) / seconds["network"] / 1e9


def matrix_gflops() -> float:
    """The best of ten float32 matrix products of 3072 x 3072 in OpenVINO, in 10**9 operations a second."""
    random = np.random.default_rng(0)
    one, other = random.standard_normal((2, _MATRIX, _MATRIX), np.float32)
    left = ops.parameter([_MATRIX, _MATRIX], np.float32)
    model = ov.Model([ops.matmul(left, ops.constant(other), False, False)], [left])
    properties = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
    request = ov.Core().compile_model(model, "CPU", properties).create_infer_request()
    watch = Stopwatch()
    for attempt in range(10):
        with watch.timing(str(attempt)):
            request.infer([one], share_inputs=True)
    return 2 * _MATRIX**3 / min(watch.seconds.values()) / 1e9
