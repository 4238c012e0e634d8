"""The suite tells a worker's writes from each other, as the table's client sends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.client import BaseClient

from stempipe.jobs.claim import Claim
from stempipe.jobs.record import Stage
from stempipe.jobs.table import Jobs
from tests.faults.proxy import Call
from tests.faults.steps import Step, step_of


def test_a_report_is_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Call] = []

    def record(_: BaseClient, operation: str, content: dict[str, Any]) -> dict[str, Any]:
        target = f"x-amz-target: DynamoDB_20120810.{operation}"
        head = f"POST / HTTP/1.1\r\nuser-agent: x app/SeparateFunction\r\n{target}"
        calls.append(Call(head.encode(), json.dumps(content).encode(), 0, 0))
        key = {"owner": {"S": "alice"}, "id": {"S": "01K"}}
        return {"Attributes": {**key, "attempt": {"N": "1"}, "lastAttempt": {"N": "3"}}}

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    jobs = Jobs("jobs", retention_days=1, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    claim = Claim.take(jobs, "alice", "01K", 30)
    claim.report(Stage.SEPARATING, 5, None)
    claim.release()
    assert [step_of(call) for call in calls] == [Step.CLAIM, Step.REPORT, Step.RELEASE]
