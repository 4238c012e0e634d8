"""Jobs that await uploads: what has come, and what is waited for."""

from __future__ import annotations

from typing import Any

from pynamodb.expressions.update import Action

from stempipe.errors import StempipeError, UploadMissing
from stempipe.jobs import writes
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.jobs.usage import Delta


class Arrivals:
    """What intake and the API may do with them.

    Parameters
    ----------
    jobs
        The table.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def upload_arrived(self, job: Job, *, etag: str, size: int) -> Job:
        """``awaiting_upload`` to ``queued``.

        Raises
        ------
        TransitionRefused
            The job no longer awaits its upload: this is a repeated event.
        """
        actions: list[Action] = [Job.etag.set(etag), Job.bytes.set(size)]
        awaits = Job.status == Status.AWAITING_UPLOAD.value
        # Links are for the size that was said before: as a rule there is nothing to put right.
        entries = (
            [self._jobs.accounts.entry(job, Delta(bytes=size - int(job.bytes)))] if size != job.bytes else []
        )
        return self._jobs.move(job, Status.QUEUED, actions, awaits, entries, in_line=True)

    def part_arrived(self, job: Job, number: int, etag: str) -> Job:
        """One of the stems is there, the first time or another one in its place; the job awaits the others.

        Raises
        ------
        TransitionRefused
            The job awaits nothing any more, or this is a repeated event.
        """
        known: Any = Job.part_etags[str(number)]
        is_new = known.does_not_exist() | (known != etag)
        awaits = (Job.status == Status.AWAITING_UPLOAD.value) & is_new
        return self._jobs.move(job, Status.AWAITING_UPLOAD, [known.set(etag)], awaits)

    def parts_arrived(self, job: Job) -> Job:
        """``awaiting_upload`` to ``queued``: all stems are there.

        Raises
        ------
        TransitionRefused
            The job awaits nothing any more.
        """
        awaits = Job.status == Status.AWAITING_UPLOAD.value
        return self._jobs.move(job, Status.QUEUED, [], awaits, in_line=True)

    def refuse_upload(self, job: Job, error: StempipeError) -> Job:
        """``awaiting_upload`` to ``failed``.

        Raises
        ------
        TransitionRefused
            The job no longer awaits its upload: this is a repeated event.
        """
        # As it was read: what it keeps depends on which stems are there.
        awaits = (Job.status == Status.AWAITING_UPLOAD.value) & (Job.version == job.version)
        try:
            return self._jobs.end(job, Status.FAILED, writes.failure(error), awaits)
        except TransitionRefused:
            present = self._jobs.get(job.owner, job.id)
            if present.making != job.making or present.state is not Status.AWAITING_UPLOAD:
                raise
            return self.refuse_upload(present, error)

    def await_upload(self, job: Job) -> Job:
        """Wait for the upload from now on, be it for longer or again: there is to be another link to it.

        Raises
        ------
        TransitionRefused
            The upload came, or the job ended for another reason, or has changed since it was read.
        QuotaExceeded
            It had ended, and its owner may have no other open job.
        """
        if job.state is Status.AWAITING_UPLOAD:
            awaits = Job.status == Status.AWAITING_UPLOAD.value
            return self._jobs.move(job, Status.AWAITING_UPLOAD, [], awaits)
        actions: list[Action] = [
            Job.error_code.remove(),
            Job.error_message.remove(),
            Job.completed_at.remove(),
        ]
        never_came = (Job.error_code == UploadMissing.code) & Job.is_deleting.does_not_exist()
        return self._jobs.reopen(job, Status.AWAITING_UPLOAD, actions, never_came)
