"""The jobs table: an owner's jobs are made, found, and changed as their owner wishes.

Changes of a worker's are in ``stempipe.jobs.claim``, of uploads in ``stempipe.jobs.arrivals``, of what is
overdue in ``stempipe.jobs.overdue``, of whose turn it is in ``stempipe.jobs.line``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self

from pynamodb.expressions.update import Action

from stempipe.errors import JobNotFound, QuotaExceeded, StempipeError
from stempipe.jobs import writes
from stempipe.jobs.config import JobConfig
from stempipe.jobs.listing import Listing
from stempipe.jobs.moves import Moves, present_trace
from stempipe.jobs.record import (
    MAX_ATTEMPTS,
    Callback,
    Delivery,
    Job,
    Kind,
    Part,
    Source,
    Status,
    job_model,
    shard_of,
)
from stempipe.jobs.refusals import JobExists, JobIsFinal, TransitionRefused
from stempipe.jobs.usage import Accounts, Delta, Limits

# Seconds in which what wrote a queued job should have sent its message.
_SEND_SECONDS = 60

_FINAL = [status.value for status in Status if status.is_final]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TableSettings(Protocol):
    """What is to be known of the table."""

    @property
    def jobs_table(self) -> str: ...

    @property
    def retention_days(self) -> int: ...

    @property
    def usage_table(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def max_song_seconds(self) -> int: ...

    @property
    def upload_seconds(self) -> int: ...

    @property
    def message_seconds(self) -> int: ...


class Jobs(Moves):
    """An owner's jobs: make, find, and move from state to state.

    Parameters
    ----------
    table
        Name of the DynamoDB table.
    usage_table
        Name of the one with owners' accounts.
    retention_days
        How long a job is kept.
    upload_seconds, message_seconds
        In which an upload should have come, and a message should have been taken. Later, the job is due.
    limits
        What each owner may take.
    max_song_seconds
        No song is longer.
    now
        The clock.

    Attributes
    ----------
    model
        The record, bound to the table.
    listing
        An owner's jobs in their order.
    accounts
        What owners have taken.
    retention
        How long a job is kept.
    """

    def __init__(
        self,
        table: str,
        *,
        usage_table: str,
        retention_days: int,
        upload_seconds: int = 3600,
        message_seconds: int = 10800,
        limits: Limits | None = None,
        max_song_seconds: int = 600,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        retention = timedelta(days=retention_days)
        patience = {
            Status.AWAITING_UPLOAD: upload_seconds,
            Status.QUEUED: min(_SEND_SECONDS, message_seconds),
        }
        accounts = Accounts(usage_table, limits or Limits(), max_song_seconds, retention, now)
        super().__init__(job_model(table), accounts, patience, now)
        self.listing = Listing(self.model, now)
        self.retention = retention
        self._message_seconds = message_seconds

    @classmethod
    def of(cls, settings: TableSettings) -> Self:
        """The jobs of the table that the settings name."""
        return cls(
            settings.jobs_table,
            usage_table=settings.usage_table,
            retention_days=settings.retention_days,
            limits=settings.limits,
            max_song_seconds=settings.max_song_seconds,
            upload_seconds=settings.upload_seconds,
            message_seconds=settings.message_seconds,
        )

    # -- make and find -----------------------------------------------------------------------

    def add(
        self,
        owner: str,
        job_id: str,
        status: Status,
        source: Source,
        config: JobConfig,
        error: StempipeError | None = None,
        request_hash: str | None = None,
        callback: Callback | None = None,
        making: int | None = None,
        kind: Kind = Kind.SONG,
        title: str | None = None,
        parts: Sequence[Part] = (),
    ) -> Job:
        """Write a new job.

        Parameters
        ----------
        making
            Its number, from ``new_making``, where it was needed before.
        parts
            Of stems: what is to be uploaded.

        Raises
        ------
        JobExists
            There is one already; it is left as it is.
        QuotaExceeded
            The owner may have no more of what it takes. A failed job everybody may have.
        """
        now = self.now()
        making = self.new_making() if making is None else making
        job = self.model(
            owner,
            job_id,
            status=status.value,
            config_json=config.model_dump(by_alias=True, exclude_none=True),
            kind=kind.value,
            title=title,
            parts=[
                {"name": part.name, "key": part.key, "filename": part.filename, "bytes": part.bytes}
                for part in parts
            ]
            or None,
            part_etags={} if parts else None,
            request_hash=request_hash,
            provider=source.provider,
            bucket=source.bucket,
            key=source.key,
            filename=source.filename,
            bytes=source.bytes,
            etag=source.etag,
            error_code=error and error.code,
            error_message=error and error.message,
            callback_url=callback and callback.url,
            callback_secret=callback and callback.sealed_secret,
            created_at=now,
            updated_at=now,
            completed_at=now if status.is_final else None,
            expires_at=now + self.retention,
            making=making,
            version=making,
            attempt=making,
            last_attempt=making + MAX_ATTEMPTS,
        )
        if status is Status.QUEUED:
            job.in_line_since = job.queued_at = now.timestamp()
            job.trace_header = present_trace()
        elif not status.is_final:
            job.open_shard = shard_of(job_id, status)
            job.due_at = now.timestamp() + self._patience[status]
        if not status.is_final:
            job.reserved_seconds = self.accounts.reserve(job.bytes)
        # What is past its time may still be there.
        is_free = Job.id.does_not_exist() | (Job.expires_at <= now)
        try:
            if status.is_final:
                return writes.put(job, is_free, [self.accounts.entry(job, Delta(bytes=job.bytes_kept))])
            return self.open(job, job.bytes_kept, lambda entries: writes.put(job, is_free, entries))
        except TransitionRefused as refusal:
            raise JobExists(job_id) from refusal
        except QuotaExceeded:
            with suppress(JobNotFound):
                self.get(owner, job_id)
                # Whoever asks once more for a job that there is gets that one.
                raise JobExists(job_id) from None
            raise

    def new_making(self) -> int:
        """A number for a new record: milliseconds since the epoch, so larger than that of any before it."""
        return int(self.now().timestamp() * 1000)

    def get(self, owner: str, job_id: str) -> Job:
        """Find a job of an owner.

        Raises
        ------
        JobNotFound
            There is none, it is another's, or its time is over.
        """
        try:
            job = self.model.get(owner, job_id, consistent_read=True)
        except self.model.DoesNotExist as fault:
            raise JobNotFound(job_id) from fault
        if job.has_expired(self.now()):
            raise JobNotFound(job_id)
        return job

    # -- intake ------------------------------------------------------------------------------

    def mark_enqueued(self, job: Job, message_id: str) -> None:
        """Note that the message is in the queue, so that neither a repeated event nor sweep sends another."""
        now = self.now()
        writes.note(
            job,
            [
                Job.enqueued_at.set(now),
                Job.message_id.set(message_id),
                Job.due_at.set(now.timestamp() + self._message_seconds),
            ],
            # Or a worker was faster, and has taken the message. By now the job may be queued once more, with
            # another.
            (Job.status == Status.QUEUED.value)
            & (Job.version == job.version)
            & Job.in_line_since.does_not_exist(),
        )

    # -- the owner's wishes ------------------------------------------------------------------

    def cancel(self, owner: str, job_id: str) -> Job:
        """Any open state to ``cancelled``. A worker that holds the job finds its claim lost.

        Raises
        ------
        JobNotFound
            There is no such job.
        JobIsFinal
            It is completed, failed or cancelled.
        """
        job = self.get(owner, job_id)
        if job.state.is_final:
            raise JobIsFinal(job)
        # What it counts for follows from these.
        is_as_read = (
            (Job.status == job.status)
            & (Job.attempt == job.attempt)
            & (Job.last_attempt == job.last_attempt)
            & (Job.in_line_since.exists() if job.in_line_since else Job.in_line_since.does_not_exist())
            & (
                Job.duration_seconds.exists()
                if job.duration_seconds
                else Job.duration_seconds.does_not_exist()
            )
        )
        try:
            return self.end(job, Status.CANCELLED, [Job.is_deleting.set(True)], is_as_read)
        except TransitionRefused:
            return self.cancel(owner, job_id)  # further by now, or made again

    def begin_deletion(self, job: Job) -> None:
        """Let nobody try a final job again, whose files are to be deleted.

        Raises
        ------
        TransitionRefused
            It is not final, or no longer, or has ended another time.
        """
        # As it was read: its files, and what it is counted for, are those of this end.
        is_final = Job.status.is_in(*_FINAL) & (Job.making == job.making) & (Job.version == job.version)
        writes.change(job, [Job.is_deleting.set(True)], is_final)

    def delete(self, job: Job) -> None:
        """Forget a final job whose files are deleted. If it is forgotten or made again, that is that."""
        entry = self.accounts.entry(job, Delta(bytes=-job.bytes_kept))
        writes.forget(job, Job.is_deleting.exists() & (Job.making == job.making), [entry])

    def retry(self, job: Job, *, within_limits: bool = True) -> Job:
        """``failed``, or ``completed`` without analysis, to ``queued``, to be tried as often as a new one.

        Stems that are stored stay, and are what the next attempt goes on from.

        Raises
        ------
        TransitionRefused
            It is neither, or is being deleted.
        QuotaExceeded
            The owner may have no more open jobs, or no more minutes.
        """
        actions: list[Action] = [
            Job.last_attempt.set(Job.attempt + MAX_ATTEMPTS),
            Job.progress.set(0),
            Job.error_code.remove(),
            Job.error_message.remove(),
            Job.analysis_error_code.remove(),
            Job.analysis_error_message.remove(),
            Job.enqueued_at.remove(),
            Job.message_id.remove(),
            Job.started_at.remove(),
            Job.completed_at.remove(),
        ]
        failed = Job.status == Status.FAILED.value
        unheard = (Job.status == Status.COMPLETED.value) & Job.analysis_error_code.exists()
        may = (failed | unheard) & Job.is_deleting.does_not_exist()
        return self.reopen(job, Status.QUEUED, actions, may, within_limits=within_limits)

    # -- webhooks ----------------------------------------------------------------------------

    def note_delivery(self, job: Job, state: Delivery, attempts: int, status: int | None) -> None:
        """Note what became of the webhook of the job as it is in ``job``.

        This raises no version: it is news of the webhook, not of the job. Where the job has changed since,
        its next end has a webhook of its own, and nothing is noted.
        """
        actions: list[Action] = [
            Job.callback_version.set(job.version),
            Job.callback_state.set(state.value),
            Job.callback_attempts.set(attempts),
            Job.callback_status.remove() if status is None else Job.callback_status.set(status),
        ]
        writes.note(job, actions, Job.version == job.version)
