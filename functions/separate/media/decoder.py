"""The program that decodes each upload in a process of its own, for `IsolatedInput`.

That process writes messages to a pipe: a line of JSON, and after it as many bytes of samples as it says. It
can open nothing, so whatever it may need is imported here, and its song is opened, before it reads any of it.
"""

import encodings.cp1252  # noqa: F401 - of tags
import json
import os
import resource
import socket
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from io import BufferedReader
from pathlib import Path, PosixPath
from typing import Any, BinaryIO, NoReturn

import av.subtitles.codeccontext
import av.subtitles.stream  # noqa: F401 - PyAV imports both when it first meets a song
import numpy as np

from media.audio_input import AudioInput
from media.confinement import confine, forbid_inspection
from media.errors import CorruptMediaError, MediaError
from media.isolated_input import UNDECODABLE
from media.samples import SAMPLE_RATE, Samples


class Opened(PosixPath):
    """A file opened ahead of time, for a process that may open none."""

    _file: BufferedReader
    _status: os.stat_result

    @classmethod
    def ahead(cls, path: str) -> "Opened":
        opened = cls(path)
        opened._file = Path(path).open("rb")  # noqa: SIM115 - closed by whoever reads it
        opened._status = os.fstat(opened._file.fileno())
        return opened

    def open(self, *_: Any, **__: Any) -> Any:
        return self._file

    def stat(self, **_: Any) -> os.stat_result:
        return self._status


def decode(source: Path, max_seconds: float, to: BinaryIO) -> None:
    """Decode `source` and tell `to` of it: first what it is, then its samples, at last the error if any."""
    nothing = np.empty((2, 0), np.float32)
    try:
        with AudioInput(source, max_seconds) as song:
            _tell(to, song, nothing)
            for samples in _by_the_second(song.blocks()):
                _tell(to, song, samples)
            _tell(to, song, nothing)
    except MediaError as error:
        _tell_error(to, error)


def _tell_error(to: BinaryIO, error: MediaError) -> None:
    to.write(json.dumps({"error": error.code, "message": str(error)}).encode() + b"\n")


def _tell(to: BinaryIO, song: AudioInput, samples: Samples) -> None:
    data = samples.tobytes()
    message = {
        "codec": song.codec,
        "channels": song.channels,
        "sample_rate": song.sample_rate,
        "expected_seconds": song.expected_seconds,
        "tags": asdict(song.tags),
        "notices": [asdict(notice) for notice in song.notices],
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


def serve(channel: socket.socket) -> None:
    """For each song that is asked for, fork a process, and tell its id and how it ended."""
    is_confined = _can_confine()
    while True:
        request, fds, _, _ = socket.recv_fds(channel, 1 << 16, 1)
        if not request:
            return
        (pipe,) = fds
        if (process := os.fork()) == 0:
            channel.close()
            _be_the_songs_process(json.loads(request), pipe, is_confined=is_confined)
        os.close(pipe)
        channel.send(f"{process}\n".encode())
        # Left a zombie until the other side knows, so that it never kills another process of this id.
        ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        channel.send(f"{code}\n".encode())
        if not channel.recv(1):
            return
        os.waitpid(process, 0)


def _can_confine() -> bool:
    """Close this process to others, and find out whether songs' processes can be confined.

    Tried by a process that does nothing else, which says in the log what the kernel refuses.
    """
    if (process := os.fork()) == 0:
        code = 1
        try:
            forbid_inspection()
            confine()
            code = 0
        except OSError as error:
            print(f"This kernel does not keep the decoder to its song: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    with suppress(OSError):
        forbid_inspection()
    return status == 0


def _be_the_songs_process(song: Mapping[str, Any], pipe: int, *, is_confined: bool) -> NoReturn:
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (song["cpu_seconds"], song["cpu_seconds"] + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with os.fdopen(pipe, "wb") as to:
            source = Opened.ahead(song["source"])
            resource.setrlimit(resource.RLIMIT_DATA, (song["memory_bytes"], song["memory_bytes"]))
            try:
                if is_confined:
                    confine()
                decode(source, song["max_seconds"], to)
            except MemoryError:
                _tell_error(to, CorruptMediaError(UNDECODABLE))
        code = 0
    except BrokenPipeError:
        pass  # nobody listens any more
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _channel:
        serve(_channel)
