"""The same event, delivered far too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from local.cloud import STACK, Deployment
from local.server import REGION
from stempipe.rules.intake import Intake
from stempipe.settings import IntakeSettings
from tests import wire

DELIVERIES = 100


@pytest.fixture
def intake(cloud: Deployment, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """The deployed function's rules and settings, in this process: a hundred would be slow to start."""
    function = cloud.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="IntakeFunction"
    )["StackResourceDetail"]["PhysicalResourceId"]
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=function)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("aws_access_key_id", "aws_secret_access_key"):
        monkeypatch.setenv(name.upper(), cloud.server.credentials[name])
    settings = IntakeSettings.from_environment(configuration["Environment"]["Variables"])
    return Intake.connect(settings)


def test_an_upload_event_delivered_a_hundred_times_at_once_is_one_job_done_once(
    cloud: Deployment,
    api: httpx.Client,
    intake: Intake,
    song: Path,
    sample_event: Callable[[str], dict[str, Any]],
) -> None:
    key = f"inbox/{cloud.user_id()}/replayed.mp3"
    event = sample_event("intake-s3")
    event["Records"][0]["s3"]["bucket"]["name"] = cloud.uploads_bucket
    event["Records"][0]["s3"]["object"]["key"] = key
    cloud.client("s3").upload_file(str(song), cloud.uploads_bucket, key)  # and S3 delivers it too
    together = Barrier(DELIVERIES)

    def deliver(_: int) -> list[dict[str, str]]:
        together.wait()
        return intake.take_in(event)

    with ThreadPoolExecutor(DELIVERIES) as deliveries:
        answers = list(deliveries.map(deliver, range(DELIVERIES)))

    ids = {job["id"] for (job,) in answers}
    assert len(ids) == 1
    (job_id,) = ids
    assert list(wire.watch(api, job_id, seconds=60))[-1]["status"] == "completed"
    jobs = api.get("/v1/jobs", params={"limit": 100}).raise_for_status().json()["jobs"]
    (job,) = (job for job in jobs if job["source"]["filename"] == "replayed.mp3")
    assert (job["id"], job["status"], job["attempt"]) == (job_id, "completed", 1)
    # The messages too many find that there is nothing left to do.
    assert _drained(cloud.client("sqs"), cloud.jobs_queue_url)


def _drained(sqs: Any, url: str, seconds: float = 60) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        if not any(map(int, found.values())):
            return True
        time.sleep(0.5)
    return False
