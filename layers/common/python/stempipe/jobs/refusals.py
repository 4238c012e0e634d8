"""What a job's record refuses: each is an expected answer, and no fault."""

from __future__ import annotations

from stempipe.jobs.record import Job


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
    """The job is not to be taken now: another worker holds it, its turn or its upload has not come."""


class NoRoom(Exception):
    """The owner's account has no room for it, or not any more."""


class ClaimLost(Exception):
    """The worker no longer holds the job: it was cancelled, or another worker claimed it."""
