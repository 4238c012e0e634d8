"""Whether workers grow: what they hold of memory and disk, in the first and in the last quarter of a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import processes
from benchmarks.scale.tables import Waits

MOST_GROWTH = 0.05
"""By so much of what it was in the first quarter it may be more in the last."""
_SECONDS = 2.0
_BLOCK = 512


@dataclass(frozen=True)
class Sample:
    """Bytes that all workers hold together: of memory, and of their temporary disks."""

    memory: int
    disk: int


@dataclass
class Footprints:
    """Samples of the workers that have their temporary files in a folder, each in one of its own."""

    folder: Path
    samples: list[Sample] = field(default_factory=list)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take samples until the block ends."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_SECONDS):
                self.samples.append(Sample(processes.workers_memory(self.folder), self._disk()))

        thread = threading.Thread(target=watch, name="footprints")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _disk(self) -> int:
        total = 0
        for file in self.folder.glob("worker-*/**/*"):
            with suppress(OSError):
                total += file.lstat().st_blocks * _BLOCK
        return total


def growth(values: Sequence[float]) -> float:
    """By how much of itself something is more in the last quarter than in the first.

    What is compared is each quarter's 95th percentile: what is held while a song is worked on.
    """
    quarter = len(values) // 4
    if not quarter:
        return 0.0
    first, last = (Waits.ranked(sorted(part)).p95 for part in (values[:quarter], values[-quarter:]))
    return (last - first) / first if first else float(last > 0)
