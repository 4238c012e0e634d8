"""The API's answers, typed. Fields that a newer service adds are passed over."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from stempipe_client.names import is_file_name, said


def _file_name(name: str) -> str:
    if not is_file_name(name):
        raise ValueError("is no file's name")
    return name


# Some of what a service says becomes part of a file's name or is opened: it is checked when it is read.
JobId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]
StemName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
FileName = Annotated[str, AfterValidator(_file_name)]
Said = Annotated[str, AfterValidator(said)]
"""Is shown to people, and so it is cut."""
Link = Annotated[str, Field(pattern=r"^https?://[\x21-\x7e]+$")]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Status(StrEnum):
    """Where a job is."""

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes, unless somebody has it tried again."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


class Problem(_Answer):
    """Why a job failed. Rely on the code; the message is for a person."""

    code: Said
    message: Said


class Allowance(_Answer):
    """So many may be taken, and so many of them are left."""

    limit: int = Field(ge=0, lt=1 << 63)
    used: int
    left: int


class Daily(_Answer):
    """So much a day."""

    limit: int = Field(ge=0, lt=1 << 63)
    used: float
    left: float
    resets_at: datetime


class Quota(_Answer):
    """What the user may take: jobs that have not ended, minutes of sound a day, bytes that are kept."""

    open_jobs: Allowance
    minutes_today: Daily
    bytes_kept: Allowance


class Notice(_Answer):
    """What was filled or left out of a song, and how many seconds of it that is."""

    code: Said
    message: Said
    seconds: float = 0.0


class Part(_Answer):
    """One of the stems that a job begins with."""

    name: Said
    filename: Said
    bytes: int
    arrived: bool = False


class Source(_Answer):
    """What was uploaded, and what the decoder found in it; `kind` is song, stems or midi."""

    kind: Said = "song"
    filename: Said
    bytes: int
    duration_seconds: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    codec: Said | None = None
    stems: tuple[Part, ...] | None = None
    notices: tuple[Notice, ...] = ()


class AnalysisOutcome(_Answer):
    """What became of the analysis: `state` is pending, done or failed; failed has an error."""

    state: Said
    error: Problem | None = None


class Results(_Answer):
    """What came of a song.

    Attributes
    ----------
    stems
        A link to each stem, good for an hour.
    analysis
        Where one was asked for.
    gain_db
        What all stems were turned down by, so that none clips; 0 if nothing.
    residual_db
        What all stems together lack of the song, in energy against the song's: -144 at least, None where it
        was not measured.
    """

    stems: dict[StemName, Link]
    analysis: AnalysisOutcome | None = None
    gain_db: float = 0.0
    residual_db: float | None = None


class Queue(_Answer):
    """Where a queued job stands: about how many jobs come before it."""

    ahead: int = Field(ge=0)


class Cost(_Answer):
    """What the job costs whoever runs the service, as it estimates that by list prices.

    Attributes
    ----------
    gb_seconds
        What the worker took of memory.
    usd
        The sum of compute, requests and storage.
    transfer_usd
        Not part of it: of all results, out of AWS, once.
    """

    gb_seconds: float
    usd: float
    compute_usd: float | None = None
    requests_usd: float | None = None
    storage_usd: float | None = None
    transfer_usd: float | None = None


class Job(_Answer):
    """A job.

    Attributes
    ----------
    stage
        What the worker is doing, while the job is processing.
    progress
        In percent.
    version
        Of two states of a job, the one with the larger version is newer.
    estimated_time_remaining
        In seconds.
    queue
        Of a queued job that was asked for by itself.
    config
        As the service completed it.
    """

    id: JobId
    title: Said | None = None
    status: Status
    stage: Said | None = None
    progress: int = Field(0, ge=0, le=100)
    version: int = 0
    estimated_time_remaining: Seconds | None = None
    queue: Queue | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    results: Results | None = None
    error: Problem | None = None
    source: Source
    attempt: int = Field(0, ge=0, lt=1 << 31)
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime
    cost: Cost | None = None

    @property
    def analysis(self) -> AnalysisOutcome | None:
        """What became of the analysis, as far as it is known; None where none was asked for."""
        return self.results.analysis if self.results else None

    @property
    def residual_db(self) -> float | None:
        """What its stems lack of its song, where that was measured; see `Results`."""
        return self.results.residual_db if self.results else None


class File(_Answer):
    """One of a job's files and a link to it, good for an hour; `kind` is stem, player or analysis.

    Attributes
    ----------
    stem
        The stem that it is of; None of the song's own files.
    bytes
        Its size; None where the service did not note it.
    """

    name: FileName
    kind: Said
    stem: Said | None = None
    bytes: int | None = None
    url: Link


class Files(_Answer):
    """A job's files, as far as they are there."""

    files: list[File]


class Upload(_Answer):
    """Where a file goes: a form to POST, the file last, or the body of a PUT."""

    method: Literal["POST", "PUT"]
    url: Link
    fields: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    expires_at: datetime


class Created(_Answer):
    """A new job, and where its song or MIDI goes, or its stems by their names; nothing for what is there."""

    job: Job
    upload: Upload | None = None
    uploads: dict[str, Upload] | None = None


class Page(_Answer):
    """Jobs, newest first; with a cursor there are more."""

    jobs: list[Job]
    cursor: str | None = None
