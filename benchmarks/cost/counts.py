"""What is counted of a job, and kept in counted.json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

FILE = Path(__file__).with_name("counted.json")


@dataclass
class Counts:
    """What a job does, from the request that makes it until its owner has its files.

    Attributes
    ----------
    calls
        Requests on the wire, by `caller service operation`; a caller without a name is the job's owner.
    sent, received
        Bytes of these requests and of their answers, by service.
    write_units, read_units
        Of DynamoDB.
    reports, report_units
        Writes of progress among the calls, and their units: the slower the worker, the more.
    groups
        Messages with a message group, for which SQS asks more.
    runs, seconds
        Of each function: how often it ran, and how long in all.
    log_bytes
        What the functions logged.
    upload_bytes, result_bytes, record_bytes
        What is kept until it expires.
    download_bytes
        What its owner fetches.
    files, changes
        How many files there are of it, and how often its record was changed so that its owner could see it.
    watched_seconds
        How long its owner was connected.
    """

    calls: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    write_units: float = 0.0
    read_units: float = 0.0
    reports: int = 0
    report_units: float = 0.0
    groups: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    log_bytes: int = 0
    upload_bytes: int = 0
    result_bytes: int = 0
    record_bytes: int = 0
    download_bytes: int = 0
    files: int = 0
    changes: int = 0
    watched_seconds: float = 0.0

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """As `to_json` made it."""
        counters = {name: Counter(content[name]) for name in ("calls", "sent", "received", "runs")}
        return cls(**{**content, **counters})

    def to_json(self) -> dict[str, Any]:
        """Plain values, in an order that stays."""
        content = dict(vars(self))
        for name in ("calls", "sent", "received", "runs", "seconds"):
            content[name] = dict(sorted(content[name].items()))
        content["seconds"] = {name: round(seconds, 3) for name, seconds in content["seconds"].items()}
        content["watched_seconds"] = round(self.watched_seconds, 1)
        return content

    def of(self, service: str, *operations: str) -> int:
        """How many calls of a service there were, of these operations or of all."""
        total = 0
        for name, number in self.calls.items():
            _, called, operation = name.split(" ")
            if called == service and (not operations or operation in operations):
                total += number
        return total


@dataclass(frozen=True)
class Counted:
    """A run of `make cost`.

    Attributes
    ----------
    machine, date
        Where and when.
    song_seconds
        How long the songs were.
    jobs
        By configuration.
    first
        The first job of the cloud: the example song of 11 s, by the first configuration.
    sweep
        Of one sweep with nothing to do.
    idle_metrics, busy_metrics
        Metrics, by name and dimensions, that are sent with nothing to do, and that the jobs had sent besides.
    """

    machine: str
    date: str
    song_seconds: float
    jobs: dict[str, Counts]
    first: Counts
    sweep: Counts
    idle_metrics: list[str]
    busy_metrics: list[str]

    @classmethod
    def read(cls, file: Path = FILE) -> Self:
        """The run that docs/cost.md shows."""
        content = json.loads(file.read_text(encoding="utf-8"))
        jobs = {name: Counts.from_json(counts) for name, counts in content["jobs"].items()}
        once = {name: Counts.from_json(content[name]) for name in ("first", "sweep")}
        return cls(**{**content, "jobs": jobs, **once})

    def write(self, file: Path = FILE) -> None:
        """Keep it."""
        content = {
            **vars(self),
            "jobs": {name: counts.to_json() for name, counts in self.jobs.items()},
            "first": self.first.to_json(),
            "sweep": self.sweep.to_json(),
        }
        file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
