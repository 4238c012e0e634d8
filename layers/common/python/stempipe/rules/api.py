"""The rules of the HTTP API: what an owner asks for is done, or refused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from ulid import ULID

from stempipe.adapters.queue import JobQueue
from stempipe.adapters.storage import Storage, stem_links
from stempipe.errors import (
    EmptyFile,
    IdempotencyConflict,
    InvalidRequest,
    InvalidState,
    TooLarge,
    UploadGone,
    UploadMissing,
)
from stempipe.jobs.estimate import seconds_in_queue
from stempipe.jobs.listing import MadeBetween
from stempipe.jobs.names import base_name
from stempipe.jobs.record import Callback, Job, Source, Status
from stempipe.jobs.refusals import JobExists, JobIsFinal, TransitionRefused
from stempipe.jobs.requests import MAX_INLINE_BYTES, InlineJobRequest, JobRequest
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import (
    CONFIG_METADATA,
    Provider,
    Upload,
    attempt_of,
    direct_job_id,
    job_upload_key,
    stems_prefix,
)
from stempipe.jobs.views import CreatedJob, JobPage, JobView, UploadView, job_view
from stempipe.rules.webhooks import Callbacks
from stempipe.settings import StatusSettings

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
        making = self.jobs.new_making()
        source = Source(
            self.storage.provider,
            self.settings.uploads_bucket,
            job_upload_key(owner, job_id, making),
            filename,
            size,
        )
        request_hash = _hash(request)
        try:
            job = self.jobs.add(
                owner,
                job_id,
                Status.AWAITING_UPLOAD,
                source,
                request.config,
                callback=self._callback(owner, job_id, request),
                request_hash=request_hash if idempotency_key else None,
                making=making,
            )
        except JobExists:
            job = self.jobs.get(owner, job_id)
            if job.request_hash != request_hash:
                raise IdempotencyConflict from None
            job = self._await_upload(job)
        upload = None
        if job.state is Status.AWAITING_UPLOAD:
            if isinstance(request, InlineJobRequest):
                job = self._upload(job, request.audio.base64)
            else:
                upload = self._upload_link(job, request)
        return CreatedJob(job=self.view(job), upload=upload)

    def _await_upload(self, job: Job) -> Job:
        """The job as it is; where its upload may still come, for as long as the new link lives."""
        if job.state is not Status.AWAITING_UPLOAD and job.error_code != UploadMissing.code:
            return job
        try:
            return self.jobs.await_upload(job)
        except TransitionRefused:
            return self.jobs.get(job.owner, job.id)

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
        return base_name(name), size

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
        recent = self.jobs.listing.recent_seconds(owner)
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
        page = self.jobs.listing.newest(owner, limit, cursor, statuses=statuses, made=made)
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
        asked_at = self.jobs.now()
        try:
            job = self.jobs.cancel(owner, job_id)
        except JobIsFinal as final:
            try:
                self.jobs.begin_deletion(final.job)
            except TransitionRefused:
                raise InvalidState("The job is being tried again. Delete it again to cancel it.") from None
            # The record last: it alone says where the files are.
            self._delete_files(final.job, asked_at)
            self.jobs.delete(final.job)
            return None
        self._delete_files(job, asked_at)
        return self.view(job)

    def retry(self, owner: str, job_id: str) -> JobView:
        """Have a failed job tried again.

        Raises
        ------
        JobNotFound
            The owner has no such job.
        InvalidState
            The job has not failed, or its song was never taken in.
        UploadGone
            Its upload is not there any more; that of a cancelled job is deleted with it.
        StorageUnavailable
            The upload cannot be looked up now.
        """
        job = self.jobs.get(owner, job_id)
        if job.is_deleting:
            raise UploadGone
        if job.state is not Status.FAILED:
            raise InvalidState(f"The job is {job.status}; a failed one can be tried again.")
        if not job.attempts and not job.enqueued_at:
            raise InvalidState(f"The job's song was never taken in ({job.error_code}). Make a new job.")
        if self.storage.look_up(job.bucket, job.key).etag != job.etag:
            raise UploadGone
        try:
            return self.view(self._send(self.jobs.retry(job)))
        except TransitionRefused:
            raise InvalidState("The job has changed meanwhile. Look at it again.") from None

    def _delete_files(self, job: Job, asked_at: datetime) -> None:
        # Of no later attempt, and no later song: the job may have been made again by now.
        for stem in self.storage.list(self.settings.stems_bucket, stems_prefix(job.owner, job.id)):
            if attempt_of(stem.key) <= job.attempt:
                self.storage.delete(self.settings.stems_bucket, stem.key)
        if job.key == job_upload_key(job.owner, job.id, int(job.making)):
            self.storage.delete(job.bucket, job.key)
        elif self._is_still_there(job, asked_at):
            self.storage.delete(job.bucket, job.key, job.etag)

    def _is_still_there(self, job: Job, asked_at: datetime) -> bool:
        """Whether what lies where a direct upload was put is still that, and not what was put later."""
        try:
            stored = self.storage.look_up(job.bucket, job.key)
        except UploadGone:
            return False
        if stored.modified > asked_at:
            return False
        upload = Upload(cast(Provider, job.provider), job.bucket, job.key)
        return job.id == direct_job_id(upload, stored.etag, stored.metadata.get(CONFIG_METADATA, ""))

    def view(self, job: Job) -> JobView:
        """The job's JSON, with fresh links to its stems."""
        return job_view(job, stem_links(self.storage, self.settings))

    def _callback(self, owner: str, job_id: str, request: JobRequest | InlineJobRequest) -> Callback | None:
        secret = request.callback_secret.get_secret_value() if request.callback_secret else None
        if request.callback_url is None:
            if secret:
                raise InvalidRequest("callbackSecret: it is for a callbackUrl, and there is none")
            return None
        return self.callbacks.accept(owner, job_id, request.callback_url, secret)


def _hash(request: JobRequest | InlineJobRequest) -> str:
    """What tells one request from another, its secret included.

    A secret of 24 random bytes is not found by trying from its hash.
    """
    secret = request.callback_secret.get_secret_value() if request.callback_secret else ""
    return hashlib.sha256(f"{request.model_dump_json()}\0{secret}".encode()).hexdigest()


def _derived_id(owner: str, idempotency_key: str) -> str:
    """The id of a job that is made once for an owner's key, however often it is asked for."""
    return hashlib.sha256(f"{idempotency_key}\0{owner}".encode()).hexdigest()[:32]
