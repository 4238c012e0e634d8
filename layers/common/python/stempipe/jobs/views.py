"""A job as its owner sees it: the JSON of every way of hearing of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from stempipe.jobs.camel_case import CamelCase
from stempipe.jobs.config import JobConfig
from stempipe.jobs.cost import cost_of
from stempipe.jobs.names import file_name, stem_name
from stempipe.jobs.record import Delivery, Job, Kind, Stage, Status

_USD_DIGITS = 7


class ErrorView(CamelCase):
    """Why something cannot be had. Rely on the code; the message is for a person."""

    code: str = Field(examples=["too_long"])
    message: str


class Problem(CamelCase):
    """The answer to a request that failed."""

    error: ErrorView


class Refusal(CamelCase):
    """API Gateway's own answer, before the function is asked."""

    message: str = Field(examples=["Unauthorized"])


class NoticeView(CamelCase):
    """What was filled or left out of the song. Rely on the code; the message is for a person."""

    code: str = Field(examples=["gap"])
    message: str
    seconds: float = Field(description="How much of the song it is.")


class PartView(CamelCase):
    """One of the stems that are uploaded."""

    name: str
    filename: str
    bytes: int
    arrived: bool


class SourceView(CamelCase):
    """The upload, and what the decoder found in it."""

    kind: Kind = Kind.SONG
    filename: str
    bytes: int
    duration_seconds: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    codec: str | None = None
    stems: list[PartView] | None = Field(None, description="Of a job that begins with stems.")
    notices: list[NoticeView] = Field(
        default=[], description="What was filled or left out, so that the stems fit the song's own time."
    )


class AnalysisView(CamelCase):
    """What becomes of the analysis that was asked for. Its files are among the job's files."""

    state: Literal["pending", "done", "failed"]
    error: ErrorView | None = None


class ResultsView(CamelCase):
    """Links to the stems. They expire; ask for the job again to get new ones."""

    stems: dict[str, str]
    analysis: AnalysisView | None = Field(
        None,
        description="Null where none was asked for. Stems are there before it, and do without it.",
    )
    gain_db: float = Field(
        le=0,
        description="What all stems were turned down by, so that none of them clips; 0 if nothing. "
        "They sum to the song turned down as much.",
    )
    residual_db: float | None = Field(
        None,
        description="How nearly the stems sum to the song, before they are encoded: the energy of what is "
        "left of it when they are taken away, against its own, in dB; -144 at least. Null where nothing was "
        "separated or not all stems are kept, of silence, and of jobs from before it was measured.",
    )


class QueueView(CamelCase):
    """Where a queued job stands."""

    ahead: int = Field(
        ge=0,
        description="About how many jobs come before it: those before it in your own line, and those of "
        "everybody that wait for a worker, by the queue's own approximate count. 0 is the next one.",
    )


class CallbackView(CamelCase):
    """The webhook of the job's end."""

    url: str
    state: Delivery
    attempts: int
    last_status: int | None = Field(None, description="HTTP status of the last answer, if there was one.")


class CostView(CamelCase):
    """What the job costs whoever runs the service, in USD: an estimate by list prices. See docs/cost.md."""

    gb_seconds: float = Field(
        description="What the worker took of memory, in the attempt that completed the job."
    )
    usd: float = Field(description="Compute, requests and storage; no transfer.")
    compute_usd: float = Field(
        description="Memory of the worker and of the other functions, and temporary disk."
    )
    requests_usd: float = Field(
        description="What is billed by the piece: the table, queue, APIs, storage, runs, traces, logs."
    )
    storage_usd: float = Field(description="Keeping uploads and results until they expire.")
    transfer_usd: float = Field(
        description="Not part of usd: all results out of AWS, once. In S3 that is each download of them; "
        "in R2 it is the worker's upload, and downloads cost nothing."
    )


class JobView(CamelCase):
    """A job."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01KAKPB6YQWQ4W2V9M4N2W7F3E",
                    "status": "processing",
                    "stage": "separating",
                    "progress": 42,
                    "version": 1767268800005,
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
    title: str | None = None
    status: Status
    stage: Stage | None = Field(None, description="What the worker is doing, while it is processing.")
    progress: int = Field(ge=0, le=100)
    version: int = Field(description="Of two states of a job, the one with the larger version is newer.")
    estimated_time_remaining: float | None = Field(
        None,
        description="Seconds. Of a queued job, GET /v1/jobs/{id} alone says them: the most it should take, "
        "going by your latest songs.",
    )
    queue: QueueView | None = Field(
        None, description="Of a queued job, where GET /v1/jobs/{id} says it alone; else null."
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


class UploadView(CamelCase):
    """The request that uploads the song: send ``fields`` as a form with the file last (POST), or the
    file as the body with ``headers`` (PUT)."""

    method: Literal["POST", "PUT"]
    url: str
    fields: dict[str, str]
    headers: dict[str, str]
    expires_at: datetime


class CreatedJob(CamelCase):
    """A job, and how to upload its song while it awaits that."""

    job: JobView
    upload: UploadView | None = Field(None, description="Of a song or MIDI; null once it is there.")
    uploads: dict[str, UploadView] | None = Field(
        None, description="Of stems, by their names: those that are not there yet."
    )


_FileKind = Literal["stem", "player", "analysis"]


class FileView(CamelCase):
    """A file of a job's results."""

    name: str = Field(examples=["analysis.json"])
    kind: _FileKind
    stem: str | None = Field(
        description="The stem that it is of; null is the song's own.", examples=["drums"]
    )
    bytes: int | None = Field(description="Its size. Null of jobs from before it was noted.")
    url: str = Field(description="A link to it. It expires; ask again to get a new one.")


