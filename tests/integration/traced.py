"""A job's way through the handlers with X-Ray on, as on Lambda: a program, for that is decided on import."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stempipe.adapters.queue import JobMessage
from stempipe.adapters.storage import Storage
from stempipe.jobs.table import Jobs
from stempipe.rules.worker import Worker
from tests.aws import ROOT, STEMS, TABLE, UPLOADS, USAGE, Aws, aws
from tests.integration.separate.engine import Engine
from tests.receiver import receiving

# Larger than what goes in one part: the transfer's threads are traced as well.
STEM = bytes(20_000_000)
CONTEXT = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb="3008",
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:test",
    aws_request_id="00000000-0000-0000-0000-000000000000",
)


class Large(Engine):
    """Makes large stems."""

    def write(self, path: Path) -> None:
        path.write_bytes(STEM)


def call(function: str, event: dict[str, Any]) -> Any:
    """Have a function's handler answer an event."""
    sys.path.insert(0, str(ROOT / "functions" / function))
    sys.modules.pop("app", None)
    try:
        return importlib.import_module("app").handler(event, CONTEXT)
    finally:
        sys.path.pop(0)


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def run(cloud: Aws, receiver_url: str) -> None:
    """One job from request to webhook."""
    request = sample("status-create-job")
    request["body"] = json.dumps({"filename": "song.mp3", "size": 4, "callbackUrl": receiver_url})
    created = json.loads(call("status", request)["body"])
    key = created["upload"]["fields"]["key"]
    cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"song")
    uploaded = sample("intake-s3")
    uploaded["Records"][0]["s3"]["bucket"]["name"] = UPLOADS
    uploaded["Records"][0]["s3"]["object"]["key"] = key
    (job,) = call("intake", uploaded)["jobs"]
    assert call("intake", uploaded)["jobs"] == [job]  # twice: a write is refused

    jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7)
    engine = Large()
    worker = Worker(
        jobs, Storage(cloud.s3, "s3"), engine, cloud.dispatch(jobs), STEMS, lease_seconds=30, memory_gb=2.9
    )
    worker.work_on(JobMessage(owner=job["owner"], id=job["id"]))
    done = jobs.get(job["owner"], job["id"])
    assert done.status == "completed", done.error_code
    call("notify", {"Records": cloud.changes()})

    delivered = sample("webhook-sqs")
    message = {"owner": done.owner, "id": done.id, "version": int(done.version)}
    delivered["Records"][0]["body"] = json.dumps(message)
    assert call("webhook", delivered) == {"batchItemFailures": []}
    assert jobs.get(done.owner, done.id).delivery == "delivered"


def main() -> None:
    with pytest.MonkeyPatch.context() as environment, aws(environment) as cloud, receiving() as receiver:
        environment.setenv("LIVE_ENDPOINT", receiver.url)
        run(cloud, receiver.url)
        (request,) = receiver.received
        print(json.dumps(sorted(request.headers)))


if __name__ == "__main__":
    assert Path.cwd() == ROOT
    main()
