"""The rules of sweep: what a crash, a lost event or a lost message left behind is put right.

Everything here is safe to repeat and to run twice at once: each change of a job is one conditional write,
and a message or an event too many does no harm.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from pydantic import ValidationError

from stempipe.adapters.queue import DeadLetter, DeadLetters, JobMessage
from stempipe.adapters.storage import ListedObject, Storage
from stempipe.errors import JobNotFound
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import Upload
from stempipe.observability import MetricUnit, logger, metrics
from stempipe.rules.intake import Intake

# No worker lives longer than Lambda's 15 minutes: what is older is nobody's work in progress.
_WORK_IN_PROGRESS = timedelta(hours=1)
# Uploads without a job are looked for among the newest, so that the cost does not grow with the bucket.
_RECENT = timedelta(hours=3)
# Dead letters that are looked at in one go, so that the run ends.
_DEAD_LETTERS = 200


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Sweep:
    """Puts right what was left behind.

    Parameters
    ----------
    jobs, storage
        Where jobs and objects are.
    intake
        Takes in what was uploaded and forgotten, and sends messages.
    dead_jobs, dead_uploads
        Messages that no worker, and events that intake could not take.
    uploads_bucket, stems_bucket
        Where uploads and stems are.
    now
        The clock.
    """

    jobs: Jobs
    storage: Storage
    intake: Intake
    dead_jobs: DeadLetters
    dead_uploads: DeadLetters
    uploads_bucket: str
    stems_bucket: str
    now: Callable[[], datetime] = _utc_now

    @property
    def _overdue(self) -> Overdue:
        return Overdue(self.jobs)

    # -- every minute ------------------------------------------------------------------------

    def sweep_jobs(self) -> dict[str, int]:
        """Put overdue jobs and dead letters right. Returns what was done how often."""
        done: Counter[str] = Counter()
        for job in self._overdue.find():
            logger.append_keys(owner=job.owner, job_id=job.id)
            # One job's fault is not the others'.
            try:
                done[self._put_right(job)] += 1
            except TransitionRefused as refusal:
                logger.info("Somebody was faster", reason=str(refusal))
            except Exception:
                logger.exception("Not put right; the next sweep tries again")
                done["faults"] += 1
        logger.remove_keys(["owner", "job_id"])
        for letter in self.dead_uploads.receive(_DEAD_LETTERS):
            done[self._take_in_again(letter)] += 1
        for letter in self.dead_jobs.receive(_DEAD_LETTERS):
            done[self._look_at(letter)] += 1
        return _counted(done)

    def _put_right(self, job: Job) -> str:
        match job.state:
            case Status.AWAITING_UPLOAD:
                return self._find_upload(job)
            case Status.QUEUED:
                self.intake.enqueue(job)
                logger.warning("Sent the job's message again")
                return "messages_sent_again"
            case _:
                job = self._overdue.requeue(job)
                if job.state is Status.FAILED:
                    logger.warning("The job fails", code=job.error_code)
                    return "workers_lost"
                self.intake.enqueue(job)
                logger.warning("The worker was lost; the job is queued again", attempt=int(job.attempt))
                return "jobs_queued_again"

    def _find_upload(self, job: Job) -> str:
        if self.intake.take(Upload(self.storage.provider, job.bucket, job.key)):
            logger.warning("Found an upload whose event never came")
            return "uploads_found"
        self._overdue.give_up_upload(job)
        logger.info("The upload never came")
        return "uploads_missing"

    def _take_in_again(self, letter: DeadLetter) -> str:
        """An event that intake could not take. It stays among the dead letters until it can."""
        try:
            self.intake.take_in(_event(letter.body))
        except ExceptionGroup:
            return "events_still_dead"
        except (ValueError, KeyError, TypeError):
            logger.exception("Not an event of intake", body=letter.body)
            return "events_unreadable"
        self.dead_uploads.delete(letter)
        return "events_taken_in"

    def _look_at(self, letter: DeadLetter) -> str:
        """A message that no worker could take. It is kept for redrive, unless there is nothing left to do."""
        try:
            message = JobMessage.model_validate_json(letter.body)
            job = self.jobs.get(message.owner, message.id)
        except ValidationError:
            logger.warning("Not a job's message", body=letter.body)
            return "messages_unreadable"
        except JobNotFound:
            self.dead_jobs.delete(letter)
            return "messages_of_no_job"
        if job.state is Status.FAILED:
            return "messages_kept"
        if job.state is Status.QUEUED and job.message_id == letter.id:
            try:
                self._overdue.give_up_message(job, letter.id)
            except TransitionRefused:
                return "messages_kept"
            logger.error("No worker could take the job", owner=job.owner, job_id=job.id)
            return "jobs_undeliverable"
        # The job has another message by now, or has gone on without one.
        self.dead_jobs.delete(letter)
        return "messages_of_no_use"

    # -- every hour --------------------------------------------------------------------------

    def sweep_objects(self) -> dict[str, int]:
        """Take in direct uploads whose event was lost; delete stems that no job points to, and multipart
        uploads that nobody finishes. Returns what was done how often."""
        done: Counter[str] = Counter()
        now = self.now()
        for item in self.storage.list(self.uploads_bucket, "inbox/"):
            if now - _RECENT < item.modified < now - timedelta(minutes=5):
                job = self.intake.take(Upload(self.storage.provider, self.uploads_bucket, item.key))
                done["uploads_looked_at"] += job is not None
        for item in self.storage.list(self.stems_bucket):
            if item.modified < now - _WORK_IN_PROGRESS and not self._is_wanted(item):
                self.storage.delete(self.stems_bucket, item.key)
                done["stems_deleted"] += 1
        done["uploads_aborted"] = self.storage.abort_uploads(self.stems_bucket, now - _WORK_IN_PROGRESS)
        return _counted(done)

    def _is_wanted(self, item: ListedObject) -> bool:
        owner, _, rest = item.key.partition("/")
        job_id, _, _ = rest.partition("/")
        try:
            job = self.jobs.get(unquote(owner), job_id)
        except JobNotFound:
            return False
        return item.key in (job.stem_keys or {}).values()

    # -- on request --------------------------------------------------------------------------

    def redrive(self) -> dict[str, int]:
        """Give the failed jobs of the dead letters their attempts anew. Returns what was done how often."""
        done: Counter[str] = Counter()
        for letter in self.dead_jobs.receive(_DEAD_LETTERS):
            done[self._send_round_again(letter)] += 1
        return _counted(done)

    def _send_round_again(self, letter: DeadLetter) -> str:
        try:
            message = JobMessage.model_validate_json(letter.body)
            job = self.jobs.get(message.owner, message.id)
            outcome = "messages_of_no_use"
            if job.state is Status.FAILED:
                self.intake.enqueue(self.jobs.retry(job))
                outcome = "jobs_queued_again"
        except ValidationError:
            return "messages_unreadable"
        except JobNotFound:
            outcome = "messages_of_no_job"
        except TransitionRefused:
            outcome = "messages_of_no_use"
        self.dead_jobs.delete(letter)
        return outcome


def _event(body: str) -> dict[str, object]:
    # Lambda's record of a failed invocation, or the event itself.
    record = json.loads(body)
    event = record.get("requestPayload", record)
    if not isinstance(event, dict):
        raise TypeError("an event is an object")
    return event


def _counted(done: Counter[str]) -> dict[str, int]:
    counts = {name: count for name, count in done.items() if count}
    for name, count in counts.items():
        metrics.add_metric(f"Sweep_{name}", MetricUnit.Count, count)
    return counts
