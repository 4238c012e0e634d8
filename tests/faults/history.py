"""What became of each job, version by version, and what must hold of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from stempipe.errors import WorkerLost
from stempipe.jobs.record import TRANSITIONS, Kind, Stage, Status

GONE = 0
# Of what somebody wrote where there was no record any more.
_NO_CONFIG: Mapping[str, Any] = {"quality": {"outputFormat": None}}
Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Version:
    """A job's record as one write left it.

    Attributes
    ----------
    making, number, attempt
        As the record has them; its own version is ``number`` here.
    begins
        Whether the whole record was written: a life of the job begins with it.
    is_forgotten
        Whether the record was deleted; all else is as it was before.
    parts
        Of a job that begins with stems: their uploads' keys, and the etags of those that have come.
    bytes, arrived
        Of all its uploads; and of those that have come.
    in_line
        Whether it waits for its owner's turn.
    reserved, seconds
        Of sound: what it counts for while it is open, and its length once that is known.
    listens
        Whether an analysis is wanted.
    writer
        The process that wrote, if it was a worker; `GONE` if it had died by then.
    """

    status: Status
    making: int
    number: int
    attempt: int
    last_attempt: int
    progress: int
    due_at: float | None
    updated_at: datetime
    kind: Kind = Kind.SONG
    stage: str | None = None
    error_code: str | None = None
    key: str = ""
    etag: str | None = None
    parts: Mapping[str, str | None] | None = None
    bytes: int = 0
    arrived: int = 0
    in_line: bool = False
    reserved: float = 0
    seconds: float | None = None
    listens: bool = False
    stem_keys: Mapping[str, str] | None = None
    player_keys: Mapping[str, str] | None = None
    analysis_keys: Mapping[str, str] | None = None
    analysis_error_code: str | None = None
    output_format: str = "wav"
    is_deleting: bool = False
    is_forgotten: bool = False
    begins: bool = field(default=False, compare=False)
    writer: int | None = field(default=None, compare=False)

    @property
    def files(self) -> dict[str, str]:
        """The keys of all its files, by their names."""
        found = (self.stem_keys, self.player_keys, self.analysis_keys)
        return {key.rpartition("/")[2]: key for keys in found for key in (keys or {}).values()}

    @property
    def keys_in_use(self) -> set[str]:
        """The keys of its files, unless they are being deleted."""
        return set() if self.is_deleting or self.is_forgotten else set(self.files.values())

    @property
    def upload_keys(self) -> set[str]:
        """Where its uploads are."""
        return {self.key} if self.parts is None else set(self.parts)

    @property
    def reason(self) -> str | None:
        """Why there is less than was asked for."""
        return self.error_code or self.analysis_error_code

    @property
    def is_with_workers(self) -> bool:
        """Whether a worker has it, or it has a message for one."""
        is_open = self.status in (Status.QUEUED, Status.PROCESSING)
        return is_open and not self.in_line and not self.is_forgotten

    @property
    def attempts(self) -> int:
        """How often the song was tried in this life."""
        return self.attempt - self.making

    @classmethod
    def read(cls, item: Item, writer: int | None = None, *, begins: bool = False) -> Version:
        """From DynamoDB's form of a record."""

        def value(name: str) -> Any:
            return _value(item, name)

        def read(name: str) -> Any:
            return json.loads(value(name)) if value(name) else None

        size = int(value("bytes") or 0)
        etags, parts, config = value("partEtags") or {}, read("parts"), read("config") or _NO_CONFIG
        return cls(
            status=Status(value("status")),
            making=int(value("making") or 0),
            number=int(value("version") or 0),
            attempt=int(value("attempt")),
            last_attempt=int(value("lastAttempt") or 0),
            progress=int(value("progress")),
            due_at=float(value("dueAt")) if value("dueAt") else None,
            updated_at=datetime.strptime(value("updatedAt"), "%Y-%m-%dT%H:%M:%S.%f%z"),
            kind=Kind(value("kind") or Kind.SONG),
            stage=value("stage"),
            error_code=value("errorCode"),
            key=value("key"),
            etag=value("etag"),
            parts=parts and {part["key"]: _value(etags, str(number)) for number, part in enumerate(parts)},
            bytes=size,
            arrived=(size if value("etag") else 0)
            if parts is None
            else sum(part["bytes"] for number, part in enumerate(parts) if _value(etags, str(number))),
            in_line=value("inLineSince") is not None,
            reserved=float(value("reservedSeconds") or 0),
            seconds=float(value("durationSeconds")) if value("durationSeconds") else None,
            listens="analysis" in config,
            stem_keys=read("stemKeys"),
            player_keys=read("playerKeys"),
            analysis_keys=read("analysisKeys"),
            analysis_error_code=value("analysisErrorCode"),
            output_format=config["quality"]["outputFormat"],
            is_deleting=bool(value("deleting")),
            begins=begins,
            writer=writer,
        )


def _value(item: Item, name: str) -> Any:
    return next(iter(item[name].values())) if name in item and "NULL" not in item[name] else None


def lives(versions: Sequence[Version]) -> list[list[Version]]:
    """The history of each making of a job's id."""
    found: list[list[Version]] = []
    for version in versions:
        if version.begins or not found:
            found.append([])
        found[-1].append(version)
    return found


