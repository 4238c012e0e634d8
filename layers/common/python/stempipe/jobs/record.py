"""The job's record: the schema of the jobs table, and the states that a job goes through."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from stempipe.jobs.config import JobConfig
from stempipe.jobs.names import title

MAX_ATTEMPTS = 3
"""Times that a song is tried before its job fails, and again after its owner asks for a retry.

The queue's maxReceiveCount is larger: not every receipt of a message is an attempt, and the one after
the last attempt must still find a worker that says so in the job.
"""


class Status(StrEnum):
    """Where a job is on its way."""

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended. Only a retry, a redrive or another link to upload moves it on."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.AWAITING_UPLOAD: frozenset({Status.QUEUED, Status.FAILED, Status.CANCELLED}),
    Status.QUEUED: frozenset({Status.PROCESSING, Status.FAILED, Status.CANCELLED}),
    # To itself: another worker claims a job whose lease has lapsed.
    Status.PROCESSING: frozenset(
        {Status.PROCESSING, Status.QUEUED, Status.COMPLETED, Status.FAILED, Status.CANCELLED}
    ),
    # Its owner asks for a retry of the analysis, which came to nothing.
    Status.COMPLETED: frozenset({Status.QUEUED}),
    # Its owner asks for a retry, or for another link to upload what never came.
    Status.FAILED: frozenset({Status.QUEUED, Status.AWAITING_UPLOAD}),
    # Its song is deleted with it.
    Status.CANCELLED: frozenset(),
}
"""Every arrow of the state machine."""


class Kind(StrEnum):
    """What a job begins with."""

    SONG = "song"
    STEMS = "stems"
    MIDI = "midi"


class Stage(StrEnum):
    """What a worker is doing with the job."""

    DOWNLOADING = "downloading"
    SEPARATING = "separating"
    UPLOADING = "uploading"
    ANALYSING = "analysing"


class Delivery(StrEnum):
    """What became of a job's webhook."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Source:
    """An upload: where it is, and what storage or the client says of it."""

    provider: str
    bucket: str
    key: str
    filename: str
    bytes: int
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of a job's uploads: where it is or should come to, and what storage said once it was seen.

    ``name`` is the stem's where stems are uploaded; a song has none.
    """

    key: str
    filename: str
    bytes: int
    name: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What was filled or left out of a song, and how many seconds of it that is."""

    code: str
    message: str
    seconds: float


class FileFacts(NamedTuple):
    """What is known of a file of the results.

    ``stem`` is the stem that it is of; None of the song's own files.
    """

    bytes: int
    stem: str | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """Whom to tell of the job's end, and the secret to sign with, sealed by ``stempipe.adapters.vault``."""

    url: str
    sealed_secret: str | None


class Newest(GlobalSecondaryIndex["Job"]):  # type: ignore[no-untyped-call]
    """An owner's jobs by the time they were made.

    It holds what jobs are chosen by, and none of what a report of progress changes: DynamoDB would write, and
    bill, the index as often.
    """

    class Meta:
        index_name = "newest"
        projection = IncludeProjection(
            ["status", "making", "attempt", "startedAt", "completedAt", "expiresAt"]
        )

    owner = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(attr_name="createdAt", range_key=True)


class Due(GlobalSecondaryIndex["Job"]):  # type: ignore[no-untyped-call]
    """Open jobs by when something should have happened to them; finished ones are not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    shard = NumberAttribute(attr_name="openShard", hash_key=True)
    due_at = NumberAttribute(attr_name="dueAt", range_key=True)


class Line(GlobalSecondaryIndex["Job"]):  # type: ignore[no-untyped-call]
    """Jobs that stand in their owner's line; others are not in it."""

    class Meta:
        index_name = "line"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True)
    in_line_since = NumberAttribute(attr_name="inLineSince", range_key=True)


SHARDS = 8
"""Partitions of the index of jobs under way: one alone would bound how many workers may report at once. As
many follow for uploads that have not come, which are looked at when there is nothing else to do."""


def shard_of(job_id: str, status: Status) -> int:
    """Partition of the index of open jobs: uploads that may never come have their own."""
    shard = zlib.crc32(job_id.encode()) % SHARDS
    return shard + SHARDS if status is Status.AWAITING_UPLOAD else shard


