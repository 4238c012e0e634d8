"""The rules of sweep: what a crash, a lost event or a lost message left behind is put right.

Everything here is safe to repeat and to run twice at once: each change of a job is one conditional write,
and a message or an event too many does no harm.
"""

from __future__ import annotations

import json
import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TypeVar
from urllib.parse import unquote

from pydantic import ValidationError

from stempipe.adapters.queue import DeadLetter, DeadLetters, JobMessage
from stempipe.adapters.storage import ListedObject, Storage
from stempipe.errors import JobNotFound, StorageRefuses
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import Upload
from stempipe.observability import Metric, about, about_nothing, logger
from stempipe.rules.intake import Intake

# No worker lives longer than Lambda's 15 minutes: what is older is nobody's work in progress.
_WORK_IN_PROGRESS = timedelta(hours=1)
# Uploads without a job are looked for among the newest, so that the cost does not grow with the bucket.
_RECENT = timedelta(hours=3)
# In which an operator, whom an alarm tells, has mended what keeps storage from showing uploads. What is
# refused for longer is refused for its own sake.
_REFUSED_FOR_GOOD = timedelta(days=1)
# With less time left than this nothing more is begun.
_ENOUGH_SECONDS = 20
_NOTHING = "nothing"
_T = TypeVar("_T")
# Each does one thing, and says what.
_Steps = Iterator[Callable[[], str]]
# Dead letters that are looked at in one go, so that the run ends.
_DEAD_LETTERS = 200


