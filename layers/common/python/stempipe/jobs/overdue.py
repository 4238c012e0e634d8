"""Open jobs to which something should have happened by now: found, and moved on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from stempipe.errors import Undeliverable, UploadMissing, WorkerLost
from stempipe.jobs.record import MAX_ATTEMPTS, SHARDS, Job, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.writes import ending, failure

# Of a partition of the index: what a run can see to.
_AT_ONCE = 1000


class Overdue:
    """What sweep may do with them.

    Parameters
    ----------
    jobs
        The table.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def under_way(self) -> Iterator[Job]:
        """Jobs whose message should have been taken, or whose worker should have reported."""
        return self._find(range(SHARDS))

    def awaiting_upload(self) -> Iterator[Job]:
        """Jobs whose upload should have come."""
        return self._find(range(SHARDS, 2 * SHARDS))

    def _find(self, shards: Sequence[int]) -> Iterator[Job]:
        # In any order, so that what is not done in one run is not always the same.
        for shard in secrets.SystemRandom().sample(shards, len(shards)):
            now = self._jobs.now()
            found = self._jobs.model.due.query(shard, Job.due_at < now.timestamp(), limit=_AT_ONCE)
            # The index holds keys alone, and lags behind the table.
            keys = [(job.owner, job.id) for job in found]
            for job in self._jobs.model.batch_get(keys, consistent_read=True):
                if job.due_at is not None and job.due_at < now.timestamp() and not job.has_expired(now):
                    yield job

    def give_up_upload(self, job: Job) -> Job:
        """``awaiting_upload`` to ``failed``, because nothing came.

        Raises
        ------
        TransitionRefused
            Something came.
        """
        awaiting = (Job.status == Status.AWAITING_UPLOAD.value) & (Job.due_at == job.due_at)
        missing = [part.name for part in job.uploads if part.name and not part.etag]
        return self._jobs.end(job, Status.FAILED, failure(UploadMissing(missing)), awaiting)

    def requeue(self, job: Job) -> Job:
        """``processing`` with a lapsed lease back to ``queued``, or to its end after the last attempt.

        Raises
        ------
        TransitionRefused
            The worker has written since, or another has claimed the job.
        """
        lapsed = (
            (Job.status == Status.PROCESSING.value)
            # As it was read: how it ends depends on whether its stems are kept.
            & (Job.version == job.version)
            & (Job.due_at < self._jobs.now().timestamp())
        )
        if job.attempt >= job.last_attempt:
            return self._jobs.end(job, *ending(job, WorkerLost(MAX_ATTEMPTS)), lapsed)
        return self._jobs.move(job, Status.QUEUED, [Job.progress.set(0)], lapsed)

    def give_up_message(self, job: Job, message_id: str) -> Job:
        """``queued`` to its end, because its message is among the dead letters.

        Raises
        ------
        TransitionRefused
            The job has another message, or is not queued.
        """
        dead = (
            (Job.status == Status.QUEUED.value)
            & (Job.message_id == message_id)
            & (Job.attempt == job.attempt)
        )
        return self._jobs.end(job, *ending(job, Undeliverable()), dead)
