"""The rules of the HTTP API: what an owner asks for is done, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from stempipe.adapters.storage import Storage, stem_links
from stempipe.errors import InvalidState, QuotaExceeded, UploadGone
from stempipe.jobs.estimate import seconds_in_queue
from stempipe.jobs.listing import MadeBetween
from stempipe.jobs.quota import QuotaView, quota_view
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import JobIsFinal, TransitionRefused
from stempipe.jobs.requests import Requested
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
from stempipe.jobs.views import CreatedJob, FilesView, JobPage, JobView, QueueView, files_view, job_view
from stempipe.rules.creation import Creation
from stempipe.rules.dispatch import Dispatch
from stempipe.rules.webhooks import Callbacks
from stempipe.settings import StatusSettings

# DynamoDB compares times as they are written, with four digits for the year.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Api:
    """Answers an owner's requests.

    Parameters
    ----------
    jobs, storage
        Where jobs and objects are.
    dispatch
        Sends jobs to the workers.
    settings
        The limits, and how long links live.
    callbacks
        Says which may be called, and seals their secrets.
    """

    jobs: Jobs
    storage: Storage
    dispatch: Dispatch
    settings: StatusSettings
    callbacks: Callbacks

    def create(self, owner: str, request: Requested, idempotency_key: str | None = None) -> CreatedJob:
        """Make a job; see ``Creation.create``."""
        job, uploads = self.creation.create(owner, request, idempotency_key)
        # A song has one upload, without a name.
        return CreatedJob(
            job=self.view(job),
            upload=uploads.pop("", None),
            uploads=uploads or None,
        )

    @property
    def creation(self) -> Creation:
        """Makes jobs."""
        return Creation(self.jobs, self.storage, self.dispatch, self.settings, self.callbacks)

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
            waiting = self._waiting(job)
            if waiting is not None:
                view.queue = QueueView(ahead=waiting if job.in_line_since else max(0, waiting - 1))
                view.estimated_time_remaining = self._seconds_in_queue(job, waiting)
        return view

    def files(self, owner: str, job_id: str) -> FilesView:
        """The files of one job's results.

        Raises
        ------
        JobNotFound
            The owner has no such job.
        """
        return files_view(self.jobs.get(owner, job_id), stem_links(self.storage, self.settings))

    def _waiting(self, job: Job) -> int | None:
        """About how many jobs wait for a worker: all that have a message, itself perhaps, and if it stands in
        its owner's line those before it; None: too many to be counted."""
        before = self.dispatch.line.before(job) if job.in_line_since else 0
        return None if before is None else self.dispatch.queue.waiting() + before

    def _seconds_in_queue(self, job: Job, waiting: int) -> float | None:
        # How long the owner's own songs took stands for how long everybody's take.
        recent = self.jobs.listing.recent_seconds(job.owner)
        if not recent:
            return None
        return round(seconds_in_queue(waiting, self.settings.workers, recent), 1)

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

    def quota(self, owner: str) -> QuotaView:
        """What the owner may take, and what of it is left."""
        return quota_view(self.jobs.accounts.standing(owner), self.jobs.now())

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
        self.dispatch.go_on(owner)
        self._delete_files(job, asked_at)
        return self.view(job)

    def retry(self, owner: str, job_id: str) -> JobView:
        """Have a job tried again that failed, or that completed without its analysis.

        Raises
        ------
        JobNotFound
            The owner has no such job.
        InvalidState
            The job is neither, or its song was never taken in.
        UploadGone
            Its upload is not there any more; that of a cancelled job is deleted with it.
        QuotaExceeded
            The owner may have no more open jobs, or no more minutes.
        StorageUnavailable
            The upload cannot be looked up now.
        """
        job = self.jobs.get(owner, job_id)
        if job.is_deleting:
            raise UploadGone
        if not job.may_be_tried_again:
            can = "one that failed, or whose analysis did, can be tried again"
            raise InvalidState(f"The job is {job.status}; {can}.")
        was_taken_in = job.attempts or job.enqueued_at or job.error_code == QuotaExceeded.code
        if not was_taken_in:
            raise InvalidState(f"The job's song was never taken in ({job.error_code}). Make a new job.")
        for part in job.uploads:
            if self.storage.look_up(job.bucket, part.key).etag != part.etag:
                raise UploadGone
        try:
            return self.view(self.dispatch.send(self.jobs.retry(job)))
        except TransitionRefused:
            raise InvalidState("The job has changed meanwhile. Look at it again.") from None

    def _delete_files(self, job: Job, asked_at: datetime) -> None:
        # Of no later attempt, and no later song: the job may have been made again by now.
        for stem in self.storage.list(self.settings.stems_bucket, stems_prefix(job.owner, job.id)):
            if attempt_of(stem.key) <= job.attempt:
                self.storage.delete(self.settings.stems_bucket, stem.key)
        if job.key == job_upload_key(job.owner, job.id, int(job.making)):
            for part in job.uploads:
                self.storage.delete(job.bucket, part.key)
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
