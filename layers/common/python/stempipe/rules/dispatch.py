"""The rules of whose turn it is: a queued job's message is sent, or it waits in its owner's line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from stempipe.adapters.queue import JobQueue, sqs_client
from stempipe.jobs.line import Line
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import NoRoom, TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.observability import logger
from stempipe.settings import DispatchSettings

# Others who are asked whether it is their turn, where the owner of a job that ended has none in line.
_OTHERS = 3


@dataclass(frozen=True)
class Dispatch:
    """Sends jobs to the workers, each owner's in turn.

    Parameters
    ----------
    jobs, line, queue
        Where jobs are, where they wait, and where messages go.
    """

    jobs: Jobs
    line: Line
    queue: JobQueue

    @classmethod
    def of(cls, settings: DispatchSettings, jobs: Jobs, queue: JobQueue | None = None) -> Self:
        """As the settings say."""
        return cls(
            jobs,
            Line(jobs, settings.workers),
            queue or JobQueue(sqs_client(), settings.jobs_queue_url),
        )

    def send(self, job: Job) -> Job:
        """Send a queued job's message, and note it in the job; or leave the job in line.

        It is safe to repeat. Returns the job as it is then.
        """
        if job.in_line_since is not None:
            try:
                job = self.line.let_in(job)
            except NoRoom as full:
                logger.info("It stays in line", owner=job.owner, job_id=job.id, reason=str(full))
                return job
            except TransitionRefused:
                return self.jobs.get(job.owner, job.id)  # somebody else has let it in, or it is cancelled
        self._send(job)
        return job

    def _send(self, job: Job) -> None:
        message_id = self.queue.send(job.owner, job.id, job.trace_header)
        logger.info("Sent to the workers", owner=job.owner, job_id=job.id, message_id=message_id)
        self.jobs.mark_enqueued(job, message_id)

    def send_next(self, owner: str) -> int:
        """Send as many jobs of an owner's line as there is room for. Returns how many that is."""
        sent = 0
        for job in self.line.of(owner):
            if job.state is not Status.QUEUED or job.in_line_since is None:
                continue  # the index lags
            try:
                job = self.line.let_in(job)
            except NoRoom:
                break
            except TransitionRefused:
                continue
            self._send(job)
            sent += 1
        return sent

    def go_on(self, owner: str) -> None:
        """A job of the owner's may have ended: the next is sent; if there is none, somebody else's.

        It raises nothing: what is not sent now, sweep sends.
        """
        try:
            if self.send_next(owner):
                return
            others = [other for other in self.line.waiting() if other != owner]
            # One of them may have as many there as may be, and the next has not.
            for other in others[:_OTHERS]:
                if self.send_next(other):
                    return
        except Exception:
            logger.exception("What waits in line is left for sweep")
