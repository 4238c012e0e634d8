"""From a job to all that was said of it, and back: every line of the log names it; a trace goes with it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Job, Source, Status
from stempipe.jobs.table import Jobs
from tests.aws import TABLE, UPLOADS, USAGE, Aws
from tests.integration.separate.engine import received

# And Lambda's word of the functions that came before.
LINEAGE = ";Lineage=1:a87bd80c:0|68fd508a:5|c512fbe3:2"
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
ANOTHER = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"

Call = Callable[[str, dict[str, Any]], Any]


@pytest.fixture
def call(
    cloud: Aws, load_app: Callable[[str], ModuleType], lambda_context: Any, monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Has a function's handler answer an event."""
    monkeypatch.setenv("LIVE_ENDPOINT", "http://127.0.0.1:9/v1")
    return lambda function, event: load_app(function).handler(event, lambda_context)


def lines_of(logged: io.StringIO) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [json.loads(line) for line in logged.getvalue().splitlines()]
    return lines


def test_every_line_of_a_jobs_way_names_the_job_and_its_owner(
    cloud: Aws, jobs: Jobs, call: Call, sample_event: Callable[[str], dict[str, Any]], logged: io.StringIO
) -> None:
    made = sample_event("status-create-job")
    made["body"] = json.dumps({"filename": "song.mp3", "size": 4})
    created = json.loads(call("status", made)["body"])
    job_id, key = created["job"]["id"], created["upload"]["fields"]["key"]
    cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"song")
    uploaded = sample_event("intake-s3")
    uploaded["Records"][0]["s3"]["bucket"]["name"] = UPLOADS
    uploaded["Records"][0]["s3"]["object"]["key"] = key
    (taken,) = call("intake", uploaded)["jobs"]
    call("intake", uploaded)  # seen before
    owner = taken["owner"]

    # Its worker is lost, and sweep has it go on. It is no song.
    lapsed = Jobs(
        TABLE, usage_table=USAGE, retention_days=7, now=lambda: datetime.now(UTC) - timedelta(hours=1)
    )
    Claim.take(lapsed, owner, job_id, 30)
    call("sweep", {"sweep": "jobs"})
    call("separate", received(cloud, json.dumps({"owner": owner, "id": job_id})))
    assert jobs.get(owner, job_id).error_code == "unsupported_media"
    call("notify", {"Records": cloud.changes()})

    lines = lines_of(logged)
    of_no_job = {"Swept"}
    assert {
        (line.get("owner"), line.get("job_id")) for line in lines if line["message"] not in of_no_job
    } == {(owner, job_id)}
    said = {line["message"] for line in lines}
    assert said >= {
        "Made",
        "Taken in",
        "Seen before",
        "Sent to the workers",
        "The worker was lost; the job is queued again",
        "The job fails",
        "Ended",
    }


def test_a_line_of_what_was_sent_names_the_job_that_was_sent_and_not_the_one_that_ended(
    cloud: Aws, jobs: Jobs, call: Call, logged: io.StringIO
) -> None:
    for job_id in ("first", "second"):
        queued(cloud, jobs, job_id)
    dispatch = cloud.dispatch(jobs, workers=1)
    dispatch.send(jobs.get("alice", "first"))
    dispatch.send(jobs.get("alice", "second"))
    # The handler's workers are two: the second is let in once the first has ended.
    call("separate", received(cloud, json.dumps({"owner": "alice", "id": "first"})))
    sent = [line["job_id"] for line in lines_of(logged) if line["message"] == "Sent to the workers"]
    assert sent == ["first", "second"]


def queued(cloud: Aws, jobs: Jobs, job_id: str) -> Job:
    etag = cloud.s3.put_object(Bucket=UPLOADS, Key=job_id, Body=b"song")["ETag"].strip('"')
    source = Source("s3", UPLOADS, job_id, "song.mp3", bytes=4, etag=etag)
    return jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())


def header_of_message(cloud: Aws) -> str | None:
    (message,) = cloud.sqs.receive_message(
        QueueUrl=cloud.jobs_queue_url, MessageSystemAttributeNames=["AWSTraceHeader"]
    )["Messages"]
    return message.get("Attributes", {}).get("AWSTraceHeader")


def test_a_message_carries_on_the_trace_in_which_the_job_was_queued_whoever_sends_it(
    cloud: Aws, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER + LINEAGE)
    job = queued(cloud, jobs, "01K")
    assert job.trace_header == HEADER
    # Whoever ends another job sends it on.
    monkeypatch.setenv("_X_AMZN_TRACE_ID", ANOTHER)
    assert cloud.dispatch(jobs).send_next("alice") == 1
    assert header_of_message(cloud) == HEADER
    # From then on the record is to be small: each report writes it.
    assert Claim.take(jobs, "alice", "01K", 30).job.trace_header is None


def test_a_job_that_is_tried_again_goes_on_in_the_trace_of_the_request_that_asked_for_it(
    cloud: Aws, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    queued(cloud, jobs, "01K")
    jobs.cancel("alice", "01K")
    source = Source("s3", UPLOADS, "02K", "song.mp3", bytes=4, etag="e")
    failed = jobs.add("alice", "02K", Status.FAILED, source, JobConfig())
    monkeypatch.setenv("_X_AMZN_TRACE_ID", ANOTHER)
    assert jobs.retry(failed).trace_header == ANOTHER


def test_where_nothing_is_traced_messages_carry_nothing(
    cloud: Aws, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    job = queued(cloud, jobs, "01K")
    cloud.dispatch(jobs).send(job)
    assert header_of_message(cloud) is None
