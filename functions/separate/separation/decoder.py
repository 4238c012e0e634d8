"""The program that decodes one upload in a process of its own, for `IsolatedInput`.

Writes messages to standard output: a line of JSON, and after it as many bytes of samples as it says.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import numpy as np

from separation.audio_input import AudioInput
from separation.errors import CorruptMediaError, SeparationError
from separation.isolated_input import UNDECODABLE
from separation.spectrum import SAMPLE_RATE, Samples


def decode(source: Path, max_seconds: float, to: BinaryIO) -> None:
    """Decode `source` and tell `to` of it: first what it is, then its samples, at last the error if any."""
    nothing = np.empty((2, 0), np.float32)
    try:
        with AudioInput(source, max_seconds) as song:
            _tell(to, song, nothing)
            for samples in _by_the_second(song.blocks()):
                _tell(to, song, samples)
            _tell(to, song, nothing)
    except SeparationError as error:
        _tell_error(to, error)
    except MemoryError:
        _tell_error(to, CorruptMediaError(UNDECODABLE))


def _tell_error(to: BinaryIO, error: SeparationError) -> None:
    to.write(json.dumps({"error": error.code, "message": str(error)}).encode() + b"\n")


def _tell(to: BinaryIO, song: AudioInput, samples: Samples) -> None:
    data = samples.tobytes()
    message = {
        "codec": song.codec,
        "channels": song.channels,
        "sample_rate": song.sample_rate,
        "seconds": song.seconds,
        "expected_seconds": song.expected_seconds,
        "tags": asdict(song.tags),
        "bytes": len(data),
    }
    to.write(json.dumps(message).encode() + b"\n" + data)
    to.flush()


def _by_the_second(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Join the blocks, which may be tiny, to ones of a second or more."""
    joined: list[Samples] = []
    count = 0
    for block in blocks:
        joined.append(block)
        count += block.shape[1]
        if count >= SAMPLE_RATE:
            yield np.concatenate(joined, axis=1)
            joined, count = [], 0
    if joined:
        yield np.concatenate(joined, axis=1)


if __name__ == "__main__":
    _source, _max_seconds, _cpu_seconds, _memory_bytes = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(_cpu_seconds), int(_cpu_seconds) + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (int(_memory_bytes), int(_memory_bytes)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    decode(Path(_source), float(_max_seconds), sys.stdout.buffer)
