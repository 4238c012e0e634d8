"""The jobs table, and the only place that changes a job.

Each transition is one conditional write: the condition names the states it may come from, and a
worker's writes name its attempt besides, so that one which lost its lease cannot write.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pynamodb.exceptions import DeleteError, PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from stempipe.config import JobConfig
from stempipe.errors import (
    InvalidRequest,
    JobNotFound,
    StempipeError,
    Undeliverable,
    UploadMissing,
    WorkerLost,
)
from stempipe.job import MAX_ATTEMPTS, Delivery, Job, Stage, Status, job_model
from stempipe.settings import Settings

SHARDS = 8
"""Partitions of the index of open jobs: one alone would bound how many workers may report at once."""

# Seconds in which what wrote a queued job should have sent its message.
_SEND_SECONDS = 60

_FINAL = [status.value for status in Status if status.is_final]
_OPEN = [status.value for status in Status if not status.is_final]
# Records read at a time where only some of them are wanted.
_FILTERED_PAGE = 200


class JobExists(Exception):
    """A job of this owner and id is there already."""


class TransitionRefused(Exception):
    """The job is not in a state from which it may go there."""


class JobIsFinal(TransitionRefused):
    """The job is completed, failed or cancelled: there is nothing left to do.

    Parameters
    ----------
    job
        As it ended.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(f"the job is {job.status}")
        self.job = job


class JobIsHeld(TransitionRefused):
    """The job is not to be taken now: another worker holds it, or its upload has not come."""


