"""A running job that is cancelled: its worker stops, and nothing of it is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from local.cloud import Deployment
from tests import wire


def until(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not come about in time"
        time.sleep(0.05)


def messages(cloud: Deployment) -> int:
    """In the queue and in workers' hands."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = cloud.client("sqs").get_queue_attributes(QueueUrl=cloud.jobs_queue_url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def stored(cloud: Deployment, bucket: str, job_id: str) -> list[str]:
    objects = cloud.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return [item["Key"] for item in objects if job_id in item["Key"]]


def test_a_running_job_that_is_cancelled_stops_soon_and_leaves_nothing(
    cloud: Deployment, api: httpx.Client, song: Path, state: Path, tmp_path: Path
) -> None:
    long_song = tmp_path / "long.mp3"
    long_song.write_bytes(song.read_bytes() * 54)  # nearly ten minutes
    until(lambda: messages(cloud) == 0, seconds=60)  # what other tests left to do
    created = wire.create_job(api, long_song)
    job_id = created["job"]["id"]
    wire.upload(created["upload"], long_song)
    until(lambda: wire.get_job(api, job_id)["stage"] == "separating", seconds=60)
    assert messages(cloud) == 1

    answer = api.delete(f"/v1/jobs/{job_id}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    # The worker has returned, and its message is done with: after two seconds, unless other work keeps the
    # processors. tests/integration/separate/test_claims.py holds it to the two. The whole song takes far
    # longer.
    until(lambda: messages(cloud) == 0, seconds=5)

    job = wire.get_job(api, job_id)
    assert (job["status"], job["results"], job["attempt"]) == ("cancelled", None, 1)
    assert stored(cloud, cloud.stems_bucket, job_id) == []
    assert stored(cloud, cloud.uploads_bucket, job_id) == []
    log = (state / "logs/SeparateFunction.log").read_text().splitlines()
    told = [line for line in log if job_id in line and json.loads(line)["message"] == "Lost the claim"]
    assert len(told) == 1

    assert api.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert api.get(f"/v1/jobs/{job_id}").status_code == 404
