"""`sam local invoke` of status, intake and separate with sample events: a song from request to stems."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local import demo
from local.server import Server
from tests.aws import UPLOADS

pytestmark = pytest.mark.sam

Invoke = Callable[..., Any]
Sample = Callable[[str], dict[str, Any]]


def test_status_answers_health(invoke: Invoke, sample_event: Sample) -> None:
    answer = invoke("StatusFunction", sample_event("status-health"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})


def test_intake_answers_s3s_test_event(invoke: Invoke, sample_event: Sample) -> None:
    assert invoke("IntakeFunction", sample_event("intake-s3-test")) == {"jobs": []}


@pytest.mark.parametrize("target", ["openvino", "tensorflow"])
def test_a_song_goes_through_all_three(
    target: str, invoke: Invoke, sample_event: Sample, cloud: Server, root: Path
) -> None:
    song = demo.example_song(root / ".local").read_bytes()

    created = invoke("StatusFunction", sample_event("status-create-job"))
    assert created["statusCode"] == 201, created
    body = json.loads(created["body"])
    job_id, key = body["job"]["id"], body["upload"]["fields"]["key"]

    s3 = cloud.client("s3")
    s3.put_object(Bucket=UPLOADS, Key=key, Body=song)
    uploaded = sample_event("intake-s3")
    uploaded["Records"][0]["s3"]["object"]["key"] = key
    taken = invoke("IntakeFunction", uploaded)
    assert taken == {"jobs": [{"owner": "alice", "id": job_id, "status": "queued"}]}

    sqs = cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    received = sample_event("separate-sqs")
    received["Records"][0] |= {"body": message["Body"], "receiptHandle": message["ReceiptHandle"]}
    assert invoke("SeparateFunction", received, target) == {"batchItemFailures": []}
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])  # as Lambda does

    asked = sample_event("status-get-job")
    asked["rawPath"] = asked["requestContext"]["http"]["path"] = f"/v1/jobs/{job_id}"
    job = json.loads(invoke("StatusFunction", asked)["body"])
    assert job["status"] == "completed", job["error"]
    assert job["cost"]["gbSeconds"] > 0
    (link,) = job["results"]["stems"].values()
    bucket, _, stem = urlsplit(link).path.strip("/").partition("/")
    stored = s3.get_object(Bucket=bucket, Key=stem)
    assert stored["ContentType"] == "audio/mpeg"
    # 11 s at 192 kbit/s.
    assert stored["ContentLength"] == pytest.approx(11 * 24_000, rel=0.05)
