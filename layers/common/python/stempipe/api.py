"""The rules of the HTTP API: what may be asked, and the job's JSON that is the answer.

The same JSON serves every way of hearing of a job.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, cast

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from ulid import ULID

from stempipe.config import JobConfig
from stempipe.errors import (
    EmptyFile,
    IdempotencyConflict,
    InvalidRequest,
    InvalidState,
    TooLarge,
    UploadGone,
)
from stempipe.estimate import seconds_in_queue
from stempipe.job import Delivery, Job, Stage, Status
from stempipe.jobs import Callback, JobExists, JobIsFinal, Jobs, MadeBetween, Source, TransitionRefused
from stempipe.queue import JobQueue
from stempipe.settings import StatusSettings, ViewSettings
from stempipe.storage import Storage
from stempipe.uploads import (
    CONFIG_METADATA,
    Provider,
    Upload,
    direct_job_id,
    job_upload_key,
    stems_prefix,
)
from stempipe.webhooks import Callbacks

# AWS Lambda, x86, per GB-second; see docs/architecture.md.
USD_PER_GB_SECOND = 0.0000166667

_LONGEST_NAME = 255  # bytes
# What a file system refuses, and what turns the direction of writing, so that a name is not what it seems.
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069<>:"/\\|?*]')


MAX_INLINE_BYTES = 4_500_000
"""Largest song within a request. Base64 makes 6,000,000 bytes of it; Lambda takes 6,291,456 in an event, and
the rest is for what is around it."""


class _Json(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


Filename = Annotated[str, Field(min_length=1, max_length=255, examples=["song.mp3"])]


def _decoded(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("must be a string")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as fault:
        raise ValueError(
            "must be base64 in the alphabet of RFC 4648, padded and without line breaks"
        ) from fault


Base64 = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
            "examples": ["SUQzBAAAAAAA"],
        }
    ),
]


class _NewJob(_Json):
    """What every request for a job may have."""

    model_config = ConfigDict(extra="forbid")

    config: JobConfig = JobConfig()
    callback_url: str | None = Field(
        None,
        min_length=1,
        max_length=2048,
        description="Is sent the job by POST once it is completed, failed or cancelled.",
        examples=["https://example.com/stems-are-ready"],
    )
    callback_secret: SecretStr | None = Field(
        None,
        max_length=200,
        description="Signs what is sent, as Standard Webhooks say: whsec_ and 24 to 64 bytes in base64. "
        "Without it nothing is signed.",
    )


class JobRequest(_NewJob):
    """A song to be uploaded."""

    filename: Filename
    size: int = Field(ge=0, strict=True, description="Bytes. The upload must have just as many.")
    content_type: str = Field(
        "application/octet-stream",
        pattern=r"^[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+$",
        max_length=127,
        examples=["audio/mpeg"],
    )


class InlineAudio(_Json):
    """A song, all of it."""

    model_config = ConfigDict(extra="forbid", ser_json_bytes="base64")

    filename: Filename
    base64: Base64 = Field(description=f"The file. Before it is encoded at most {MAX_INLINE_BYTES:,} bytes.")


class InlineJobRequest(_NewJob):
    """A small song within the request: no upload, and the job starts at once."""

    audio: InlineAudio


def _kind(request: object) -> str:
    return "inline" if isinstance(request, InlineJobRequest | dict) and "audio" in dict(request) else "upload"


NewJob = Annotated[
    Annotated[JobRequest, Tag("upload")] | Annotated[InlineJobRequest, Tag("inline")],
    Discriminator(_kind),
]


class ErrorView(_Json):
    """Why something cannot be had. Rely on the code; the message is for a person."""

    code: str = Field(examples=["too_long"])
    message: str


class Problem(_Json):
    """The answer to a request that failed."""

    error: ErrorView


class Refusal(_Json):
    """API Gateway's own answer, before the function is asked."""

    message: str = Field(examples=["Unauthorized"])


class SourceView(_Json):
    """The upload, and what the decoder found in it."""

    filename: str
    bytes: int
    duration_seconds: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    codec: str | None = None


class ResultsView(_Json):
    """Links to the stems. They expire; ask for the job again to get new ones."""

    stems: dict[str, str]
    gain_db: float = Field(
        le=0,
        description="What all stems were turned down by, so that none of them clips; 0 if nothing. "
        "They sum to the song turned down as much.",
    )


class CallbackView(_Json):
    """The webhook of the job's end."""

    url: str
    state: Delivery
    attempts: int
    last_status: int | None = Field(None, description="HTTP status of the last answer, if there was one.")


