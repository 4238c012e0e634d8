"""The rules of making a job: what is asked for is checked, and links say where its uploads go."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ulid import ULID

from stempipe.adapters.storage import Storage
from stempipe.errors import (
    EmptyFile,
    IdempotencyConflict,
    InvalidRequest,
    InvalidState,
    JobNotFound,
    TooLarge,
    UploadMissing,
)
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.config import AnalysisConfig, JobConfig
from stempipe.jobs.names import base_name
from stempipe.jobs.record import Callback, Job, Kind, Part, Source, Status
from stempipe.jobs.refusals import JobExists, TransitionRefused
from stempipe.jobs.requests import (
    MAX_INLINE_BYTES,
    InlineFile,
    InlineJobRequest,
    InlineMidiRequest,
    JobRequest,
    MidiRequest,
    MidiUpload,
    Requested,
    StemsRequest,
    StemUpload,
)
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import job_upload_key, part_upload_key
from stempipe.jobs.views import UploadView
from stempipe.observability import about, logger
from stempipe.rules.dispatch import Dispatch
from stempipe.rules.webhooks import Callbacks
from stempipe.settings import StatusSettings

_Upload = JobRequest | StemUpload | MidiUpload

# Each more than the first takes somebody who deletes the job in between.
_TRIES = 5


class _MadeAgain(Exception):
    """The job of that id is another one by now."""


@dataclass(frozen=True)
class _Wanted:
    """What a request asks for, whichever way in it takes."""

    kind: Kind
    filename: str
    uploads: Sequence[_Upload] = ()
    data: bytes | None = None

    @property
    def size(self) -> int:
        return sum(upload.size for upload in self.uploads) if self.data is None else len(self.data)


@dataclass(frozen=True)
class Creation:
    """Makes jobs, each with links to its uploads.

    Parameters
    ----------
    jobs, storage, dispatch, settings, callbacks
        As the ``Api``'s.
    """

    jobs: Jobs
    storage: Storage
    dispatch: Dispatch
    settings: StatusSettings
    callbacks: Callbacks

    def create(
        self, owner: str, request: Requested, idempotency_key: str | None = None
    ) -> tuple[Job, dict[str, UploadView]]:
        """Make a job that awaits its uploads, or is queued if all of it is in the request.

        The same key and request again give the job that the first made, as it is by now.

        Returns
        -------
        tuple of Job and dict
            The uploads that have not come, by the stem's name, or by none.

        Raises
        ------
        InvalidRequest, InvalidConfig, EmptyFile, TooLarge
            What is asked for cannot be had.
        IdempotencyConflict
            The key came with another request before.
        InvalidState
            The job is deleted and made again by others all the time.
        QuotaExceeded
            The owner may have no more of what it takes.
        StorageUnavailable
            What is within the request cannot be stored now.
        """
        request.config.check_available(self.settings.model_variants)
        wanted = _wanted(request)
        self._check(wanted)
        job_id = _derived_id(owner, idempotency_key) if idempotency_key else str(ULID())
        about(owner, job_id)
        for _ in range(_TRIES):
            with suppress(JobNotFound, _MadeAgain):
                return self._make(owner, job_id, request, wanted, is_derived=idempotency_key is not None)
        raise InvalidState("The job is deleted and made again all the time. Ask once more.")

    def _make(
        self, owner: str, job_id: str, request: Requested, wanted: _Wanted, *, is_derived: bool
    ) -> tuple[Job, dict[str, UploadView]]:
        """As ``create``.

        Raises
        ------
        JobNotFound, _MadeAgain
            What was found was deleted meanwhile, and may be another request's by now.
        """
        making = self.jobs.new_making()
        key = job_upload_key(owner, job_id, making)
        request_hash = _hash(request)
        try:
            job = self.jobs.add(
                owner,
                job_id,
                Status.AWAITING_UPLOAD,
                Source(
                    self.storage.provider, self.settings.uploads_bucket, key, wanted.filename, wanted.size
                ),
                config_for(wanted.kind, request.config),
                callback=self._callback(owner, job_id, request),
                request_hash=request_hash if is_derived else None,
                making=making,
                kind=wanted.kind,
                title=request.title,
                parts=_parts(wanted, key),
            )
            logger.info("Made", kind=job.kind, bytes=job.bytes)
        except JobExists:
            job = self.jobs.get(owner, job_id)
            if job.request_hash != request_hash:
                raise IdempotencyConflict from None
            job = self._await_uploads(job)
        if job.state is not Status.AWAITING_UPLOAD:
            return job, {}
        if wanted.data is not None:
            return self._store(job, wanted.data), {}
        return job, {
            part.name or "": self._link(job, part, upload.content_type)
            for part, upload in zip(job.uploads, wanted.uploads, strict=True)
            if part.etag is None
        }

    def _await_uploads(self, job: Job) -> Job:
        """The job as it is; where uploads may still come, for as long as the new links live."""
        if job.state is not Status.AWAITING_UPLOAD and job.error_code != UploadMissing.code:
            return job
        try:
            return Arrivals(self.jobs).await_upload(job)
        except TransitionRefused:
            present = self._present(job)
            return present if present.state is job.state else self._await_uploads(present)

    def _present(self, job: Job) -> Job:
        """The job by now, if it is not deleted."""
        present = self.jobs.get(job.owner, job.id)
        if present.making != job.making:
            raise _MadeAgain
        return present

    def _check(self, wanted: _Wanted) -> None:
        limit = self.settings.max_upload_bytes
        if wanted.data is not None and wanted.size > MAX_INLINE_BYTES:
            advice = "Leave the file out of the request: give filename and size, and upload by the link."
            raise TooLarge(wanted.size, min(limit, MAX_INLINE_BYTES), advice)
        for upload in wanted.uploads:
            if upload.size == 0:
                raise EmptyFile(upload.name if isinstance(upload, StemUpload) else None)
        if wanted.size == 0:
            raise EmptyFile
        if wanted.size > limit:
            raise TooLarge(wanted.size, limit)

    def _store(self, job: Job, data: bytes) -> Job:
        etag = self.storage.put_bytes(data, job.bucket, job.key)
        try:
            return self.dispatch.send(Arrivals(self.jobs).upload_arrived(job, etag=etag, size=len(data)))
        except TransitionRefused:
            # Intake heard of the object before.
            return self._present(job)

    def _link(self, job: Job, part: Part, content_type: str) -> UploadView:
        seconds = self.settings.upload_link_seconds
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        link = self.storage.upload_link(
            job.bucket, part.key, size=part.bytes, content_type=content_type, seconds=seconds
        )
        return UploadView(
            method=link.method,
            url=link.url,
            fields=dict(link.fields),
            headers=dict(link.headers),
            expires_at=expires_at,
        )

    def _callback(self, owner: str, job_id: str, request: Requested) -> Callback | None:
        secret = request.callback_secret.get_secret_value() if request.callback_secret else None
        if request.callback_url is None:
            if secret:
                raise InvalidRequest("callbackSecret: it is for a callbackUrl, and there is none")
            return None
        return self.callbacks.accept(owner, job_id, request.callback_url, secret)


def config_for(kind: Kind, config: JobConfig) -> JobConfig:
    """The configuration of a job of that kind: analysis is all that those without a song are for."""
    if kind is Kind.SONG or config.analysis:
        return config
    return config.model_copy(update={"analysis": AnalysisConfig()})


def _wanted(request: Requested) -> _Wanted:
    match request:
        case StemsRequest():
            return _Wanted(Kind.STEMS, request.title or "stems", request.stems)
        case MidiRequest():
            return _Wanted(Kind.MIDI, base_name(request.midi.filename), [request.midi])
        case InlineMidiRequest():
            return _inline(Kind.MIDI, request.midi)
        case InlineJobRequest():
            return _inline(Kind.SONG, request.audio)
    return _Wanted(Kind.SONG, base_name(request.filename), [request])


def _inline(kind: Kind, file: InlineFile) -> _Wanted:
    return _Wanted(kind, base_name(file.filename), data=file.base64)


def _parts(wanted: _Wanted, key: str) -> list[Part]:
    return [
        Part(part_upload_key(key, number), base_name(upload.filename), upload.size, upload.name)
        for number, upload in enumerate(wanted.uploads)
        if isinstance(upload, StemUpload)
    ]


def _hash(request: Requested) -> str:
    """What tells one request from another, its secret included.

    A secret of 24 random bytes is not found by trying from its hash.
    """
    secret = request.callback_secret.get_secret_value() if request.callback_secret else ""
    return hashlib.sha256(f"{request.model_dump_json()}\0{secret}".encode()).hexdigest()


def _derived_id(owner: str, idempotency_key: str) -> str:
    """The id of a job that is made once for an owner's key, however often it is asked for."""
    return hashlib.sha256(f"{idempotency_key}\0{owner}".encode()).hexdigest()[:32]
