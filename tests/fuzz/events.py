"""Fuzzes intake: whatever comes as an event, it is taken in, and never asked for again.

An input is JSON: the upload's configuration, and the event.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import atheris

os.environ |= {
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
}
with atheris.instrument_imports(include=["stempipe"]):
    from stempipe.adapters.storage import StoredObject
    from stempipe.errors import JobNotFound, StempipeError
    from stempipe.jobs.config import JobConfig
    from stempipe.jobs.record import Kind, Part, Source, Status
    from stempipe.jobs.refusals import JobExists, TransitionRefused
    from stempipe.jobs.uploads import CONFIG_METADATA
    from stempipe.rules.intake import Intake
    from stempipe.settings import IntakeSettings
from tests.fuzz import trees

ROOT = Path(__file__).resolve().parent.parent.parent
BUCKET = "stempipe-uploads-123456789012-us-east-1"
SETTINGS = IntakeSettings(
    jobs_table="jobs",
    usage_table="usage",
    uploads_bucket=BUCKET,
    stems_bucket="stems",
    jobs_queue_url="queue",
)


@dataclass
class Storage:
    """Has an object under every key, as those that speak UTF-8 do."""

    config: str

    def look_up(self, bucket: str, key: str) -> StoredObject:
        key.encode()
        metadata = {} if self.config == "null" else {CONFIG_METADATA: self.config}
        return StoredObject(len(key) % 3, "etag", datetime.now(UTC), metadata)

    def delete(self, bucket: str, key: str, etag: str | None = None) -> None:
        """It is there again at once."""
        key.encode()


@dataclass
class Jobs:
    """A table of which alice's job 01K awaits its upload."""

    rows: dict[tuple[str, str], Any] = field(default_factory=dict)
    accounts: Any = field(default_factory=lambda: SimpleNamespace(entry=lambda *_: None))

    def __post_init__(self) -> None:
        self._put("alice", "01K", Status.AWAITING_UPLOAD)

    def add(
        self,
        owner: str,
        job_id: str,
        status: Status,
        source: Source,
        config: JobConfig,
        error: StempipeError | None = None,
        kind: Kind = Kind.SONG,
    ) -> Any:
        if (owner, job_id) in self.rows:
            raise JobExists
        words = [owner, job_id, source.filename, config.to_json(), error.message if error else ""]
        "".join(words).encode()
        return self._put(owner, job_id, status)

    def get(self, owner: str, job_id: str) -> Any:
        try:
            return self.rows[owner, job_id]
        except KeyError:
            raise JobNotFound(job_id) from None

    def end(self, job: Any, to: Status, actions: Any, condition: Any) -> Any:
        return self.move(job, to, actions, condition)

    def move(
        self, job: Any, to: Status, actions: Any, condition: Any, entries: Any = (), *, in_line: bool = False
    ) -> Any:
        if job.state is not Status.AWAITING_UPLOAD:
            raise TransitionRefused
        job.state, job.status = to, to.value
        return job

    def _put(self, owner: str, job_id: str, status: Status) -> Any:
        key = f"jobs/{owner}/{job_id}/17"
        row = SimpleNamespace(
            owner=owner,
            id=job_id,
            key=key,
            parts=None,
            uploads=[Part(key, "song.mp3", 5)],
            bytes=5,
            making=17,
            version=17,
            state=status,
            status=status.value,
            enqueued_at=None,
            completed_at=None,
            error_code=None,
            is_deleting=None,
        )
        self.rows[owner, job_id] = row
        return row


@dataclass
class Dispatch:
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, job: Any) -> Any:
        self.sent.append((job.owner, job.id))
        job.enqueued_at = "now"
        return job


def one(data: bytes) -> None:
    try:
        config, event = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        return
    jobs, dispatch = Jobs(), Dispatch()
    intake = Intake(*cast(Any, (jobs, Storage(json.dumps(config)), dispatch, SETTINGS)))
    taken = intake.take_in(event)
    again = intake.take_in(event)
    assert json.dumps(taken).encode()
    assert {(job["owner"], job["id"]) for job in taken} == {(job["owner"], job["id"]) for job in again}
    assert len(dispatch.sent) == len(set(dispatch.sent)), "two messages for a job"


def seeds() -> Iterator[bytes]:
    for path in ROOT.glob("events/intake-*.json"):
        event = path.read_text()
        yield f"[null, {event}]".encode()
        as_the_apis = event.replace("inbox/alice/my+first+song.mp3", "jobs/alice/01K/17")
        yield f'[{{"modelVariant": "2stems"}}, {as_the_apis}]'.encode()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=trees.mutate)
    atheris.Fuzz()