class FilesView(CamelCase):
    """All files of a job's results, as far as they are there."""

    files: list[FileView]


class JobPage(CamelCase):
    """Jobs, newest first."""

    jobs: list[JobView]
    cursor: str | None = Field(None, description="Give it to get the next ones; null after the last.")


class Health(CamelCase):
    """The API is up."""

    status: Literal["ok"] = "ok"


View = Callable[[Job], JobView]
"""Makes a job's JSON."""


Link = Callable[[str, str], str]
"""Signs a link to the stem at a key, to be downloaded under a file's name."""


def job_view(job: Job, link: Link) -> JobView:
    """The job's JSON, with fresh links to its stems."""
    return JobView(
        id=job.id,
        title=job.title,
        status=job.state,
        stage=Stage(job.stage) if job.stage else None,
        progress=int(job.progress),
        version=int(job.version),
        estimated_time_remaining=job.estimated_seconds_left,
        config=job.config,
        results=_results(job, link),
        error=ErrorView(code=job.error_code, message=job.error_message) if job.error_code else None,
        source=SourceView(
            kind=Kind(job.kind),
            filename=job.filename,
            bytes=int(job.bytes),
            stems=[
                PartView(name=part.name, filename=part.filename, bytes=part.bytes, arrived=bool(part.etag))
                for part in job.uploads
                if part.name
            ]
            or None,
            duration_seconds=job.duration_seconds,
            sample_rate=job.sample_rate,
            channels=job.channels,
            codec=job.codec,
            notices=[NoticeView(**notice) for notice in job.notices or []],
        ),
        attempt=job.attempts,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        expires_at=job.expires_at,
        cost=_cost(job),
        callback=_callback(job),
    )


def files_view(job: Job, link: Link) -> FilesView:
    """The JSON of a job's files, with fresh links."""
    if job.is_deleting:
        return FilesView(files=[])

    def view(kind: _FileKind, key: str, filename: str, stem: str | None = None) -> FileView:
        name = _filename(key)
        size, stem = (job.file_facts or {}).get(name, (None, stem))
        return FileView(name=name, kind=kind, stem=stem, bytes=size, url=link(key, filename))

    files = [
        view("stem", key, _stem_filename(job, stem, key), stem) for stem, key in (job.stem_keys or {}).items()
    ]
    rest: list[tuple[_FileKind, dict[str, str] | None]] = [
        ("player", job.player_keys),
        ("analysis", job.analysis_keys),
    ]
    for kind, keys in rest:
        files += [view(kind, key, file_name(job.song, name)) for name, key in (keys or {}).items()]
    return FilesView(files=files)


def _results(job: Job, link: Link) -> ResultsView | None:
    if job.stem_keys is None or job.is_deleting:
        return None
    return ResultsView(
        stems={stem: link(key, _stem_filename(job, stem, key)) for stem, key in job.stem_keys.items()},
        gain_db=job.gain_db or 0.0,
        residual_db=job.residual_db,
        analysis=_analysis(job),
    )


def _analysis(job: Job) -> AnalysisView | None:
    if job.config.analysis is None:
        return None
    if job.analysis_error_code:
        error = ErrorView(code=job.analysis_error_code, message=job.analysis_error_message)
        return AnalysisView(state="failed", error=error)
    return AnalysisView(state="pending" if job.analysis_keys is None else "done")


def _filename(key: str) -> str:
    return key.rpartition("/")[2]


def _stem_filename(job: Job, stem: str, key: str) -> str:
    return stem_name(job.song, stem, key.rpartition(".")[2])


def _callback(job: Job) -> CallbackView | None:
    if job.callback_url is None:
        return None
    return CallbackView(
        url=job.callback_url,
        state=job.delivery,
        attempts=job.deliveries,
        last_status=int(job.callback_status) if job.deliveries and job.callback_status else None,
    )


def _cost(job: Job) -> CostView | None:
    cost = cost_of(job)
    if cost is None or job.gb_seconds is None:
        return None
    return CostView(
        gb_seconds=job.gb_seconds,
        usd=round(cost.total, _USD_DIGITS),
        compute_usd=round(cost.compute, _USD_DIGITS),
        requests_usd=round(cost.requests, _USD_DIGITS),
        storage_usd=round(cost.storage, _USD_DIGITS),
        transfer_usd=round(cost.transfer, _USD_DIGITS),
    )