class CostView(_Json):
    """What the worker used, and what AWS asks for it."""

    gb_seconds: float
    usd: float


class JobView(_Json):
    """A job."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01KAKPB6YQWQ4W2V9M4N2W7F3E",
                    "status": "processing",
                    "stage": "separating",
                    "progress": 42,
                    "version": 5,
                    "estimatedTimeRemaining": 3.2,
                    "config": JobConfig().model_dump(by_alias=True, exclude_none=True),
                    "results": None,
                    "error": None,
                    "source": {"filename": "song.mp3", "bytes": 7203143},
                    "attempt": 1,
                    "createdAt": "2026-01-01T12:00:00Z",
                    "startedAt": "2026-01-01T12:00:09Z",
                    "completedAt": None,
                    "expiresAt": "2026-01-08T12:00:00Z",
                    "cost": None,
                    "callback": None,
                }
            ]
        }
    )

    id: str
    status: Status
    stage: Stage | None = Field(None, description="What the worker is doing, while it is processing.")
    progress: int = Field(ge=0, le=100)
    version: int = Field(description="Of two states of a job, the one with the larger version is newer.")
    estimated_time_remaining: float | None = Field(
        None,
        description="Seconds. Of a queued job, GET /v1/jobs/{id} alone says them: the most it should take, "
        "going by your latest songs.",
    )
    config: JobConfig
    results: ResultsView | None = None
    error: ErrorView | None = None
    source: SourceView
    attempt: int
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime
    cost: CostView | None = None
    callback: CallbackView | None = None


class UploadView(_Json):
    """The request that uploads the song: send ``fields`` as a form with the file last (POST), or the
    file as the body with ``headers`` (PUT)."""

    method: Literal["POST", "PUT"]
    url: str
    fields: dict[str, str]
    headers: dict[str, str]
    expires_at: datetime


class CreatedJob(_Json):
    """A job, and how to upload its song while it awaits that."""

    job: JobView
    upload: UploadView | None = Field(None, description="Null once the song is there.")


class JobPage(_Json):
    """Jobs, newest first."""

    jobs: list[JobView]
    cursor: str | None = Field(None, description="Give it to get the next ones; null after the last.")


class Health(_Json):
    """The API is up."""

    status: Literal["ok"] = "ok"


Limit = Annotated[int, Field(ge=1, le=100)]
IdempotencyKey = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", max_length=255, examples=["3f1c9a52"])]


def _rfc_3339(text: object) -> object:
    # Pydantic would take a number of seconds besides, and a time of no zone from some.
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", str(text), re.IGNORECASE):
        raise ValueError("give a time as in RFC 3339, such as 2026-01-01T12:00:00Z")
    return text


Time = Annotated[AwareDatetime, BeforeValidator(_rfc_3339), Field(examples=["2026-01-01T12:00:00Z"])]
# DynamoDB compares times as they are written, with four digits for the year.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Api:
    """Answers an owner's requests.

    Parameters
    ----------
    jobs, storage, queue
        Where jobs and objects are, and where messages go.
    settings
        The limits, and how long links live.
    callbacks
        Says which may be called, and seals their secrets.
    """

    jobs: Jobs
    storage: Storage
    queue: JobQueue
    settings: StatusSettings
    callbacks: Callbacks

    def create(
        self, owner: str, request: JobRequest | InlineJobRequest, idempotency_key: str | None = None
    ) -> CreatedJob:
        """Make a job that awaits its upload, or is queued if the song is in the request.

        The same key and request again give the job that the first made, as it is by now.

        Raises
        ------
        InvalidRequest, InvalidConfig, EmptyFile, TooLarge
            What is asked for cannot be had.
        IdempotencyConflict
            The key came with another request before.
        StorageUnavailable
            The song cannot be stored now.
        """
        request.config.check_available(self.settings.model_variants)
        filename, size = self._check_song(request)
        job_id = _derived_id(owner, idempotency_key) if idempotency_key else str(ULID())
        source = Source(
            self.storage.provider,
            self.settings.uploads_bucket,
            job_upload_key(owner, job_id),
            filename,
            size,
        )
        request_hash = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
        try:
            job = self.jobs.add(
                owner,
                job_id,
                Status.AWAITING_UPLOAD,
                source,
                request.config,
                callback=self._callback(owner, job_id, request),
                request_hash=request_hash if idempotency_key else None,
            )
        except JobExists:
            job = self.jobs.get(owner, job_id)
            if job.request_hash != request_hash:
                raise IdempotencyConflict from None
        upload = None
        if job.state is Status.AWAITING_UPLOAD:
            if isinstance(request, InlineJobRequest):
                job = self._upload(job, request.audio.base64)
            else:
                upload = self._upload_link(job, request)
        return CreatedJob(job=self.view(job), upload=upload)

    def _check_song(self, request: JobRequest | InlineJobRequest) -> tuple[str, int]:
        """The song's name and bytes."""
        limit = self.settings.max_upload_bytes
        if isinstance(request, InlineJobRequest):
            name, size = request.audio.filename, len(request.audio.base64)
            if size > MAX_INLINE_BYTES:
                advice = "Leave the song out of the request: give filename and size, and upload by the link."
                raise TooLarge(size, min(limit, MAX_INLINE_BYTES), advice)
        else:
            name, size = request.filename, request.size
        if size == 0:
            raise EmptyFile
        if size > limit:
            raise TooLarge(size, limit)
        return _base_name(name), size

    def _upload(self, job: Job, song: bytes) -> Job:
        etag = self.storage.put_bytes(song, job.bucket, job.key)
        try:
            return self._send(self.jobs.upload_arrived(job, etag=etag, size=len(song)))
        except TransitionRefused:
            # Intake heard of the object before.
            return self.jobs.get(job.owner, job.id)

    def _upload_link(self, job: Job, request: JobRequest) -> UploadView:
        seconds = self.settings.upload_link_seconds
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        link = self.storage.upload_link(
            job.bucket, job.key, size=request.size, content_type=request.content_type, seconds=seconds
        )
        return UploadView(
            method=link.method,
            url=link.url,
            fields=dict(link.fields),
            headers=dict(link.headers),
            expires_at=expires_at,
        )

    def _send(self, job: Job) -> Job:
        self.jobs.mark_enqueued(job, self.queue.send(job.owner, job.id))
        return job

    def get(self, owner: str, job_id: str) -> JobView:
        """One job.

        Raises
        ------
        JobNotFound
            The owner has no such job.
        """
        job = self.jobs.get(owner, job_id)
        view = self.view(job)
        if job.state is Status.QUEUED:
            view.estimated_time_remaining = self._seconds_in_queue(owner)
        return view

    def _seconds_in_queue(self, owner: str) -> float | None:
        # How long the owner's own songs took stands for how long everybody's take.
        recent = self.jobs.recent_seconds(owner)
        if not recent:
            return None
        return round(seconds_in_queue(self.queue.waiting(), self.settings.max_concurrency, recent), 1)

    def list(
        self,
        owner: str,
        limit: int,
        cursor: str | None,
        *,
        statuses: Sequence[Status] = (),
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> JobPage:
        """The owner's jobs, newest first: those in one of ``statuses``, made within the two times.

        Raises
        ------
        InvalidRequest
            The cursor is not one that an earlier page of the same list gave.
        """
        made = None
        if created_after or created_before:
            made = MadeBetween(max(created_after or _FIRST, _FIRST), min(created_before or _LAST, _LAST))
        page = self.jobs.newest(owner, limit, cursor, statuses=statuses, made=made)
        return JobPage(jobs=[self.view(job) for job in page.jobs], cursor=page.cursor)

    def delete(self, owner: str, job_id: str) -> JobView | None:
        """Cancel an open job, or forget a final one. Its files are deleted in either case.

        Returns
        -------
        JobView or None
            The cancelled job. None: there is no such job any more.

        Raises
        ------
        JobNotFound
            The owner has no such job.
        InvalidState
            The job is being tried again since.
        StorageUnavailable
            Not all files could be deleted; the job is still there to be deleted again.
        """
        try:
            job = self.jobs.cancel(owner, job_id)
        except JobIsFinal as final:
            # The record last: it alone says where the files are.
            self._delete_files(final.job)
            try:
                self.jobs.delete(final.job)
            except TransitionRefused:
                raise InvalidState("The job is being tried again. Delete it again to cancel it.") from None
            return None
        self._delete_files(job)
        return self.view(job)

    def retry(self, owner: str, job_id: str) -> JobView:
        """Have a failed or cancelled job tried again.

        Raises
        ------
        JobNotFound
            The owner has no such job.
        InvalidState
            The job is neither failed nor cancelled, or its song was never taken in.
        UploadGone
            Its upload is not there any more.
        StorageUnavailable
            The upload cannot be looked up now.
        """
        job = self.jobs.get(owner, job_id)
        if job.state not in (Status.FAILED, Status.CANCELLED):
            raise InvalidState(f"The job is {job.status}; a failed or cancelled one can be tried again.")
        if job.state is Status.FAILED and not job.attempt and not job.enqueued_at:
            raise InvalidState(f"The job's song was never taken in ({job.error_code}). Make a new job.")
        if self.storage.look_up(job.bucket, job.key).etag != job.etag:
            raise UploadGone
        try:
            return self.view(self._send(self.jobs.retry(job)))
        except TransitionRefused:
            raise InvalidState("The job has changed meanwhile. Look at it again.") from None

    def _delete_files(self, job: Job) -> None:
        self.storage.delete_under(self.settings.stems_bucket, stems_prefix(job.owner, job.id))
        if self._owns_upload(job):
            self.storage.delete(job.bucket, job.key)

    def _owns_upload(self, job: Job) -> bool:
        """Whether what lies where the job's upload was put is still that, and not a later song's."""
        if job.key == job_upload_key(job.owner, job.id):
            return True
        try:
            stored = self.storage.look_up(job.bucket, job.key)
        except UploadGone:
            return False
        upload = Upload(cast(Provider, job.provider), job.bucket, job.key)
        return job.id == direct_job_id(upload, stored.etag, stored.metadata.get(CONFIG_METADATA, ""))

    def view(self, job: Job) -> JobView:
        """The job's JSON, with fresh links to its stems."""
        return job_view(job, self.storage, self.settings)

    def _callback(self, owner: str, job_id: str, request: JobRequest | InlineJobRequest) -> Callback | None:
        secret = request.callback_secret.get_secret_value() if request.callback_secret else None
        if request.callback_url is None:
            if secret:
                raise InvalidRequest("callbackSecret: it is for a callbackUrl, and there is none")
            return None
        return self.callbacks.accept(owner, job_id, request.callback_url, secret)


def job_view(job: Job, storage: Storage, settings: ViewSettings) -> JobView:
    """The job's JSON, with fresh links to its stems."""
    return JobView(
        id=job.id,
        status=job.state,
        stage=Stage(job.stage) if job.stage else None,
        progress=int(job.progress),
        version=int(job.version),
        estimated_time_remaining=job.estimated_seconds_left,
        config=job.config,
        results=_results(job, storage, settings),
        error=ErrorView(code=job.error_code, message=job.error_message) if job.error_code else None,
        source=SourceView(
            filename=job.filename,
            bytes=int(job.bytes),
            duration_seconds=job.duration_seconds,
            sample_rate=job.sample_rate,
            channels=job.channels,
            codec=job.codec,
        ),
        attempt=int(job.attempt),
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        expires_at=job.expires_at,
        cost=_cost(job.gb_seconds),
        callback=_callback(job),
    )


def _results(job: Job, storage: Storage, settings: ViewSettings) -> ResultsView | None:
    if job.stem_keys is None:
        return None
    return ResultsView(
        stems={
            stem: storage.download_link(
                settings.stems_bucket,
                key,
                _download_name(job.song, stem, key.rpartition(".")[2]),
                settings.download_link_seconds,
            )
            for stem, key in job.stem_keys.items()
        },
        gain_db=job.gain_db or 0.0,
    )


def _callback(job: Job) -> CallbackView | None:
    if job.callback_url is None:
        return None
    is_told = job.callback_version == job.version
    return CallbackView(
        url=job.callback_url,
        state=job.delivery,
        attempts=int(job.callback_attempts or 0) if is_told else 0,
        last_status=int(job.callback_status) if is_told and job.callback_status else None,
    )


def _cost(gb_seconds: float | None) -> CostView | None:
    if gb_seconds is None:
        return None
    return CostView(gb_seconds=gb_seconds, usd=round(gb_seconds * USD_PER_GB_SECOND, 6))


def _download_name(song: str, stem: str, ending: str) -> str:
    """File name of a stem: nothing in it that a file system refuses, and no longer than one allows."""
    rest = f" - {stem}.{ending}"
    return _NOT_IN_NAMES.sub("_", song).encode()[: _LONGEST_NAME - len(rest)].decode(errors="ignore") + rest


def _derived_id(owner: str, idempotency_key: str) -> str:
    """The id of a job that is made once for an owner's key, however often it is asked for."""
    return hashlib.sha256(f"{idempotency_key}\0{owner}".encode()).hexdigest()[:32]


def _base_name(filename: str) -> str:
    """The file's own name: no folders, no control characters, nothing a file system refuses.

    Raises
    ------
    InvalidRequest
        Nothing is left.
    """
    name = re.split(r"[/\\]", filename)[-1]
    name = _NOT_IN_NAMES.sub("_", name).strip()
    if not name.strip("._ "):
        raise InvalidRequest("filename: give the song's file name, such as song.mp3")
    return name
