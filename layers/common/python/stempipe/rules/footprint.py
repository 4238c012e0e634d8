"""What a job takes of the worker's machine."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from stempipe.observability import Metric

_MEGABYTE = 1 << 20


class Footprint:
    """Watches memory and temporary disk while the block lasts, and counts the most of each.

    Parameters
    ----------
    folder
        On the disk. What others write there is counted as well; a worker on Lambda has it to itself.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = self._used()
        self._most = 0

    def look(self) -> None:
        """Look how much there is now. Files without a name count, too."""
        self._most = max(self._most, self._used() - self._before)

    def _used(self) -> int:
        return shutil.disk_usage(self._folder).used

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.look()
        Metric.DISK.add(self._most / _MEGABYTE)
        # Linux says it in kilobytes.
        Metric.PEAK_MEMORY.add(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE)
