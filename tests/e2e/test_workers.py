"""Workers that poll, in the place of Lambda's: a song is separated, also where one of them dies amid it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import workers
from local.cloud import Deployment, running
from local.server import free_port
from tests import wire

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def cloud(disk: Path) -> Iterator[Deployment]:
    with (
        running(port=free_port(), state=disk, parameters=workers.instead_of_lambda(1)) as deployment,
        workers.running(deployment, 1, state=disk, variables={"LEASE_SECONDS": "4"}),
    ):
        yield deployment


@pytest.fixture
def api(cloud: Deployment) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {cloud.token()}"}
    with httpx.Client(base_url=cloud.api_url, headers=headers, timeout=60) as client:
        yield client


def send(api: httpx.Client, song: Path) -> str:
    created = wire.create_job(api, song)
    wire.upload(created["upload"], song)
    return str(created["job"]["id"])


def until(api: httpx.Client, job_id: str, *wanted: str, seconds: float = 240) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        job: dict[str, Any] = api.get(f"/v1/jobs/{job_id}").json()
        if job["status"] in wanted:
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.05)


def poller(disk: Path) -> int:
    """The process that polls for the cloud in this folder. Whose it is, its keeper's variables say."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if not (process / "cmdline").read_bytes().endswith(b"\0-m\0poll\0"):
                continue
            (parent,) = re.findall(r"^PPid:\s*(\d+)$", (process / "status").read_text(), re.M)
            if f"TMPDIR={disk}/".encode() in Path("/proc", parent, "environ").read_bytes():
                return int(process.name)
    raise AssertionError("there is no worker")


def test_a_song_needs_no_lambda(cloud: Deployment, api: httpx.Client, song: Path) -> None:
    mappings = cloud.client("lambda").list_event_source_mappings(FunctionName=cloud.separate_function)
    assert mappings["EventSourceMappings"] == []
    job = until(api, send(api, song), "completed", "failed")
    assert (job["status"], job["attempt"]) == ("completed", 1)
    assert len(job["results"]["stems"]) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_song_goes_on_when_its_worker_ends(
    cloud: Deployment, api: httpx.Client, long_song: Path, disk: Path, number: signal.Signals
) -> None:
    job_id = send(api, long_song)
    until(api, job_id, "processing")
    os.kill(poller(disk), number)
    if number is signal.SIGTERM:
        # It says so itself; whoever is killed leaves that to the lease.
        assert until(api, job_id, "queued", seconds=60)["attempt"] == 1
    job = until(api, job_id, "completed", "failed")
    assert (job["status"], job["attempt"]) == ("completed", 2)
