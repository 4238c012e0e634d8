"""A song through the whole pipeline: the template on a local cloud, from the upload to `completed`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.processes import BenchError
from local import demo
from local.cloud import running
from local.server import free_port

_POLL_SECONDS = 0.2


@contextmanager
def api(state: Path) -> Iterator[httpx.Client]:
    """The API of a new local cloud, signed in."""
    with running(port=free_port(), state=state, python=Path(sys.executable)) as deployment:
        headers = {"Authorization": f"Bearer {deployment.token()}"}
        with httpx.Client(base_url=deployment.api_url, headers=headers, timeout=60) as client:
            yield client


def upload_to_completed(client: httpx.Client, song: Path, variant: str) -> float:
    """Seconds from the start of the upload until the job is seen to be completed.

    Raises
    ------
    BenchError
        If the job is refused, or fails.
    """
    try:
        created = demo.create_job(client, song, {"modelVariant": variant})
        began = time.perf_counter()
        demo.upload(created["upload"], song)
        while (job := demo.get_job(client, created["job"]["id"]))["status"] not in demo.FINAL:
            time.sleep(_POLL_SECONDS)
    except demo.JobFailed as error:
        raise BenchError(str(error)) from error
    if job["status"] != "completed":
        raise BenchError(f"The job {job['status']}: {job['error']}")
    return time.perf_counter() - began
