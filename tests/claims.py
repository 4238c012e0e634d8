"""A worker's hold on a job, for tests to which it is all the same whose turn it is."""

from stempipe.jobs.claim import Claim
from stempipe.jobs.line import Line
from stempipe.jobs.record import Status
from stempipe.jobs.table import Jobs


def let_in(jobs: Jobs, owner: str, job_id: str) -> None:
    """Have a job's turn come, if it stands in line."""
    job = jobs.get(owner, job_id)
    if job.state is Status.QUEUED and job.in_line_since is not None:
        Line(jobs, 1000).let_in(job)


def take(jobs: Jobs, owner: str, job_id: str, lease_seconds: int) -> Claim:
    """``Claim.take``, of a job whose turn has come."""
    let_in(jobs, owner, job_id)
    return Claim.take(jobs, owner, job_id, lease_seconds)
