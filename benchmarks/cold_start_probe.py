"""The handler that cold_start.py puts into a worker's image: what a worker does, without AWS around it."""

import time
from pathlib import Path
from typing import Any

from app import settings
from sound import Spleeter
from stempipe.jobs.config import JobConfig


def handler(event: dict[str, Any], context: Any) -> dict[str, float]:
    """Separate `/song`; say when this was called and when the first segment was done."""
    called, reports = time.time(), []
    stems = Path("/tmp/stems")  # noqa: S108 - the container's own
    stems.mkdir()
    spleeter = Spleeter(settings())
    spleeter.separate(Path("/song"), stems, JobConfig(), "", lambda share: reports.append(time.time()))
    return {"called": called, "separated": reports[0]}
