"""The jobs table, where every change of a job is written.

Each transition is one conditional write: the condition names the states it may come from. Those of a worker
are in ``stempipe.jobs.claim``, those of what is overdue in ``stempipe.jobs.overdue``; both go through
``Jobs.move``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self

from pynamodb.exceptions import DeleteError, PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from stempipe.errors import JobNotFound, StempipeError
from stempipe.jobs.config import JobConfig
from stempipe.jobs.listing import Listing
from stempipe.jobs.record import MAX_ATTEMPTS, Callback, Delivery, Job, Source, Status, job_model
from stempipe.jobs.refusals import JobExists, JobIsFinal, TransitionRefused

SHARDS = 8
"""Partitions of the index of open jobs: one alone would bound how many workers may report at once."""

# Seconds in which what wrote a queued job should have sent its message.
_SEND_SECONDS = 60

_FINAL = [status.value for status in Status if status.is_final]
_OPEN = [status.value for status in Status if not status.is_final]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TableSettings(Protocol):
    """What is to be known of the table."""

    @property
    def jobs_table(self) -> str: ...

    @property
    def retention_days(self) -> int: ...

    @property
    def upload_seconds(self) -> int: ...

    @property
    def message_seconds(self) -> int: ...


class Jobs:
    """An owner's jobs: make, find, and move from state to state.

    Parameters
    ----------
    table
        Name of the DynamoDB table.
    retention_days
        How long a job is kept.
    upload_seconds, message_seconds
        In which an upload should have come, and a message should have been taken. Later, the job is due.
    now
        The clock.

    Attributes
    ----------
    model
        The record, bound to the table.
    listing
        An owner's jobs in their order.
    """

    def __init__(
        self,
        table: str,
        *,
        retention_days: int,
        upload_seconds: int = 3600,
        message_seconds: int = 10800,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.model = job_model(table)
        self.listing = Listing(self.model, now)
        self._retention = timedelta(days=retention_days)
        self._message_seconds = message_seconds
        self._patience = {
            Status.AWAITING_UPLOAD: upload_seconds,
            Status.QUEUED: min(_SEND_SECONDS, message_seconds),
        }
        self.now = now

    @classmethod
    def of(cls, settings: TableSettings) -> Self:
        """The jobs of the table that the settings name."""
        return cls(
            settings.jobs_table,
            retention_days=settings.retention_days,
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
    ) -> Job:
        """Write a new job.

        Raises
        ------
        JobExists
            There is one already; it is left as it is.
        """
        now = self.now()
        job = self.model(
            owner,
            job_id,
            status=status.value,
            config_json=config.model_dump(by_alias=True, exclude_none=True),
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
            expires_at=now + self._retention,
        )
        if not status.is_final:
            job.open_shard = _shard(job_id)
            job.due_at = now.timestamp() + self._patience[status]
        try:
            # What is past its time may still be there.
            job.save(condition=Job.id.does_not_exist() | (Job.expires_at <= now))
        except PutError as fault:
            if _is_refusal(fault):
                raise JobExists(job_id) from fault
            raise
        return job

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

    def upload_arrived(self, job: Job, *, etag: str, size: int) -> Job:
        """``awaiting_upload`` to ``queued``.

        Raises
        ------
        TransitionRefused
            The job no longer awaits its upload: this is a repeated event.
        """
        actions: list[Action] = [Job.etag.set(etag), Job.bytes.set(size)]
        return self.move(job, Status.QUEUED, actions, Job.status == Status.AWAITING_UPLOAD.value)

    def refuse_upload(self, job: Job, error: StempipeError) -> Job:
        """``awaiting_upload`` to ``failed``.

        Raises
        ------
        TransitionRefused
            The job no longer awaits its upload: this is a repeated event.
        """
        return self.move(job, Status.FAILED, failure(error), Job.status == Status.AWAITING_UPLOAD.value)

    def mark_enqueued(self, job: Job, message_id: str) -> None:
        """Note that the message is in the queue, so that neither a repeated event nor sweep sends another."""
        now = self.now()
        try:
            job.update(
                [
                    Job.enqueued_at.set(now),
                    Job.message_id.set(message_id),
                    Job.due_at.set(now.timestamp() + self._message_seconds),
                ],
                condition=Job.status == Status.QUEUED.value,
            )
        except UpdateError as fault:
            # A worker was faster: it has taken the message.
            if not _is_refusal(fault):
                raise

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
        try:
            return self.move(job, Status.CANCELLED, [], Job.status.is_in(*_OPEN))
        except TransitionRefused as refusal:
            raise JobIsFinal(self.get(owner, job_id)) from refusal

    def delete(self, job: Job) -> None:
        """Forget a job that is final. If it is forgotten already, that is that.

        Raises
        ------
        TransitionRefused
            It is not final, or no longer.
        """
        try:
            job.delete(condition=Job.id.does_not_exist() | Job.status.is_in(*_FINAL))
        except DeleteError as fault:
            if _is_refusal(fault):
                raise TransitionRefused(f"{job.id} is not final") from fault
            raise

    def retry(self, job: Job) -> Job:
        """``failed`` or ``cancelled`` to ``queued``, to be tried as often as a new one.

        Raises
        ------
        TransitionRefused
            It is neither.
        """
        actions: list[Action] = [
            Job.last_attempt.set(Job.attempt + MAX_ATTEMPTS),
            Job.progress.set(0),
            Job.error_code.remove(),
            Job.error_message.remove(),
            Job.open_shard.set(_shard(job.id)),
            Job.enqueued_at.remove(),
            Job.message_id.remove(),
            Job.started_at.remove(),
            Job.completed_at.remove(),
        ]
        ended = Job.status.is_in(Status.FAILED.value, Status.CANCELLED.value)
        return self.move(job, Status.QUEUED, actions, ended)

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
        try:
            job.update(actions, condition=Job.version == job.version)
        except UpdateError as fault:
            if not _is_refusal(fault):
                raise

    def move(self, job: Job, to: Status, actions: list[Action], condition: Condition) -> Job:
        """Change the state in one conditional write; ``job`` then holds what the table holds.

        For the transitions of this package: whoever else wants a change calls it by its name.

        Raises
        ------
        TransitionRefused
            The condition does not hold.
        """
        now = self.now()
        actions = [Job.status.set(to.value), Job.updated_at.set(now), Job.version.add(1), *actions]
        if to.is_final:
            actions += [Job.completed_at.set(now), Job.due_at.remove(), Job.open_shard.remove()]
        elif to in self._patience:
            actions.append(Job.due_at.set(now.timestamp() + self._patience[to]))
        if to is not Status.PROCESSING:
            actions += [Job.stage.remove(), Job.estimated_seconds_left.remove()]
        try:
            job.update(actions, condition=condition)
        except UpdateError as fault:
            if _is_refusal(fault):
                raise TransitionRefused(f"{job.id} cannot become {to}") from fault
            raise
        return job


def _shard(job_id: str) -> int:
    return zlib.crc32(job_id.encode()) % SHARDS


def failure(error: StempipeError) -> list[Action]:
    """What a failed job says of its error."""
    return [Job.error_code.set(error.code), Job.error_message.set(error.message)]


def _is_refusal(fault: PutError | UpdateError | DeleteError) -> bool:
    return fault.cause_response_code == "ConditionalCheckFailedException"