class Job(Model):
    """One song on its way to stems. Changed by ``stempipe.jobs`` alone."""

    newest = Newest()
    due = Due()
    line = Line()

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)

    status = UnicodeAttribute()
    stage = UnicodeAttribute(null=True)
    progress = NumberAttribute(default=0)
    estimated_seconds_left = NumberAttribute(attr_name="estimatedSecondsLeft", null=True)
    # A job may be deleted and made again under its id. Versions and attempts begin at the number of the
    # making, which is larger than any that an earlier making came to: whatever outlives a job, be it a
    # worker, a message, a link or a client's memory, finds its number again in no later one.
    making = NumberAttribute()
    # Raised by every change that its owner can see.
    version = NumberAttribute()
    # The claim: who holds the job is told by the number of the attempt, which no retry sets back either.
    attempt = NumberAttribute()
    last_attempt = NumberAttribute(attr_name="lastAttempt")
    # Of the latest change but for notes. One that is refused because it was made finds its own mark here.
    write_id = UnicodeAttribute(attr_name="writeId")
    # Its files are being deleted: there is nothing left to try again with.
    is_deleting = BooleanAttribute(attr_name="deleting", null=True)

    # Open jobs only, but for those in line. When the upload should have come, the message should have been
    # taken, or the worker's lease ends: seconds since the epoch. What is overdue is sweep's.
    due_at = NumberAttribute(attr_name="dueAt", null=True)
    open_shard = NumberAttribute(attr_name="openShard", null=True)
    # Queued, and not let in yet: its owner has as many jobs with the workers as may be. Since when, in s.
    in_line_since = NumberAttribute(attr_name="inLineSince", null=True)

    # Since when it waits for a worker, its time in line included, in s. And until one takes it, X-Ray's
    # header of the request or event that had it wait, which its message carries on, whoever sends it; no
    # longer, because reports of a record of more than 1 KB would cost twice as much.
    queued_at = NumberAttribute(attr_name="queuedAt", null=True)
    trace_header = UnicodeAttribute(attr_name="traceHeader", null=True)

    # What it counts for in its owner's account, besides what its state says: seconds of sound, while it is
    # open, and bytes of its results.
    reserved_seconds = NumberAttribute(attr_name="reservedSeconds", null=True)
    stored_bytes = NumberAttribute(attr_name="storedBytes", null=True)

    config_json = JSONAttribute(attr_name="config")
    # Of the request that made it, where that came with an idempotency key.
    request_hash = UnicodeAttribute(attr_name="requestHash", null=True)

    kind = UnicodeAttribute(default=Kind.SONG.value)
    title = UnicodeAttribute(null=True)
    # The upload. etag and bytes are what storage said, once it has been seen. Of stems there are many,
    # in parts: their keys begin with this one, their etags are by their number, and bytes are of all.
    provider = UnicodeAttribute()
    bucket = UnicodeAttribute()
    key = UnicodeAttribute()
    filename = UnicodeAttribute()
    bytes = NumberAttribute()
    etag = UnicodeAttribute(null=True)
    parts = JSONAttribute(null=True)
    part_etags: MapAttribute[str, str] = MapAttribute(  # type: ignore[no-untyped-call]
        attr_name="partEtags", null=True
    )

    # What the decoder found.
    duration_seconds = NumberAttribute(attr_name="durationSeconds", null=True)
    sample_rate = NumberAttribute(attr_name="sampleRate", null=True)
    channels = NumberAttribute(null=True)
    codec = UnicodeAttribute(null=True)
    notices = JSONAttribute(null=True)

    # Where its files are, by name. Stems are there before the rest, while a worker is still at it.
    stem_keys = JSONAttribute(attr_name="stemKeys", null=True)
    player_keys = JSONAttribute(attr_name="playerKeys", null=True)
    analysis_keys = JSONAttribute(attr_name="analysisKeys", null=True)
    # FileFacts of each by name; records of before these were kept have none.
    file_facts = JSONAttribute(attr_name="fileFacts", null=True)
    # Why there is no analysis, though the stems are there.
    analysis_error_code = UnicodeAttribute(attr_name="analysisErrorCode", null=True)
    analysis_error_message = UnicodeAttribute(attr_name="analysisErrorMessage", null=True)
    gain_db = NumberAttribute(attr_name="gainDb", null=True)
    # Where all stems of a song are kept; records of before it was measured have none.
    residual_db = NumberAttribute(attr_name="residualDb", null=True)
    error_code = UnicodeAttribute(attr_name="errorCode", null=True)
    error_message = UnicodeAttribute(attr_name="errorMessage", null=True)
    # What the attempt that completed it took of memory, and of temporary disk beyond what is free.
    gb_seconds = NumberAttribute(attr_name="gbSeconds", null=True)
    disk_gb_seconds = NumberAttribute(attr_name="diskGbSeconds", null=True)

    # The webhook. The secret is sealed; see stempipe.adapters.vault. What became of the delivery is said of
    # one version of the job: of an earlier one it says nothing of the present.
    callback_url = UnicodeAttribute(attr_name="callbackUrl", null=True)
    callback_secret = UnicodeAttribute(attr_name="callbackSecret", null=True)
    callback_version = NumberAttribute(attr_name="callbackVersion", null=True)
    callback_state = UnicodeAttribute(attr_name="callbackState", null=True)
    callback_attempts = NumberAttribute(attr_name="callbackAttempts", null=True)
    callback_status = NumberAttribute(attr_name="callbackStatus", null=True)

    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    enqueued_at = UTCDateTimeAttribute(attr_name="enqueuedAt", null=True)
    message_id = UnicodeAttribute(attr_name="messageId", null=True)
    started_at = UTCDateTimeAttribute(attr_name="startedAt", null=True)
    completed_at = UTCDateTimeAttribute(attr_name="completedAt", null=True)
    updated_at = UTCDateTimeAttribute(attr_name="updatedAt")
    expires_at = TTLAttribute(attr_name="expiresAt")

    @classmethod
    def transaction(cls) -> TransactWrite:
        """Writes of several records, all or none."""
        raise NotImplementedError("a record without a table")

    @property
    def config(self) -> JobConfig:
        """The configuration, as asked for and completed by defaults."""
        return JobConfig.model_validate(self.config_json)

    @property
    def song(self) -> str:
        """The name of the song: its title, else after its file."""
        return self.title or title(self.filename)

    @property
    def uploads(self) -> list[Part]:
        """What its owner uploads: a song, MIDI, or stems in their order."""
        if self.parts is None:
            return [Part(self.key, self.filename, int(self.bytes), None, self.etag)]
        etags = self.part_etags.as_dict() if self.part_etags else {}  # type: ignore[no-untyped-call]
        return [
            Part(part["key"], part["filename"], part["bytes"], part["name"], etags.get(str(number)))
            for number, part in enumerate(self.parts)
        ]

    @property
    def bytes_kept(self) -> int:
        """Bytes that it keeps in storage, with those that may come yet while it is open."""
        if not self.state.is_final:
            return int(self.bytes)
        if self.state is Status.CANCELLED:
            return 0
        return sum(part.bytes for part in self.uploads if part.etag) + int(self.stored_bytes or 0)

    @property
    def keys_in_use(self) -> set[str]:
        """Keys of the files that it points to; none where they are being deleted."""
        if self.is_deleting:
            return set()
        return {
            key
            for keys in (self.stem_keys, self.player_keys, self.analysis_keys)
            for key in (keys or {}).values()
        }

    @property
    def state(self) -> Status:
        """The status, typed."""
        return Status(self.status)

    @property
    def delivery(self) -> Delivery:
        """What became of the webhook of the job as it is now."""
        if self.callback_state is None or self.callback_version != self.version:
            return Delivery.PENDING
        return Delivery(self.callback_state)

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return int(self.attempt - self.making)

    @property
    def was_begun(self) -> bool:
        """Whether a worker has begun it since its owner last asked for it."""
        return bool(self.attempt > self.last_attempt - MAX_ATTEMPTS)

    @property
    def deliveries(self) -> int:
        """How often the webhook of the job as it is now was tried."""
        return int(self.callback_attempts or 0) if self.callback_version == self.version else 0

    @property
    def may_be_tried_again(self) -> bool:
        """Whether it failed, or completed without the analysis that was asked for."""
        return self.state is Status.FAILED or (
            self.state is Status.COMPLETED and self.analysis_error_code is not None
        )

    @property
    def was_given_up(self) -> bool:
        """Whether it came to that in its last attempt, and its message belongs with the dead letters."""
        return self.may_be_tried_again and self.attempt >= self.last_attempt

    def has_expired(self, now: datetime) -> bool:
        """Whether the record is past its time; DynamoDB deletes such items some time later."""
        return self.expires_at <= now


def job_model(table: str) -> type[Job]:
    """The record bound to a table. PynamoDB keeps the table's name with the class."""

    class BoundJob(Job):
        @classmethod
        def transaction(cls) -> TransactWrite:
            return TransactWrite(connection=cls._get_connection().connection)

        class Meta:
            table_name = table
            # PynamoDB's own 15 s and 30 s are longer than an API request may take.
            connect_timeout_seconds = 2
            read_timeout_seconds = 4
            max_retry_attempts = 3

    return BoundJob
