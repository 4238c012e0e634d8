"""Decodes the files named on standard input, one after the other, in a process confined as a song's own is,
and killed for whatever is refused there.

Says of each, in a line of JSON, how it ended and what it took. Whoever started it sees on which file it died,
if on any.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np

from media import MediaError
from media.audio_input import AudioInput
from media.confinement import KILL, confine
from media.decoder import Opened
from tests.hostile.corpus import MAX_SONG_SECONDS


class PeakMemory:
    """How much more memory was resident at a time than at the last reset, in MB."""

    def __init__(self) -> None:
        self._forget = Path("/proc/self/clear_refs").open("wb", buffering=0)  # noqa: SIM115
        self._status = Path("/proc/self/status").open("rb", buffering=0)  # noqa: SIM115
        self._before = 0.0

    def reset(self) -> None:
        self._forget.write(b"5")
        self._before = self._peak()

    def read(self) -> float:
        return self._peak() - self._before

    def _peak(self) -> float:
        self._status.seek(0)
        lines = dict(line.split(b":", 1) for line in self._status.read(1 << 16).splitlines())
        return int(lines[b"VmHWM"].split()[0]) / 1024


def decode(song: Path) -> dict[str, Any]:
    """As the worker does."""
    loudest = 0.0
    try:
        with AudioInput(song, MAX_SONG_SECONDS) as opened:
            for block in opened.blocks():
                loudest = max(loudest, float(np.abs(block).max(initial=0)))
    except MediaError as error:
        return {"end": error.code, "message": str(error)}
    return {"end": "stems", "loudest": loudest}


def follow(song: Path) -> dict[str, Any]:
    """As a careless program does, that lets FFmpeg open what an upload names."""
    careless = {
        "protocol_whitelist": "file,http,tcp,rtp,udp",
        "allowed_extensions": "ALL",  # of hls
        "safe": "0",  # of concat
        "enable_drefs": "1",  # of mov
        "use_absolute_path": "1",
    }
    try:
        with av.open(song.open("rb"), "r", container_options=careless) as container:
            return {"end": "stems", "loudest": len(list(container.decode(audio=0)))}
    except (av.FFmpegError, IndexError) as error:
        return {"end": str(error)}


def main(how: Callable[[Path], dict[str, Any]]) -> None:
    songs = [Opened.ahead(path) for path in sys.stdin.read().splitlines()]
    memory = PeakMemory()
    confine(KILL)
    for song in songs:
        print(json.dumps({"path": str(song)}), flush=True)
        memory.reset()
        started = time.process_time()
        outcome = how(song)
        took = {"cpu_seconds": time.process_time() - started, "megabytes": memory.read()}
        print(json.dumps({"path": str(song), **outcome, **took}), flush=True)


if __name__ == "__main__":
    main({"decode": decode, "follow": follow}[sys.argv[1]])
