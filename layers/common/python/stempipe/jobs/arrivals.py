"""Jobs that await uploads: what has come, and what is waited for."""

from __future__ import annotations

from typing import Any

from pynamodb.expressions.update import Action

from stempipe.errors import StempipeError, UploadMissing
from stempipe.jobs import writes
from stempipe.jobs.record import Job, Status
from stempipe.jobs.table import Jobs


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
        return self._jobs.move(job, Status.QUEUED, actions, Job.status == Status.AWAITING_UPLOAD.value)

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
        return self._jobs.move(job, Status.QUEUED, [], Job.status == Status.AWAITING_UPLOAD.value)

    def refuse_upload(self, job: Job, error: StempipeError) -> Job:
        """``awaiting_upload`` to ``failed``.

        Raises
        ------
        TransitionRefused
            The job no longer awaits its upload: this is a repeated event.
        """
        awaits = Job.status == Status.AWAITING_UPLOAD.value
        return self._jobs.move(job, Status.FAILED, writes.failure(error), awaits)

    def await_upload(self, job: Job) -> Job:
        """Wait for the upload from now on, be it for longer or again: there is to be another link to it.

        Raises
        ------
        TransitionRefused
            The upload came, or the job ended for another reason.
        """
        actions: list[Action] = [
            Job.error_code.remove(),
            Job.error_message.remove(),
            Job.completed_at.remove(),
        ]
        never_came = (Job.error_code == UploadMissing.code) & Job.is_deleting.does_not_exist()
        awaits = (Job.status == Status.AWAITING_UPLOAD.value) | never_came
        return self._jobs.move(job, Status.AWAITING_UPLOAD, actions, awaits)
