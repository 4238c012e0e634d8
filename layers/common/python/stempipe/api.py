"""The rules of the HTTP API: what may be asked, and the job's JSON that is the answer.

The same JSON serves every way of hearing of a job.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from ulid import ULID

from stempipe.config import JobConfig
from stempipe.errors import EmptyFile, InvalidRequest, TooLarge
from stempipe.job import Job, Stage, Status
from stempipe.jobs import Jobs, Source
from stempipe.settings import StatusSettings
from stempipe.storage import Storage
from stempipe.uploads import job_upload_key

# AWS Lambda, x86, per GB-second; see docs/architecture.md.
USD_PER_GB_SECOND = 0.0000166667

_LONGEST_NAME = 255  # bytes
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')


class _Json(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


class JobRequest(_Json):
    """A song to be uploaded."""

    model_config = ConfigDict(extra="forbid")

    filename: str = Field(min_length=1, max_length=255, examples=["song.mp3"])
    size: int = Field(ge=0, strict=True, description="Bytes. The upload must have just as many.")
    content_type: str = Field(
        "application/octet-stream",
        pattern=r"^[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+$",
        max_length=127,
        examples=["audio/mpeg"],
    )
    config: JobConfig = JobConfig()


class ErrorView(_Json):
    """Why something cannot be had. Rely on the code; the message is for a person."""

    code: str = Field(examples=["too_long"])
    message: str


class Problem(_Json):
    """The answer to a request that failed."""

    error: ErrorView


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


class CostView(_Json):
    """What the worker used, and what AWS asks for it."""

    gb_seconds: float
    usd: float


class JobView(_Json):
    """A job."""

    id: str
    status: Status
    stage: Stage | None = Field(None, description="What the worker is doing, while it is processing.")
    progress: int = Field(ge=0, le=100)
    estimated_time_remaining: float | None = Field(None, description="Seconds.")
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


class UploadView(_Json):
    """The request that uploads the song: send ``fields`` as a form with the file last (POST), or the
    file as the body with ``headers`` (PUT)."""

    method: Literal["POST", "PUT"]
    url: str
    fields: dict[str, str]
    headers: dict[str, str]
    expires_at: datetime


class CreatedJob(_Json):
    """A job that awaits its upload, and how to upload."""

    job: JobView
    upload: UploadView


class JobPage(_Json):
    """Jobs, newest first."""

    jobs: list[JobView]
    cursor: str | None = Field(None, description="Give it to get the next ones; null after the last.")


class Health(_Json):
    """The API is up."""

    status: Literal["ok"] = "ok"


Limit = Annotated[int, Field(ge=1, le=100)]


@dataclass(frozen=True)
class Api:
    """Answers an owner's requests.

    Parameters
    ----------
    jobs, storage
        Where jobs and objects are.
    settings
        The limits, and how long links live.
    """

    jobs: Jobs
    storage: Storage
    settings: StatusSettings

    def create(self, owner: str, request: JobRequest) -> CreatedJob:
        """Make a job that awaits its upload.

        Raises
        ------
        InvalidRequest, InvalidConfig, EmptyFile, TooLarge
            What is asked for cannot be had.
        """
        request.config.check_available(self.settings.model_variants)
        if request.size == 0:
            raise EmptyFile
        if request.size > self.settings.max_upload_bytes:
            raise TooLarge(request.size, self.settings.max_upload_bytes)
        job_id = str(ULID())
        key = job_upload_key(owner, job_id)
        source = Source(
            self.storage.provider,
            self.settings.uploads_bucket,
            key,
            _base_name(request.filename),
            request.size,
        )
        seconds = self.settings.upload_link_seconds
        link = self.storage.upload_link(
            source.bucket, key, size=request.size, content_type=request.content_type, seconds=seconds
        )
        job = self.jobs.add(owner, job_id, Status.AWAITING_UPLOAD, source, request.config)
        return CreatedJob(
            job=self.view(job),
            upload=UploadView(
                method=link.method,
                url=link.url,
                fields=dict(link.fields),
                headers=dict(link.headers),
                expires_at=job.created_at + timedelta(seconds=seconds),
            ),
        )

    def get(self, owner: str, job_id: str) -> JobView:
        """One job.

        Raises
        ------
        JobNotFound
            The owner has no such job.
        """
        return self.view(self.jobs.get(owner, job_id))

    def list(self, owner: str, limit: int, cursor: str | None) -> JobPage:
        """The owner's jobs, newest first.

        Raises
        ------
        InvalidRequest
            The cursor is not one that an earlier page gave.
        """
        page = self.jobs.newest(owner, limit, cursor)
        return JobPage(jobs=[self.view(job) for job in page.jobs], cursor=page.cursor)

    def view(self, job: Job) -> JobView:
        """The job's JSON, with fresh links to its stems."""
        return JobView(
            id=job.id,
            status=job.state,
            stage=Stage(job.stage) if job.stage else None,
            progress=int(job.progress),
            estimated_time_remaining=job.estimated_seconds_left,
            config=job.config,
            results=self._results(job),
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
        )

    def _results(self, job: Job) -> ResultsView | None:
        if job.stem_keys is None:
            return None
        return ResultsView(
            stems={
                stem: self.storage.download_link(
                    self.settings.stems_bucket,
                    key,
                    _download_name(job.song, stem, key.rpartition(".")[2]),
                    self.settings.download_link_seconds,
                )
                for stem, key in job.stem_keys.items()
            },
            gain_db=job.gain_db or 0.0,
        )


def _cost(gb_seconds: float | None) -> CostView | None:
    if gb_seconds is None:
        return None
    return CostView(gb_seconds=gb_seconds, usd=round(gb_seconds * USD_PER_GB_SECOND, 6))


def _download_name(song: str, stem: str, ending: str) -> str:
    """File name of a stem: nothing in it that a file system refuses, and no longer than one allows."""
    rest = f" - {stem}.{ending}"
    return _NOT_IN_NAMES.sub("_", song).encode()[: _LONGEST_NAME - len(rest)].decode(errors="ignore") + rest


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
