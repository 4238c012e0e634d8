"""A fault that lasts: tried again with a backoff, then failed, and the message among the dead letters."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import running
from local.server import free_port
from tests import wire


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, song: Path) -> dict[str, Any]:
    """What becomes of a song whose stems cannot be stored: the bucket for them is gone."""
    with running(port=free_port(), state=tmp_path_factory.mktemp("broken")) as cloud:
        cloud.client("s3").delete_bucket(Bucket=cloud.stems_bucket)
        headers = {"Authorization": f"Bearer {cloud.token()}"}
        with httpx.Client(base_url=cloud.api_url, headers=headers, timeout=60) as api:
            created = wire.create_job(api, song)
            wire.upload(created["upload"], song)
            seen = list(wire.watch(api, created["job"]["id"], seconds=90))
        return {"seen": seen, "dead": dead_letters(cloud, seconds=20)}


def dead_letters(cloud: Any, seconds: float) -> list[dict[str, str]]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = cloud.client("sqs").receive_message(QueueUrl=cloud.jobs_dead_letter_queue_url)
        if messages := answer.get("Messages"):
            return [json.loads(message["Body"]) for message in messages]
        time.sleep(0.5)
    return []


def test_the_job_fails_after_three_tries_and_says_why(ended: dict[str, Any]) -> None:
    job = ended["seen"][-1]
    assert (job["status"], job["attempt"]) == ("failed", 3)
    assert job["error"]["code"] == "storage_unavailable"


def test_between_two_tries_the_job_waits_in_the_queue(ended: dict[str, Any]) -> None:
    states = [(job["status"], job["attempt"]) for job in ended["seen"]]
    assert {("queued", 1), ("queued", 2)} <= set(states)
    assert states == sorted(states, key=lambda state: state[1])


def test_the_message_is_kept_among_the_dead_letters(ended: dict[str, Any]) -> None:
    (message,) = ended["dead"]
    assert message["id"] == ended["seen"][-1]["id"]
