"""The rules of live progress: what a connection may ask, and what is told of a change.

Nothing is lost between asking and being told: a connection is subscribed first, and then sent the job as it
is, read after that. A change in between is told twice, and perhaps before the older state: the job's
``version`` says which of two states is the newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from stempipe.api import ErrorView, JobView
from stempipe.config import explain
from stempipe.connections import WRITERS, Connection, Connections, Unreachable
from stempipe.errors import InternalError, InvalidRequest, StempipeError
from stempipe.job import Job
from stempipe.jobs import Jobs
from stempipe.observability import MetricUnit, logger, metrics
from stempipe.queue import WebhookQueue

NEWEST = 25
"""Jobs that whoever subscribes to all of them is shown at once."""


class _Message(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


# ---- what a client sends ---------------------------------------------------------------------------


class _Request(_Message):
    model_config = ConfigDict(extra="forbid")


class Subscribe(_Request):
    """Tell me of one job, or of all."""

    action: Literal["subscribe"]
    job_id: str | None = Field(None, min_length=1, max_length=64)


class Unsubscribe(_Request):
    """No longer."""

    action: Literal["unsubscribe"]
    job_id: str | None = Field(None, min_length=1, max_length=64)


class Ping(_Request):
    """Are you there? An idle connection is closed after ten minutes."""

    action: Literal["ping"]


Request = Annotated[Subscribe | Unsubscribe | Ping, Field(discriminator="action")]
_REQUEST: TypeAdapter[Request] = TypeAdapter(Request)


# ---- what a client receives ------------------------------------------------------------------------


class JobMessage(_Message):
    """A job, as it is after a change."""

    type: Literal["job"] = "job"
    job: JobView


class Acknowledgement(_Message):
    """What was asked for is done; a null ``jobId`` means all jobs."""

    type: Literal["subscribed", "unsubscribed"]
    job_id: str | None


class Pong(_Message):
    """The answer to a ping."""

    type: Literal["pong"] = "pong"


class ErrorMessage(_Message):
    """What was asked for cannot be had."""

    type: Literal["error"] = "error"
    error: ErrorView


# ---- the rules -------------------------------------------------------------------------------------

View = Callable[[Job], JobView]


class Send(Protocol):
    """Writes one message to a connection; raises ``Unreachable`` when it did not go out."""

    def __call__(self, connection_id: str, message: str) -> None: ...


@dataclass(frozen=True)
class Live:
    """Answers what connections ask.

    Parameters
    ----------
    jobs, connections
        Where jobs and subscriptions are.
    send
        Writes to a connection.
    view
        The job's JSON.
    """

    jobs: Jobs
    connections: Connections
    send: Send
    view: View

    def answer(self, owner: str, connection_id: str, body: str) -> None:
        """Do what a message asks for, and say so."""
        try:
            for message in self._answers(owner, connection_id, body):
                self.send(connection_id, message.model_dump_json(by_alias=True))
        except Unreachable:
            self.connections.forget(owner, connection_id)

    def _answers(self, owner: str, connection_id: str, body: str) -> Iterable[_Message]:
        try:
            match _read(body):
                case Subscribe(job_id=job_id):
                    # A generator here would put off the work until the error can no longer be caught.
                    return self._subscribe(owner, connection_id, job_id)
                case Unsubscribe(job_id=job_id):
                    self.connections.unsubscribe(owner, connection_id, job_id)
                    return [Acknowledgement(type="unsubscribed", job_id=job_id)]
                case _:
                    return [Pong()]
        except StempipeError as error:
            return [ErrorMessage(error=ErrorView(code=error.code, message=error.message))]
        except Exception:
            logger.exception("Unforeseen")
            fault = InternalError()
            return [ErrorMessage(error=ErrorView(code=fault.code, message=fault.message))]

    def _subscribe(self, owner: str, connection_id: str, job_id: str | None) -> list[_Message]:
        if job_id is not None:
            self.jobs.get(owner, job_id)  # or there is no such job of this owner
        self.connections.subscribe(owner, connection_id, job_id)
        # Read after subscribing: what changes from here on is told by notify.
        found = [self.jobs.get(owner, job_id)] if job_id else self.jobs.present(owner, NEWEST)
        acknowledgement = Acknowledgement(type="subscribed", job_id=job_id)
        return [acknowledgement, *(JobMessage(job=self.view(job)) for job in found)]

    def disconnected(self, owner: str, connection_id: str) -> None:
        """The connection was closed."""
        self.connections.forget(owner, connection_id)


def _read(body: str) -> Request:
    try:
        return _REQUEST.validate_json(body)
    except ValidationError as error:
        raise InvalidRequest(explain(error, "message")) from error


@dataclass(frozen=True, slots=True)
class Change:
    """A job before and after; before it was made there was none."""

    before: Job | None
    after: Job

    @property
    def is_visible(self) -> bool:
        """Whether its owner can see it; renewing a lease, for one, shows nothing."""
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
    """

    connections: Connections
    send: Send
    view: View
    webhooks: WebhookQueue

    def tell_records(self, records: Sequence[Mapping[str, Any]]) -> str | None:
        """Tell of records of the table's stream.

        Returns
        -------
        str or None
            Number of the first record that could not be told, or None. It and those after it must come again,
            in their order; those before it are done with.
        """
        changes = []
        failed = None
        for record in records:
            try:
                changes.append(read_change(record["dynamodb"]))
            except Exception:
                logger.exception("Not a change of a job")
                failed = str(record["dynamodb"]["SequenceNumber"])
                break
        try:
            self.tell(changes)
        except Exception:
            logger.exception("Not told")
            failed = str(records[0]["dynamodb"]["SequenceNumber"])
        return failed

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
        messages = [(job.id, JobMessage(job=self.view(job)).model_dump_json(by_alias=True)) for job in jobs]
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
        return len(messages)