def violations(versions: Sequence[Version]) -> list[str]:
    """What must not be in the history of a job's id, and is."""
    found = []
    for before, after in pairwise(lives(versions)):
        found += _between(before, after)
    for life in lives(versions):
        found += _within(life)
    return found


def _between(before: Sequence[Version], after: Sequence[Version]) -> list[str]:
    """What one life of a job has of the one before."""
    found = []
    last, first = before[-1], after[0]
    if not (last.is_forgotten or last.status.is_final):
        found.append(f"made again while it was {last.status}")
    if first.making <= max(max(version.number, version.attempt) for version in before):
        found.append(f"made again with numbers of before: {first.making} after {last}")
    return found


def _within(life: Sequence[Version]) -> list[str]:
    found = []
    holder: int | None = None
    for before, after in pairwise(life):
        change = f"{before.status} (attempt {before.attempts}) -> {after.status} (attempt {after.attempts})"
        if before.is_forgotten:
            found.append(f"written after it was forgotten: {change}")
        if after.is_forgotten:
            if not (before.status.is_final and before.is_deleting):
                found.append(f"forgotten while it was {before.status}")
            continue
        if after.is_deleting and after == replace(before, is_deleting=True):
            continue  # no more than the mark that its files are being deleted
        if before.is_deleting:
            found.append(f"went on while its files were being deleted: {change}")
        is_done = before.status is Status.COMPLETED and not before.analysis_error_code
        if before.status.is_final and (is_done or after.status not in TRANSITIONS[before.status]):
            found.append(f"a final job was written: {change}")
        elif after.status is not before.status and after.status not in TRANSITIONS[before.status]:
            found.append(f"no arrow of the design: {change}")
        if after.making != before.making or after.number not in (before.number, before.number + 1):
            found.append(f"version {before.number} of {before.making} -> {after.number} of {after.making}")
        is_claim = after.attempt != before.attempt
        # Whoever comes after the last attempt's worker says so in the job.
        gives_up = after.reason == WorkerLost.code
        if is_claim:
            if after.status is not Status.PROCESSING or after.attempt != before.attempt + 1:
                found.append(f"not a claim, yet another attempt: {change}")
            holder = after.writer
        elif after.writer and holder != GONE and after.writer != holder and not gives_up:
            whose = f"{holder} had the claim" if holder else "nobody had a claim"
            found.append(f"written by process {after.writer} while {whose}: {change}")
        if after.status is not Status.PROCESSING:
            holder = None
        if (
            (is_claim or after.writer is None or gives_up)
            and before.status is Status.PROCESSING
            and after.status is not Status.CANCELLED
            and (before.due_at or 0) > after.updated_at.timestamp()
        ):
            found.append(f"taken from a worker whose lease held: {change}")
        if (
            not is_claim
            and before.status is Status.PROCESSING
            and after.status in (Status.PROCESSING, Status.COMPLETED)
            and after.progress < before.progress
        ):
            found.append(f"progress fell from {before.progress} to {after.progress}: {change}")
    for version in life:
        if (version.error_code is not None) != (version.status is Status.FAILED):
            found.append(f"error code {version.error_code} of a job that is {version.status}")
        found += _waiting(version) + _results(version)
    found += _kept(None, life[0])
    for before, after in pairwise(life):
        found += _kept(before, after)
    return found


def _waiting(version: Version) -> list[str]:
    """A job of stems goes on once all of them are there, and no sooner."""
    missing = [key for key, etag in (version.parts or {}).items() if etag is None]
    if missing and version.status in (Status.QUEUED, Status.PROCESSING, Status.COMPLETED):
        return [f"{version.status}, and {len(missing)} of its stems never came"]
    return []


def _results(version: Version) -> list[str]:
    """What a job has, by how far it is."""
    found = []
    is_done = version.status is Status.COMPLETED
    # Of a song that is listened to, stems come first, and stay though the rest cannot be had.
    comes_first = version.listens and version.kind is Kind.SONG
    may_have_stems = is_done or (
        comes_first and version.status not in (Status.AWAITING_UPLOAD, Status.FAILED)
    )
    must_have_stems = is_done or (comes_first and version.stage == Stage.ANALYSING)
    if version.stem_keys is None if must_have_stems else version.stem_keys is not None and not may_have_stems:
        has = "no stems" if version.stem_keys is None else "stems"
        found.append(f"{has} of a job that is {version.stage or version.status}")
    if (version.analysis_keys is not None) + (version.analysis_error_code is not None) != (
        is_done and version.listens
    ):
        what = f"{version.analysis_keys} and {version.analysis_error_code}"
        found.append(f"analysis of a job that is {version.status}: {what}")
    return found


def _kept(before: Version | None, after: Version) -> list[str]:
    """What a job has it keeps; what it gets is of the attempt that is under way."""
    found = []
    for kind in ("stem_keys", "player_keys", "analysis_keys"):
        had: Mapping[str, str] | None = getattr(before, kind) if before else None
        has: Mapping[str, str] | None = getattr(after, kind)
        if had is not None and has != had:
            found.append(f"{kind} were lost: {had} -> {has}")
        for key in (has or {}).values() if had is None else ():
            if f"/{after.attempt}/" not in key:
                found.append(f"{key} of attempt {after.attempt}")
    for key in (after.stem_keys or {}).values():
        if not key.endswith(f".{after.output_format}"):
            found.append(f"{key} for {after.output_format}")
    return found
