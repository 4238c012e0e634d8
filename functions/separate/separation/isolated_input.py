"""A song decoded in a process of its own, so that a hostile file harms that process and nothing else.

A few megabytes of tags make FFmpeg work for hours, because its dictionaries take the square of their size in
time; a few kilobytes of index make it take gigabytes; a million lines of C may crash. The process may take so
much time and memory and no more, and has none of the worker's environment, its credentials above all.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from separation.errors import CorruptMediaError, SeparationError
from separation.spectrum import CHANNELS, Samples
from separation.tags import Tags

UNDECODABLE = "The file breaks the decoder, or takes more of it than any song does. Export it again."
_ERRORS = {error.code: error for error in SeparationError.__subclasses__()}
_CRASHES = {
    -signal.SIGABRT,
    -signal.SIGBUS,
    -signal.SIGFPE,
    -signal.SIGILL,
    -signal.SIGSEGV,
    -signal.SIGXCPU,
}


@dataclass(frozen=True)
class Limits:
    """What decoding one song may take: many times what any real one does.

    Attributes
    ----------
    cpu_seconds : int
        Ten minutes of MP3 take two.
    memory_bytes : int
        Of the process's own data. A song with a cover of 50 MB takes 150 MB.
    """

    cpu_seconds: int = 100
    memory_bytes: int = 512 << 20


class IsolatedInput:
    """`AudioInput`, with its attributes and errors, in a process of its own.

    Attributes
    ----------
    channels, sample_rate : int
        Of the source.
    codec : str
        FFmpeg's name of the source's codec.
    seconds : float
        Decoded so far; after the last block, the source's duration.
    expected_seconds : float
        The song's duration, or an estimate of it from how far the file has been read.
    tags : Tags
        Title, artist and album of the source.
    """

    codec: str
    tags: Tags
    channels: int
    sample_rate: int
    seconds: float
    expected_seconds: float

    def __init__(self, source: Path, max_seconds: float, limits: Limits | None = None) -> None:
        """Open `source`.

        Raises
        ------
        SeparationError
            As `AudioInput` does; `CorruptMediaError` also for what goes beyond the limits or crashes FFmpeg.
        """
        limits = limits or Limits()
        arguments = (source, max_seconds, limits.cpu_seconds, limits.memory_bytes)
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, and no shell
            [sys.executable, "-m", "separation.decoder", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
        )
        try:
            self._receive()
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[Samples]:
        """The song's samples, once.

        Yields
        ------
        ndarray (2, any), float32
            As `AudioInput.blocks` does, about a second at a time.

        Raises
        ------
        SeparationError
            As `AudioInput.blocks` does; `CorruptMediaError` also for what goes beyond the limits or crashes
            FFmpeg.
        """
        while (samples := self._receive()) is not None:
            yield samples

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _receive(self) -> Samples | None:
        """The next message's samples, any number of them; None after the last message."""
        pipe = self._process.stdout
        assert pipe is not None
        line = pipe.readline()
        if not line.endswith(b"\n"):
            self._end()
            return None
        message = json.loads(line)
        if "error" in message:
            raise _ERRORS[message["error"]](message["message"])
        count = message.pop("bytes")
        data = pipe.read(count)
        if len(data) < count:
            self._end()
            return None
        vars(self).update(message, tags=Tags(**message["tags"]))
        return np.frombuffer(data, np.float32).reshape(CHANNELS, -1)

    def _end(self) -> None:
        """Tell a process that was through from one that did not get there."""
        code = self._process.wait()
        if code in _CRASHES:
            raise CorruptMediaError(UNDECODABLE)
        if code:
            raise RuntimeError(f"The decoder ended with {code}; its own words are in the log.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