def _for_ever() -> float:
    return math.inf


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

    def sweep_jobs(self, seconds_left: Callable[[], float] = _for_ever) -> dict[str, int]:
        """Put overdue jobs and dead letters right. Returns what was done how often.

        Jobs that somebody waits for come first, and uploads that may never come last. What there is no time
        for is the next sweep's.
        """
        work: list[_Steps] = [
            (partial(self._put_right, job) for job in self._overdue.under_way()),
            self._lines(),
            (partial(self._take_in_again, letter) for letter in self.dead_uploads.receive(_DEAD_LETTERS)),
            (partial(self._look_at, letter) for letter in self.dead_jobs.receive(_DEAD_LETTERS)),
            (partial(self._find_upload, job) for job in self._overdue.awaiting_upload()),
        ]
        return _work_through(work, seconds_left)

    def _put_right(self, job: Job) -> str:
        about(job.owner, job.id)
        if job.state is Status.QUEUED:
            self.intake.dispatch.send(job)
            logger.warning("Sent the job's message again")
            return "messages_sent_again"
        job = self._overdue.requeue(job)
        if job.state.is_final:
            logger.warning("The job ends", code=job.error_code or job.analysis_error_code)
            return "workers_lost"
        self.intake.dispatch.send(job)
        logger.warning("The worker was lost; the job is queued again", attempt=job.attempts)
        return "jobs_queued_again"

    def _lines(self) -> _Steps:
        # Looked for when it is their turn: what goes wrong with that is then no fault of the jobs before.
        for owner in self.intake.dispatch.line.owners():
            yield partial(self._send_next, owner)

    def _send_next(self, owner: str) -> str:
        """Whoever ended a job of the owner's may have died before the next was sent."""
        if not (sent := self.intake.dispatch.send_next(owner)):
            return _NOTHING
        logger.info("Sent what stood in line", owner=owner, jobs=sent)
        return "lines_moved_on"

    def _find_upload(self, job: Job) -> str:
        about(job.owner, job.id)
        try:
            for part in job.uploads:
                self.intake.take(Upload(self.storage.provider, job.bucket, part.key))
        except StorageRefuses:
            if (job.due_at or 0) > (self.now() - _REFUSED_FOR_GOOD).timestamp():
                raise
        if self.jobs.get(job.owner, job.id).version != job.version:
            logger.warning("Found an upload whose event never came")
            return "uploads_found"
        self._overdue.give_up_upload(job)
        logger.info("The upload never came")
        return "uploads_missing"

    def _take_in_again(self, letter: DeadLetter) -> str:
        """An event that intake could not take. It stays until it can, or clearly nobody can."""
        try:
            self.intake.take_in(_event(letter.body))
        except ExceptionGroup as group:
            if letter.sent_at > self.now() - _REFUSED_FOR_GOOD or group.split(StorageRefuses)[1]:
                return "events_still_dead"
            logger.error("Given up: storage shows nobody what was uploaded", body=letter.body)
            self.dead_uploads.delete(letter)
            return "events_given_up"
        except (ValueError, KeyError, TypeError):
            logger.exception("Not an event of intake", body=letter.body)
            return "events_unreadable"
        self.dead_uploads.delete(letter)
        return "events_taken_in"

    def _look_at(self, letter: DeadLetter) -> str:
        """A message that no worker could take. It is kept for redrive, unless there is nothing left to do."""
        try:
            message = JobMessage.model_validate_json(letter.body)
            about(message.owner, message.id)
            job = self.jobs.get(message.owner, message.id)
        except ValidationError:
            logger.warning("Not a job's message", body=letter.body)
            return "messages_unreadable"
        except JobNotFound:
            self.dead_jobs.delete(letter)
            return "messages_of_no_job"
        if job.may_be_tried_again:
            return "messages_kept"
        if job.state is Status.QUEUED and job.message_id == letter.id:
            try:
                self._overdue.give_up_message(job, letter.id)
            except TransitionRefused:
                return "messages_kept"
            logger.error("No worker could take the job")
            return "jobs_undeliverable"
        # The job has another message by now, or has gone on without one.
        self.dead_jobs.delete(letter)
        return "messages_of_no_use"

    # -- every hour --------------------------------------------------------------------------

    def sweep_objects(self, seconds_left: Callable[[], float] = _for_ever) -> dict[str, int]:
        """Abort multipart uploads that nobody finishes, take in direct uploads whose event was lost, delete
        stems that no job points to. Returns what was done how often.

        A job's stems are neighbours in a listing, and its record is read once for all of them.
        """
        uploads: _Steps = (
            partial(self._take_in, item) for item in self._objects(self.uploads_bucket, "inbox/")
        )
        stems: _Steps = (
            partial(self._delete_unwanted, owner, job_id, list(items))
            for (owner, job_id), items in groupby(self._objects(self.stems_bucket), key=_job_of)
        )
        return _work_through([iter([self._abort_uploads]), *_in_any_order([uploads, stems])], seconds_left)

    def _objects(self, bucket: str, prefix: str = "") -> Iterator[ListedObject]:
        for owner in _in_any_order([*self.storage.folders(bucket, prefix)]):
            yield from self.storage.list(bucket, owner)

    def _abort_uploads(self) -> str:
        count = self.storage.abort_uploads(self.stems_bucket, self.now() - _WORK_IN_PROGRESS)
        return "uploads_aborted" if count else _NOTHING

    def _take_in(self, item: ListedObject) -> str:
        if not self.now() - _RECENT < item.modified < self.now() - timedelta(minutes=5):
            return _NOTHING
        job = self.intake.take(Upload(self.storage.provider, self.uploads_bucket, item.key))
        return "uploads_looked_at" if job else _NOTHING

    def _delete_unwanted(self, owner: str, job_id: str, stems: Sequence[ListedObject]) -> str:
        old = [stem for stem in stems if stem.modified < self.now() - _WORK_IN_PROGRESS]
        if not old:
            return _NOTHING
        try:
            wanted = self.jobs.get(unquote(owner), job_id).keys_in_use
        except JobNotFound:
            wanted = set()
        unwanted = [stem.key for stem in old if stem.key not in wanted]
        for key in unwanted:
            self.storage.delete(self.stems_bucket, key)
        return "jobs_whose_stems_were_deleted" if unwanted else _NOTHING

    # -- on request --------------------------------------------------------------------------

    def redrive(self) -> dict[str, int]:
        """Give the jobs of dead letters their attempts anew. Returns what was done how often."""
        done: Counter[str] = Counter()
        for letter in self.dead_jobs.receive(_DEAD_LETTERS):
            done[self._send_round_again(letter)] += 1
            about_nothing()
        return _counted(done)

    def _send_round_again(self, letter: DeadLetter) -> str:
        try:
            message = JobMessage.model_validate_json(letter.body)
            about(message.owner, message.id)
            job = self.jobs.get(message.owner, message.id)
            outcome = "messages_of_no_use"
            if job.may_be_tried_again:
                # The operator's wish, whatever the owner has open.
                self.intake.dispatch.send(self.jobs.retry(job, within_limits=False))
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


def _in_any_order(things: Sequence[_T]) -> list[_T]:
    """So that what there is no time for is not always the same."""
    return secrets.SystemRandom().sample(things, len(things))


def _job_of(stem: ListedObject) -> tuple[str, str]:
    owner, _, rest = stem.key.partition("/")
    return owner, rest.partition("/")[0]


def _work_through(work: Sequence[_Steps], seconds_left: Callable[[], float]) -> dict[str, int]:
    """Take step after step, of one kind after the other. One's fault is not the others', nor is a kind's."""
    done: Counter[str] = Counter()
    for steps in work:
        while seconds_left() > _ENOUGH_SECONDS:
            try:
                step = next(steps)
                done[step()] += 1
            except StopIteration:
                break
            except TransitionRefused as refusal:
                logger.info("Somebody was faster", reason=str(refusal))
            except Exception:
                logger.exception("Not put right; the next sweep tries again")
                done["faults"] += 1
            finally:
                about_nothing()
        else:
            logger.warning("No time left; the next sweep goes on")
            done["runs_cut_short"] += 1
            break
    return _counted(done)


def _counted(done: Counter[str]) -> dict[str, int]:
    counts = {name: count for name, count in done.items() if count and name != _NOTHING}
    if counts:
        logger.info("Swept", counts=counts)
    if faults := counts.get("faults"):
        Metric.SWEEP_FAULTS.add(faults)
    return counts
