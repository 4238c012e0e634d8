"""The rules of notify: whoever watches a job, or gave a callback, is told of its changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from stempipe.adapters.connections import WRITERS, Connection, Connections, Send, Unreachable
from stempipe.adapters.queue import AsideQueue, WebhookQueue
from stempipe.errors import OUR_FAULT
from stempipe.jobs.messages import JobUpdate
from stempipe.jobs.record import Job, Status
from stempipe.jobs.views import View
from stempipe.observability import Metric, logger


@dataclass(frozen=True, slots=True)
class Change:
    """A job before and after; before it was made there was none."""

    before: Job | None
    after: Job

    @property
    def is_visible(self) -> bool:
        """Whether its owner can see it; noting that its message was sent, for one, shows nothing."""
        return self.before is None or self.before.version != self.after.version

    @property
    def is_end(self) -> bool:
        """Whether the job is final now and was not before."""
        return self.after.state.is_final and (self.before is None or not self.before.state.is_final)

    @property
    def is_begin(self) -> bool:
        """Whether a worker has taken it on, for the first time since its owner last asked for it."""
        return (
            self.before is not None
            and self.before.state is Status.QUEUED
            and self.after.state is Status.PROCESSING
            and not self.before.was_begun
        )


def read_change(image: Mapping[str, Any]) -> Change:
    """Read the ``dynamodb`` part of a record of the table's stream.

    Raises
    ------
    Exception
        Whatever PynamoDB raises of a record that is no job.
    """
    before = image.get("OldImage")
    return Change(Job.from_raw_data(before) if before else None, Job.from_raw_data(image["NewImage"]))


def count(change: Change) -> None:
    """Count what a change says of how well jobs fare. Here, because whoever makes it, notify sees it."""
    job = change.after
    if change.is_begin and job.queued_at:
        Metric.QUEUE_WAIT.add(job.updated_at.timestamp() - job.queued_at)
    if not change.is_end or job.state is Status.CANCELLED:
        return
    code = job.error_code or job.analysis_error_code
    logger.info("Ended", owner=job.owner, job_id=job.id, status=job.status, code=code)
    Metric.JOBS_FAILED.add(int(code in OUR_FAULT))
    Metric.SONGS_FAILED.add(int(code is not None and code not in OUR_FAULT))
    if job.state is Status.COMPLETED:
        Metric.SONG_SECONDS.add(float(job.duration_seconds or 0))
    if code is None and job.completed_at and job.queued_at:
        Metric.UPLOAD_TO_COMPLETED.add(job.completed_at.timestamp() - job.queued_at)


@dataclass(frozen=True)
class Notifier:
    """Tells of changes: an owner's connections, and the callback when a job has ended.

    Parameters
    ----------
    connections
        Where subscriptions are.
    send
        Writes to a connection.
    view
        The job's JSON.
    webhooks
        Where the ends of jobs go.
    aside
        Where records go that cannot be read.
    """

    connections: Connections
    send: Send
    view: View
    webhooks: WebhookQueue
    aside: AsideQueue

    def tell_records(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Tell of records of the table's stream.

        What cannot be read is put aside: it would hold up those behind it, and be no more readable later.

        Raises
        ------
        Exception
            A queue or the table of connections is out of reach: all of the records should come again.
        """
        changes = []
        for record in records:
            try:
                changes.append(read_change(record["dynamodb"]))
            except Exception:
                logger.exception("Not a change of a job")
                self.aside.put(record)
        self.tell(changes)

    def tell(self, changes: Sequence[Change]) -> None:
        """Tell of changes, of each job in their order."""
        for change in changes:
            if change.is_end and change.after.callback_url:
                self.webhooks.send(change.after.owner, change.after.id, int(change.after.version))
        visible = [change.after for change in changes if change.is_visible]
        by_owner = groupby(sorted(visible, key=lambda job: job.owner), key=lambda job: job.owner)
        with ThreadPoolExecutor(WRITERS, "writer") as writers:
            told = [
                writers.submit(self._write, connection, messages)
                for owner, jobs in by_owner
                for connection, messages in self._messages(owner, list(jobs))
            ]
        for writing in told:
            writing.result()
        # Last: a batch that fails before comes again.
        for change in changes:
            count(change)

    def _messages(self, owner: str, jobs: Sequence[Job]) -> Iterable[tuple[Connection, list[str]]]:
        connections = self.connections.of(owner)
        if not connections:
            return
        try:
            messages = [
                (job.id, JobUpdate(job=self.view(job)).model_dump_json(by_alias=True)) for job in jobs
            ]
        except Exception:
            # One owner's jobs that cannot be shown are not the others' fault.
            logger.exception("Not told", owner=owner, jobs=[job.id for job in jobs])
            return
        for connection in connections:
            if wanted := [message for job_id, message in messages if connection.wants(job_id)]:
                yield connection, wanted

    def _write(self, connection: Connection, messages: Sequence[str]) -> None:
        for message in messages:
            try:
                self.send(connection.id, message)
            except Unreachable:
                logger.info("Forgotten", owner=connection.owner, connection=connection.id)
                self.connections.forget(connection.owner, connection.id)
                return
            except Exception:
                logger.exception("Not written", owner=connection.owner, connection=connection.id)
                return