class ClaimLost(Exception):
    """The worker no longer holds the job: it was cancelled, or another worker claimed it."""


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
class Callback:
    """Whom to tell of the job's end, and the secret to sign with, sealed by ``stempipe.vault``."""

    url: str
    sealed_secret: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of an owner's jobs, and where the next ones begin."""

    jobs: list[Job]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class MadeBetween:
    """Two times, both within."""

    first: datetime
    last: datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Jobs:
    """An owner's jobs: make, find, list, and move from state to state.

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
        self._model = job_model(table)
        self._retention = timedelta(days=retention_days)
        self._message_seconds = message_seconds
        self._patience = {
            Status.AWAITING_UPLOAD: upload_seconds,
            Status.QUEUED: min(_SEND_SECONDS, message_seconds),
        }
        self._now = now

    @classmethod
    def of(cls, settings: Settings) -> Self:
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
        now = self._now()
        job = self._model(
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
            job = self._model.get(owner, job_id, consistent_read=True)
        except self._model.DoesNotExist as fault:
            raise JobNotFound(job_id) from fault
        if job.has_expired(self._now()):
            raise JobNotFound(job_id)
        return job

    def newest(
        self,
        owner: str,
        limit: int,
        cursor: str | None = None,
        *,
        statuses: Collection[Status] = (),
        made: MadeBetween | None = None,
    ) -> Page:
        """List an owner's jobs, newest first: those in any of ``statuses``, where some are given.

        A page is shorter than its limit only where there are no more.

        Raises
        ------
        InvalidRequest
            The cursor is not one that an earlier page of the same list gave.
        """
        start = _read_cursor(owner, cursor) if cursor else None
        between = None
        if made:
            if made.first > made.last:
                return Page([], None)
            # Which DynamoDB would refuse.
            if start and not _as_written(made.first) <= start["createdAt"]["S"] <= _as_written(made.last):
                raise InvalidRequest("cursor: from another list; give the same filters with it")
            between = Job.created_at.between(made.first, made.last)
        # TTL deletes late: what is past its time still reads back.
        wanted = Job.expires_at > self._now()
        if statuses:
            wanted &= Job.status.is_in(*(status.value for status in statuses))
        results = self._model.newest.query(
            owner,
            between,
            wanted,
            scan_index_forward=False,
            limit=limit,
            page_size=max(limit, _FILTERED_PAGE) if statuses else limit,
            last_evaluated_key=start,
        )
        jobs = list(results)
        end = results.last_evaluated_key
        return Page(jobs, _write_cursor(end) if end else None)

    def present(self, owner: str, limit: int) -> list[Job]:
        """An owner's newest jobs, each as it is at this moment, the newest last."""
        found = [(owner, job.id) for job in self.newest(owner, limit).jobs]
        # The index lags behind the table.
        jobs = {job.id: job for job in self._model.batch_get(found, consistent_read=True)}
        return [jobs[job_id] for _, job_id in reversed(found) if job_id in jobs]

    def recent_seconds(self, owner: str, limit: int = 20) -> list[float]:
        """How long an owner's latest completed jobs took, from their start; newest first."""
        return [
            (job.completed_at - job.started_at).total_seconds()
            for job in self.newest(owner, limit, statuses=[Status.COMPLETED]).jobs
            if job.attempt == 1 and job.completed_at and job.started_at
        ]

    # -- intake ------------------------------------------------------------------------------

    def upload_arrived(self, job: Job, *, etag: str, size: int) -> Job:
        """``awaiting_upload`` to ``queued``.

        Raises
        ------
        TransitionRefused
            The job no longer awaits its upload: this is a repeated event.
        """
        actions: list[Action] = [Job.etag.set(etag), Job.bytes.set(size)]
        return self._move(job, Status.QUEUED, actions, Job.status == Status.AWAITING_UPLOAD.value)

    def refuse_upload(self, job: Job, error: StempipeError) -> Job:
        """``awaiting_upload`` to ``failed``.

        Raises
        ------
        TransitionRefused
            The job no longer awaits its upload: this is a repeated event.
        """
        return self._move(job, Status.FAILED, _failure(error), Job.status == Status.AWAITING_UPLOAD.value)

    def mark_enqueued(self, job: Job, message_id: str) -> None:
        """Note that the message is in the queue, so that neither a repeated event nor sweep sends another."""
        now = self._now()
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

    # -- sweep -------------------------------------------------------------------------------

    def overdue(self) -> Iterator[Job]:
        """Open jobs to which something should have happened by now."""
        for shard in range(SHARDS):
            # The index holds keys alone, and lags behind the table.
            for found in self._model.due.query(shard, self._model.due_at < self._now().timestamp()):
                try:
                    job = self.get(found.owner, found.id)
                except JobNotFound:
                    continue
                if job.due_at is not None and job.due_at < self._now().timestamp():
                    yield job

    def give_up_upload(self, job: Job) -> Job:
        """``awaiting_upload`` to ``failed``, because nothing came.

        Raises
        ------
        TransitionRefused
            Something came.
        """
        awaiting = (Job.status == Status.AWAITING_UPLOAD.value) & (Job.due_at == job.due_at)
        return self._move(job, Status.FAILED, _failure(UploadMissing()), awaiting)

    def requeue(self, job: Job) -> Job:
        """``processing`` with a lapsed lease back to ``queued``, or to ``failed`` after the last attempt.

        Raises
        ------
        TransitionRefused
            The worker has reported since, or another has claimed the job.
        """
        lapsed = (
            (Job.status == Status.PROCESSING.value)
            & (Job.attempt == job.attempt)
            & (Job.due_at < self._now().timestamp())
        )
        if job.attempt >= job.last_attempt:
            return self._move(job, Status.FAILED, _failure(WorkerLost(MAX_ATTEMPTS)), lapsed)
        return self._move(job, Status.QUEUED, [Job.progress.set(0)], lapsed)

    def give_up_message(self, job: Job, message_id: str) -> Job:
        """``queued`` to ``failed``, because its message is among the dead letters.

        Raises
        ------
        TransitionRefused
            The job has another message, or is not queued.
        """
        dead = (Job.status == Status.QUEUED.value) & (Job.message_id == message_id)
        return self._move(job, Status.FAILED, _failure(Undeliverable()), dead)

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
            return self._move(job, Status.CANCELLED, [], Job.status.is_in(*_OPEN))
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
        return self._move(job, Status.QUEUED, actions, ended)

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

    # -- work --------------------------------------------------------------------------------

    def claim(self, owner: str, job_id: str, lease_seconds: int) -> Claim:
        """Take a job to work on: one that is queued, or whose holder's lease has lapsed.

        Raises
        ------
        JobNotFound
            There is no such job.
        JobIsFinal
            It is completed, failed or cancelled.
        JobIsHeld
            Another worker holds it.
        WorkerLost
            It lapsed in its last attempt; it is failed now.
        """
        now = self._now()
        lapsed = (Job.status == Status.PROCESSING.value) & (Job.due_at < now.timestamp())
        try:
            job = self._move(
                self._model(owner, job_id),
                Status.PROCESSING,
                [
                    Job.attempt.add(1),
                    Job.due_at.set(now.timestamp() + lease_seconds),
                    Job.started_at.set(Job.started_at | now),
                    Job.progress.set(0),
                    Job.stage.set(Stage.DOWNLOADING.value),
                    Job.estimated_seconds_left.remove(),
                ],
                ((Job.status == Status.QUEUED.value) | lapsed) & (Job.attempt < Job.last_attempt),
            )
        except TransitionRefused as refusal:
            job = self.get(owner, job_id)
            if job.state.is_final:
                raise JobIsFinal(job) from refusal
            if job.attempt >= job.last_attempt and (job.due_at or 0) < now.timestamp():
                error = WorkerLost(MAX_ATTEMPTS)
                self._move(job, Status.FAILED, _failure(error), lapsed & (Job.attempt == job.attempt))
                raise error from refusal
            raise JobIsHeld(f"the job is {job.status}") from refusal
        return Claim(self, job, lease_seconds)

    def _move(self, job: Job, to: Status, actions: list[Action], condition: Condition) -> Job:
        """Change the state in one conditional write; ``job`` then holds what the table holds."""
        now = self._now()
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


