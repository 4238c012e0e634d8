"""The worker, a job for it, and the handler with the real engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stempipe.adapters.storage import Storage
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Job, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.rules.worker import Worker
from tests.aws import STEMS, UPLOADS, Aws
from tests.claims import let_in
from tests.integration.separate.engine import KEY, Engine


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def storage(cloud: Aws) -> Storage:
    return Storage(cloud.s3, "s3")


@pytest.fixture
def worker(cloud: Aws, jobs: Jobs, storage: Storage, engine: Engine, tmp_path: Path) -> Worker:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Worker(
        jobs,
        storage,
        engine,
        cloud.dispatch(jobs),
        stems_bucket=STEMS,
        lease_seconds=30,
        memory_gb=2.0,
        disk_gb=4.5,
        scratch=scratch,
    )


@pytest.fixture
def job(cloud: Aws, jobs: Jobs) -> Callable[[], Job]:
    """A queued job whose turn has come, and its upload. Gives a function that reads it back."""
    etag = cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"song")["ETag"].strip('"')
    source = Source("s3", UPLOADS, KEY, "song.mp3", bytes=4, etag=etag)
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig())
    let_in(jobs, "alice", "01K")
    return lambda: jobs.get("alice", "01K")


@pytest.fixture
def handler(
    cloud: Aws, load_app: Callable[[str], ModuleType], lambda_context: Any
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    app = load_app("separate")

    def handle(event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = app.handler(event, lambda_context)
        return answer

    return handle
