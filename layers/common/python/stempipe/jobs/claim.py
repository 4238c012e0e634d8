"""A worker's hold on a job: taken, renewed, given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Self

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from stempipe.errors import JobNotFound, StempipeError, WorkerLost
from stempipe.jobs.record import MAX_ATTEMPTS, FileFacts, Job, Notice, Stage, Status, shard_of
from stempipe.jobs.refusals import ClaimLost, JobIsFinal, JobIsHeld, TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.jobs.writes import ending


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """Files that are stored, by name: where they are, and what is known of them."""

    keys: Mapping[str, str]
    facts: Mapping[str, FileFacts]


@dataclass(frozen=True, slots=True)
class Stored:
    """What was made of an upload and is stored: the keys of stems by their names, what a page plays them
    from, what is known of all these files by their names, and what the decoder found.

    What says nothing of stems or of MIDI is None.
    """

    stem_keys: Mapping[str, str]
    player_keys: Mapping[str, str]
    duration_seconds: float
    sample_rate: int | None = None
    channels: int | None = None
    codec: str | None = None
    gain_db: float = 0.0
    residual_db: float | None = None
    notices: Sequence[Notice] = ()
    facts: Mapping[str, FileFacts] = field(default_factory=dict)

    def actions(self) -> list[Action]:
        """What the record says of it."""
        return [
            Job.stem_keys.set(dict(self.stem_keys)),
            *([Job.player_keys.set(dict(self.player_keys))] if self.player_keys else []),
            Job.gain_db.set(round(self.gain_db, 6)),
            *([] if self.residual_db is None else [Job.residual_db.set(round(self.residual_db, 2))]),
            Job.duration_seconds.set(round(self.duration_seconds, 3)),
            *([Job.sample_rate.set(self.sample_rate)] if self.sample_rate else []),
            *([Job.channels.set(self.channels)] if self.channels else []),
            *([Job.codec.set(self.codec)] if self.codec else []),
            *([Job.notices.set([asdict(notice) for notice in self.notices])] if self.notices else []),
        ]


class Claim:
    """A worker's hold on a job. Every write carries the attempt, so only the holder's succeed."""

    def __init__(self, jobs: Jobs, job: Job, lease_seconds: int) -> None:
        self.job = job
        self._jobs = jobs
        self._lease_seconds = lease_seconds
        self._renewed_at = jobs.now().timestamp()
        self._kept: Stored | None = None
        self._held = (Job.status == Status.PROCESSING.value) & (Job.attempt == job.attempt)

    @classmethod
    def take(cls, jobs: Jobs, owner: str, job_id: str, lease_seconds: int) -> Self:
        """Take a job to work on: one that is queued, or whose holder's lease has lapsed.

        Raises
        ------
        JobNotFound
            There is no such job.
        JobIsFinal
            It is completed, failed or cancelled.
        JobIsHeld
            Another worker holds it, or it stands in line: the message is of before, and it gets another.
        WorkerLost
            It lapsed in its last attempt; it is failed now.
        """
        now = jobs.now()
        lapsed = (Job.status == Status.PROCESSING.value) & (Job.due_at < now.timestamp())
        # Messages of cancelled jobs stay in the queue. Made again, such jobs would not wait for their turn.
        waits = (Job.status == Status.QUEUED.value) & Job.in_line_since.does_not_exist()
        try:
            job = jobs.move(
                jobs.model(owner, job_id),
                Status.PROCESSING,
                [
                    Job.attempt.add(1),
                    Job.due_at.set(now.timestamp() + lease_seconds),
                    Job.open_shard.set(shard_of(job_id, Status.PROCESSING)),
                    Job.started_at.set(Job.started_at | now),
                    Job.progress.set(0),
                    Job.stage.set(Stage.DOWNLOADING.value),
                    Job.estimated_seconds_left.remove(),
                    Job.trace_header.remove(),
                ],
                (waits | lapsed) & (Job.attempt < Job.last_attempt),
            )
        except TransitionRefused as refusal:
            job = jobs.get(owner, job_id)
            if job.state.is_final:
                raise JobIsFinal(job) from refusal
            if job.attempt >= job.last_attempt and (job.due_at or 0) < now.timestamp():
                error = WorkerLost(MAX_ATTEMPTS)
                jobs.end(job, *ending(job, error), lapsed & (Job.version == job.version))
                raise error from refusal
            raise JobIsHeld(f"the job is {job.status}") from refusal
        return cls(jobs, job, lease_seconds)

    @property
    def tries_before(self) -> int:
        """How often the song was tried before this attempt, since its owner last asked for it."""
        return int(MAX_ATTEMPTS - (self.job.last_attempt - self.job.attempt) - 1)

    @property
    def is_last_attempt(self) -> bool:
        """Whether the song is not tried again after this attempt."""
        return self.job.attempt >= self.job.last_attempt

    def report(self, stage: Stage, progress: int, seconds_left: float | None) -> None:
        """Write progress (0 to 100), and renew the lease once a quarter of it has gone by.

        Not each time: the lease is the key of an index, which costs two writes more.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        left = Job.estimated_seconds_left
        actions: list[Action] = [
            Job.stage.set(stage.value),
            Job.progress.set(progress),
            left.remove() if seconds_left is None else left.set(round(seconds_left, 1)),
        ]
        now = self._jobs.now().timestamp()
        if renews := now - self._renewed_at >= self._lease_seconds / 4:
            actions.append(Job.due_at.set(now + self._lease_seconds))
        self._write(Status.PROCESSING, actions)
        if renews:
            self._renewed_at = now

    def keep(self, stored: Stored) -> None:
        """Note what is stored, while the work goes on: its owner has it from now on, whatever comes.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        files = [Job.stored_bytes.set(_bytes(stored.facts)), Job.file_facts.set(dict(stored.facts))]
        self._write(Status.PROCESSING, [*stored.actions(), *files])
        self._kept = stored

    def complete(
        self,
        *,
        gb_seconds: float,
        disk_gb_seconds: float = 0.0,
        stored: Stored | None = None,
        found: StoredFiles | None = None,
    ) -> Job:
        """``processing`` to ``completed``, with what was not kept before, and the files of the analysis.

        Returns the job as it is then.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        actions = stored.actions() if stored else []
        actions += [
            Job.progress.set(100),
            Job.gb_seconds.set(round(gb_seconds, 3)),
            Job.disk_gb_seconds.set(round(disk_gb_seconds, 3)),
        ]
        known = stored or self._kept
        seconds = round(known.duration_seconds, 3) if known else self.job.duration_seconds
        in_all = _bytes(known.facts) if known else int(self.job.stored_bytes or 0)
        facts = dict(known.facts if known else self.job.file_facts or {})
        if found is not None:
            actions.append(Job.analysis_keys.set(dict(found.keys)))
            in_all += _bytes(found.facts)
            facts |= found.facts
        actions += [Job.stored_bytes.set(in_all), Job.file_facts.set(facts)]
        return self._end(self.job, Status.COMPLETED, actions, seconds, in_all, self._held)

    def fail(self, error: StempipeError) -> None:
        """``processing`` to ``failed``, or to ``completed`` without analysis if the stems are stored.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        try:
            # By the record itself: that the stems were kept may never have been heard.
            job = self._jobs.get(self.job.owner, self.job.id)
        except JobNotFound as gone:
            raise ClaimLost(str(gone)) from gone
        # As it was read: a note of what is stored may be on its way still, long after it was given up.
        kept = Job.stored_bytes
        is_as_read = kept.does_not_exist() if job.stored_bytes is None else kept == job.stored_bytes
        self._end(
            job,
            *ending(job, error),
            job.duration_seconds,
            int(job.stored_bytes or 0),
            self._held & is_as_read,
        )

    def release(self) -> None:
        """``processing`` back to ``queued``, to be tried again.

        Raises
        ------
        ClaimLost
            The job is no longer this worker's.
        """
        self._write(Status.QUEUED, [Job.progress.set(0)])

    def _end(
        self,
        job: Job,
        to: Status,
        actions: list[Action],
        seconds: float | None,
        stored: int,
        condition: Condition,
    ) -> Job:
        try:
            return self._jobs.end(job, to, actions, condition, seconds=seconds, stored=stored)
        except TransitionRefused as refusal:
            raise ClaimLost(str(refusal)) from refusal

    def _write(self, to: Status, actions: list[Action]) -> None:
        # A record of its own: progress is written by a thread beside the one that works.
        record = type(self.job)(self.job.owner, self.job.id)
        try:
            self._jobs.move(record, to, actions, self._held)
        except TransitionRefused as refusal:
            raise ClaimLost(str(refusal)) from refusal


def _bytes(facts: Mapping[str, FileFacts]) -> int:
    return sum(each.bytes for each in facts.values())
