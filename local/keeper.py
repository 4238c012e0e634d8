"""Runs MiniStack and leaves nothing behind.

Started in a session of its own, with a pipe from whoever wants MiniStack. When the pipe closes, be it by
`Server.stop`, by an exception, or because that process was killed, MiniStack is asked to stop, which saves
its state, and then everything in the session's process group is killed, the functions' processes included.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

LIFELINE = 0  # standard input
GRACE_SECONDS = 15.0


def keep(command: list[str]) -> None:
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ministack = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - from server.py
    try:
        while not stopping and ministack.poll() is None:
            readable, _, _ = select.select([LIFELINE], [], [], 0.2)
            stopping = stopping or (bool(readable) and not os.read(LIFELINE, 1))
        ministack.terminate()
        ministack.wait(GRACE_SECONDS)
    finally:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    keep(sys.argv[1:])
