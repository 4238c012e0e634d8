"""Connections that a test looks into, and jobs that they are told of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from stempipe.adapters.connections import Unreachable
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Callback, Job, Notice, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.rules.live import Live
from tests.aws import UPLOADS
from tests.claims import take
from tests.stored import stored_song

Message = dict[str, Any]


class Sockets:
    """Connections that are open, and what each was sent; those that are not open are gone."""

    def __init__(self, *ids: str) -> None:
        self.open = set(ids)
        self.sent: dict[str, list[Message]] = defaultdict(list)
        self.before_sending: Callable[[str], None] = lambda _: None

    def send(self, connection_id: str, message: str) -> None:
        self.before_sending(connection_id)
        if connection_id not in self.open:
            raise Unreachable(connection_id)
        assert len(message.encode()) < 32 * 1024  # what one frame may carry
        self.sent[connection_id].append(json.loads(message))

    def versions(self, connection_id: str) -> list[tuple[str, int]]:
        jobs = [message["job"] for message in self.sent[connection_id] if message["type"] == "job"]
        return [(job["id"], job["version"]) for job in jobs]


def ask(live: Live, connection_id: str = "phone", owner: str = "alice", **message: Any) -> None:
    """Send a message of a client's to connect."""
    live.answer(owner, connection_id, json.dumps(message))


def queued(jobs: Jobs, job_id: str = "01K", owner: str = "alice", callback: Callback | None = None) -> Job:
    """A job that waits for a worker, in its first version."""
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
    return jobs.add(owner, job_id, Status.QUEUED, source, JobConfig(), callback=callback, making=1)


def complete(
    jobs: Jobs,
    job_id: str = "01K",
    stems: tuple[str, ...] = ("vocals", "accompaniment"),
    owner: str = "alice",
    notices: Sequence[Notice] = (),
) -> None:
    """Have a queued job completed."""
    keys = {stem: f"{owner}/{job_id}/1/{stem}.wav" for stem in stems}
    take(jobs, owner, job_id, 30).complete(
        stored=stored_song(keys, duration_seconds=180.0, notices=list(notices)), gb_seconds=12.5
    )
