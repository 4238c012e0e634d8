"""A song decoded in a process of its own, so that a hostile file harms that process and nothing else.

A few megabytes of tags make FFmpeg work for hours, because its dictionaries take the square of their size in
time; a few kilobytes of index make it take gigabytes; a million lines of C may crash, or do what a file bids
them. The process may take so much time and memory and no more, has none of the worker's environment, its
credentials above all, and reaches nothing but the song, where the kernel sees to it (`confinement`).

Each song has a new process. It is a fork of one that has done its imports and waits for the next song, so
that it starts in no time: the `decoder`, which lives as long as this process.
"""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from media.errors import CorruptMediaError, MediaError
from media.notices import Notice
from media.samples import CHANNELS, SAMPLE_RATE, Samples
from media.tags import Tags

UNDECODABLE = "The file breaks the decoder, or takes more of it than any song does. Export it again."
_LONGEST_LINE = 1 << 16  # many times tags, notices and all
_LEEWAY_SECONDS = 1.0
_ERRORS = {error.code: error for error in MediaError.__subclasses__()}
_CRASHES = {
    -signal.SIGABRT,
    -signal.SIGBUS,
    -signal.SIGFPE,
    -signal.SIGILL,
    -signal.SIGSEGV,
    -signal.SIGXCPU,
}


# The slowest decoding that is taken for a song's: so many times as fast as it plays.
_REAL_TIME = 6


@dataclass(frozen=True)
class Limits:
    """What decoding one song may take: many times what any real one does.

    Attributes
    ----------
    cpu_seconds : int
        Ten minutes of MP3 take two, of AAC in 5.1 six.
    memory_bytes : int
        Of the process's own data. A song with a cover of 50 MB takes 150 MB.
    """

    cpu_seconds: int = 100
    memory_bytes: int = 512 << 20

    @classmethod
    def of(cls, max_seconds: float) -> Self:
        """For songs of up to so many seconds: those of hours may take more time than those of minutes."""
        shortest = cls().cpu_seconds
        return cls(cpu_seconds=max(shortest, math.ceil(max_seconds / _REAL_TIME)))


class _Decoder:
    """The process that forks one for each song, and says how that ended."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        # Lines: two are there at once if a song's process ends before its id is read.
        self._answers = self._channel.makefile("rb")
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, and no shell
                [sys.executable, "-m", "media.decoder", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
            )

    def start(self, source: Path, max_seconds: float, limits: Limits, to: int) -> int:
        """Have a new process decode a song to a pipe. Returns its id."""
        song = {"source": str(source), "max_seconds": max_seconds} | asdict(limits)
        socket.send_fds(self._channel, [json.dumps(song).encode()], [to])
        return self._answer()

    def wait(self) -> int:
        """How the song's process ended, as `subprocess` has it. Until `forget` nobody else gets its id."""
        return self._answer()

    def forget(self) -> None:
        """The song's process is done with."""
        self._channel.send(b".")

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._answers.close()
        self._channel.close()
        self._process.wait()

    def _answer(self) -> int:
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError(
                f"The decoder ended with {self._process.wait()}; its own words are in the log."
            )
        return int(answer)


# Those that wait for a song: usually one.
_waiting: list[_Decoder] = []
# The songs that have a process.
_open: "set[IsolatedInput]" = set()
_opening_or_closing = threading.Lock()


def _take_decoder() -> _Decoder:
    while True:
        try:
            decoder = _waiting.pop()
        except IndexError:
            return _Decoder()
        if decoder.is_alive():
            return decoder
        decoder.close()


def _bytes_of(seconds: float) -> int:
    """Of so many seconds of samples."""
    return round(seconds * SAMPLE_RATE) * CHANNELS * np.dtype(np.float32).itemsize


def stop_all() -> None:
    """End the process of each song that is open, from another thread: who waits for it gets a `RuntimeError`.

    A song may have FFmpeg do nothing for ever, and whoever reads it waits as long.
    """
    with _opening_or_closing:
        for song in _open:
            os.kill(song.process, signal.SIGKILL)


