"""The rules of notify: whoever watches a job, or gave a callback, is told of its changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from stempipe.adapters.connections import WRITERS, Connection, Connections, Send, Unreachable
from stempipe.adapters.queue import AsideQueue, WebhookQueue
from stempipe.jobs.messages import JobUpdate
from stempipe.jobs.record import Job
from stempipe.jobs.views import View
from stempipe.observability import MetricUnit, logger, metrics


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


def read_change(image: Mapping[str, Any]) -> Change:
    """Read the ``dynamodb`` part of a record of the table's stream.

    Raises
    ------
    Exception
        Whatever PynamoDB raises of a record that is no job.
    """
    before = image.get("OldImage")
    return Change(Job.from_raw_data(before) if before else None, Job.from_raw_data(image["NewImage"]))


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
                metrics.add_metric("RecordsPutAside", MetricUnit.Count, 1)
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
        sent = sum(future.result() for future in told)
        metrics.add_metric("MessagesSent", MetricUnit.Count, sent)

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
            logger.exception("Not told", owner=owner)
            return
        for connection in connections:
            if wanted := [message for job_id, message in messages if connection.wants(job_id)]:
                yield connection, wanted

    def _write(self, connection: Connection, messages: Sequence[str]) -> int:
        for sent, message in enumerate(messages):
            try:
                self.send(connection.id, message)
            except Unreachable:
                logger.info("Forgotten", connection=connection.id)
                self.connections.forget(connection.owner, connection.id)
                return sent
            except Exception:
                logger.exception("Not written", connection=connection.id)
                return sent
        return len(messages)
