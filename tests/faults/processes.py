"""The functions' processes: which one is at the other end of a connection, and what can be done to it."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
# How they are started: by Lambda's runtime client, or to poll.
_LAMBDA, _POLLER = b"awslambdaric", b"\0-m\0poll\0"
_functions: set[Path] = set()


def process_at(port: int, to: int) -> int | None:
    """The function's process with a connection from one port to another; None if it is gone."""
    inode = _socket_inode(port, to)
    if inode is None:
        return None
    found = _holder(inode)
    if found is None:
        _look_for_functions()
        found = _holder(inode)
    return found


def kill(pid: int) -> None:
    """End a process as a crash does: it hears nothing of it."""
    _send(pid, signal.SIGKILL)


def stop(pid: int) -> None:
    """Ask a process to end, as whoever runs it does: one that polls gives its job back first."""
    _send(pid, signal.SIGTERM)


def polls(pid: int) -> bool:
    """Whether it takes messages from the queue by itself."""
    try:
        return _POLLER in (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False


def freeze(pid: int) -> None:
    """Let a process stand still."""
    _send(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    """Let it go on."""
    _send(pid, signal.SIGCONT)


def limit_files(pid: int, size: int | None) -> None:
    """Let no file of a process grow beyond ``size`` bytes: the next write beyond fails, as on a full disk.

    The kernel says EFBIG in place of ENOSPC. A full disk of its own would need the right to mount one.
    """
    with suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _socket_inode(port: int, to: int) -> str | None:
    for line in (_PROC / "net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *_, inode = line.split()[:10]
        # The port alone would not do: several connections may have it, to different places.
        if local.endswith(f":{port:04X}") and remote.endswith(f":{to:04X}") and inode != "0":
            return inode
    return None


def _holder(inode: str) -> int | None:
    link = f"socket:[{inode}]"
    for process in list(_functions):
        try:
            descriptors = [_target(descriptor) for descriptor in (process / "fd").iterdir()]
        except OSError:
            _functions.discard(process)
            continue
        if link in descriptors:
            return int(process.name)
    return None


def _look_for_functions() -> None:
    for process in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if _LAMBDA in command or _POLLER in command:
                _functions.add(process)


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""