class IsolatedInput:
    """`AudioInput`, with its attributes and errors, in a process of its own.

    Attributes
    ----------
    process : int
        Id of that process.
    channels, sample_rate : int
        Of the source.
    codec : str
        FFmpeg's name of the source's codec.
    seconds : float
        Decoded so far; after the last block, the source's duration. Counted here: its owner's account has it.
    expected_seconds : float
        The song's duration, or an estimate of it from how far the file has been read.
    tags : Tags
        Title, artist and album of the source.
    notices : tuple of Notice
        What has been filled or left out so far.
    """

    codec: str
    tags: Tags
    notices: tuple[Notice, ...]
    channels: int
    sample_rate: int
    seconds: float
    expected_seconds: float

    def __init__(self, source: Path, max_seconds: float, limits: Limits | None = None) -> None:
        """Open `source`.

        Raises
        ------
        MediaError
            As `AudioInput` does; `CorruptMediaError` also for what goes beyond the limits or crashes FFmpeg.
        """
        self._code: int | None = None
        self._limits = limits or Limits.of(max_seconds)
        self._bytes_left = _bytes_of(max_seconds + _LEEWAY_SECONDS)
        self._samples = 0
        ours, theirs = os.pipe()
        self._pipe = os.fdopen(ours, "rb")
        try:
            self._decoder = _take_decoder()
            with _opening_or_closing:
                self.process = self._decoder.start(source, max_seconds, self._limits, theirs)
                _open.add(self)
        except BaseException:
            self._pipe.close()
            raise
        finally:
            os.close(theirs)
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
        MediaError
            As `AudioInput.blocks` does; `CorruptMediaError` also for what goes beyond the limits or crashes
            FFmpeg.
        """
        while (samples := self._receive()) is not None:
            yield samples

    def close(self) -> None:
        if self._pipe.closed:
            return
        self._pipe.close()
        if self._code is None:
            os.kill(self.process, signal.SIGKILL)
            self._decoder.wait()
        with _opening_or_closing:
            _open.remove(self)
            self._decoder.forget()
        _waiting.append(self._decoder)

    def _receive(self) -> Samples | None:
        """The next message's samples, any number of them; None after the last message."""
        line = self._pipe.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            if len(line) == _LONGEST_LINE:
                raise CorruptMediaError(UNDECODABLE)
            self._end()
            return None
        try:
            count = self._hear(json.loads(line))
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as fault:
            raise CorruptMediaError(UNDECODABLE) from fault
        self._bytes_left -= count
        is_taken = 0 <= count <= self._limits.memory_bytes and self._bytes_left >= 0
        if not is_taken or count % _bytes_of(1 / SAMPLE_RATE):
            raise CorruptMediaError(UNDECODABLE)
        data = self._pipe.read(count)
        if len(data) < count:
            self._end()
            return None
        samples = np.frombuffer(data, np.float32).reshape(CHANNELS, -1)
        self._samples += samples.shape[1]
        self.seconds = self._samples / SAMPLE_RATE
        return samples

    def _hear(self, message: Any) -> int:
        """Take what the process says of its song; returns how many bytes of samples come behind it.

        It may be the song that speaks. So nothing else is taken from it, and it has the types that a job's
        record is to have.
        """
        if "error" in message:
            raise _ERRORS[message["error"]](str(message["message"]))
        self.codec, self.channels = str(message["codec"]), int(message["channels"])
        self.sample_rate, self.expected_seconds = (
            int(message["sample_rate"]),
            float(message["expected_seconds"]),
        )
        self.tags = Tags(**{name: str(value) for name, value in message["tags"].items()})
        self.notices = tuple(
            Notice(str(notice["code"]), str(notice["message"]), float(notice["seconds"]))
            for notice in message["notices"]
        )
        return int(message["bytes"])

    def _end(self) -> None:
        """Tell a process that was through from one that did not get there."""
        self._code = self._code if self._code is not None else self._decoder.wait()
        if self._code in _CRASHES:
            raise CorruptMediaError(UNDECODABLE)
        if self._code:
            raise RuntimeError(f"The decoder ended with {self._code}; its own words are in the log.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
