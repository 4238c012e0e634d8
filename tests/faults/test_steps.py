"""The suite tells a worker's writes from each other, as the table's client sends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.client import BaseClient

from stempipe.errors import InternalError
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.claim import Claim, StoredFiles
from stempipe.jobs.line import Line
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import Stage, Status
from stempipe.jobs.table import Jobs
from tests.faults.proxy import Call
from tests.faults.steps import Step, step_of
from tests.stored import stored_song

KEY = {"owner": {"S": "alice"}, "id": {"S": "01K"}}
RECORD = KEY | {
    "attempt": {"N": "1"},
    "lastAttempt": {"N": "3"},
    "expiresAt": {"N": "99999999999"},
    "stemKeys": {"S": "{}"},
    "status": {"S": "processing"},
    "bytes": {"N": "5"},
    "createdAt": {"S": "2026-01-01T00:00:00.000000+0000"},
}


class Wire:
    """What the table's client would send, by whom, in place of a table."""

    def __init__(self, caller: str) -> None:
        self._caller = caller
        self._calls: list[Call] = []

    def send(self, _: BaseClient, operation: str, content: dict[str, Any]) -> dict[str, Any]:
        target = f"x-amz-target: DynamoDB_20120810.{operation}"
        head = f"POST / HTTP/1.1\r\nuser-agent: x app/{self._caller}\r\n{target}"
        self._calls.append(Call(head.encode(), json.dumps(content).encode(), 0, 0))
        return {"Attributes": RECORD, "Item": RECORD, "Items": [], "Count": 0, "ScannedCount": 0}

    @property
    def steps(self) -> list[Step | None]:
        return [step_of(call) for call in self._calls if call.operation == "UpdateItem"]


def jobs_behind(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda *call: wire.send(*call))
    return Jobs("jobs", usage_table="usage", retention_days=1, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))


def test_each_write_of_a_worker_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire("SeparateFunction")
    claim = Claim.take(jobs_behind(wire, monkeypatch), "alice", "01K", 30)
    claim.report(Stage.SEPARATING, 5, None)
    claim.keep(stored_song({"vocals": "k"}))
    claim.report(Stage.ANALYSING, 50, None)
    claim.complete(gb_seconds=1, stored=stored_song({"vocals": "k"}), found=StoredFiles({}, {}))
    claim.fail(InternalError())  # of a job that has its stems
    claim.release()
    known = [Step.CLAIM, Step.REPORT, Step.KEEP, Step.LISTEN, Step.COMPLETE, Step.FAIL, Step.RELEASE]
    assert wire.steps == known


@pytest.mark.parametrize("caller", ["IntakeFunction", "SweepFunction"])
def test_what_comes_of_stems_is_known_whoever_finds_it(caller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(caller)
    jobs = jobs_behind(wire, monkeypatch)
    job = jobs.model(
        "alice", "01K", status=Status.AWAITING_UPLOAD.value, bytes=5, attempt=1, last_attempt=3, version=1
    )
    Arrivals(jobs).part_arrived(job, 0, "etag")
    Arrivals(jobs).parts_arrived(job)
    assert wire.steps == [Step.PART, Step.PARTS]


def test_a_job_that_is_queued_again_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire("SweepFunction")
    jobs = jobs_behind(wire, monkeypatch)
    job = jobs.model("alice", "01K", status=Status.PROCESSING.value, attempt=1, last_attempt=3, version=1)
    Overdue(jobs).requeue(job)
    assert wire.steps == [Step.REQUEUE]


@pytest.mark.parametrize("caller", ["StatusFunction", "IntakeFunction", "SeparateFunction", "SweepFunction"])
def test_a_job_that_is_let_in_is_known_whoever_does_it(caller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(caller)
    jobs = jobs_behind(wire, monkeypatch)
    made = jobs.now()
    Line(jobs, 2).let_in(jobs.model("alice", "01K", status=Status.QUEUED.value, created_at=made, making=1))
    assert wire.steps == [Step.LET_IN]