class Claim:
    """A worker's hold on a job. Every write carries the attempt, so only the holder's succeed."""

    def __init__(self, jobs: Jobs, job: Job, lease_seconds: int) -> None:
        self.job = job
        self._jobs = jobs
        self._lease_seconds = lease_seconds
        self._held = (Job.status == Status.PROCESSING.value) & (Job.attempt == job.attempt)

    @property
    def is_last_attempt(self) -> bool:
        """Whether the song is not tried again after this attempt."""
        return self.job.attempt >= self.job.last_attempt

    def report(self, stage: Stage, progress: int, seconds_left: float | None) -> None:
        """Write progress (0 to 100) and renew the lease.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        left = Job.estimated_seconds_left
        self._write(
            Status.PROCESSING,
            [
                Job.stage.set(stage.value),
                Job.progress.set(progress),
                left.remove() if seconds_left is None else left.set(round(seconds_left, 1)),
                Job.due_at.set(self._jobs._now().timestamp() + self._lease_seconds),
            ],
        )

    def complete(
        self,
        stem_keys: Mapping[str, str],
        *,
        gain_db: float,
        duration_seconds: float,
        sample_rate: int,
        channels: int,
        codec: str,
        gb_seconds: float,
    ) -> None:
        """``processing`` to ``completed``.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        self._write(
            Status.COMPLETED,
            [
                Job.progress.set(100),
                Job.stem_keys.set(dict(stem_keys)),
                Job.gain_db.set(round(gain_db, 6)),
                Job.duration_seconds.set(round(duration_seconds, 3)),
                Job.sample_rate.set(sample_rate),
                Job.channels.set(channels),
                Job.codec.set(codec),
                Job.gb_seconds.set(round(gb_seconds, 3)),
            ],
        )

    def fail(self, error: StempipeError) -> None:
        """``processing`` to ``failed``.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        self._write(Status.FAILED, _failure(error))

    def release(self) -> None:
        """``processing`` back to ``queued``, to be tried again.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        self._write(Status.QUEUED, [Job.progress.set(0)])

    def _write(self, to: Status, actions: list[Action]) -> None:
        # A record of its own: progress is written by a thread beside the one that works.
        record = type(self.job)(self.job.owner, self.job.id)
        try:
            self._jobs._move(record, to, actions, self._held)
        except TransitionRefused as refusal:
            raise ClaimLost(str(refusal)) from refusal


def _shard(job_id: str) -> int:
    return zlib.crc32(job_id.encode()) % SHARDS


def _failure(error: StempipeError) -> list[Action]:
    return [Job.error_code.set(error.code), Job.error_message.set(error.message)]


def _is_refusal(fault: PutError | UpdateError | DeleteError) -> bool:
    return fault.cause_response_code == "ConditionalCheckFailedException"


def _as_written(time: datetime) -> str:
    text: str = Job.created_at.serialize(time)  # type: ignore[no-untyped-call]
    return text


def _write_cursor(last: Mapping[str, Any]) -> str:
    position = [last["createdAt"]["S"], last["id"]["S"]]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_cursor(owner: str, cursor: str) -> dict[str, Any]:
    # The owner is not part of the cursor: nobody pages into another's jobs.
    try:
        created_at, job_id = json.loads(base64.urlsafe_b64decode(cursor))
        if not (isinstance(created_at, str) and isinstance(job_id, str)):
            raise ValueError("not two strings")
    except (ValueError, TypeError, binascii.Error) as fault:
        raise InvalidRequest("cursor: not one that this API gave") from fault
    return {"owner": {"S": owner}, "id": {"S": job_id}, "createdAt": {"S": created_at}}
