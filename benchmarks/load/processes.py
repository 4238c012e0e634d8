"""The processes of a local cloud, known by where they have their temporary files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


def workers_memory(folder: Path) -> int:
    """Bytes of memory that all workers hold whose temporary files are in a folder, with what they started."""
    total = 0
    for process, environment in _below(folder):
        with suppress(OSError):  # gone meanwhile
            if _part(environment) == "workers":
                total += int((process / "statm").read_text().split()[1]) * _PAGE
    return total


def processor_ms(folder: Path) -> Counter[str]:
    """Milliseconds of a processor that a cloud's processes have taken so far, by their part.

    ``folder`` is that of the cloud's temporary files. Parts are `emulator`, `workers`, and each function.
    """
    taken: Counter[str] = Counter()
    for process, environment in _below(folder):
        with suppress(OSError):
            # The fields after the name, which may hold anything; see proc(5).
            *_, user, system = (process / "stat").read_text().rpartition(") ")[2].split()[:13]
            taken[_part(environment)] += 1000 * (int(user) + int(system)) // _TICKS
    return taken


def _part(environment: Mapping[str, str]) -> str:
    if Path(environment["TMPDIR"]).name.startswith("worker-"):
        return "workers"
    return Path(environment["LOCAL_LOG"]).stem if "LOCAL_LOG" in environment else "emulator"


def _below(folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pairs = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            if Path(environment.get("TMPDIR", "/")).is_relative_to(folder):
                yield process, environment
