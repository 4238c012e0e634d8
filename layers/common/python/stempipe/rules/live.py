"""The rules of live progress: what a connection may ask. What it is told of changes is notify's.

Nothing is lost between asking and being told: a connection is subscribed first, and then sent the job as it
is, read after that. A change in between is told twice, and perhaps before the older state: the job's
``version`` says which of two states is the newer one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stempipe.adapters.connections import Connections, Send, Unreachable
from stempipe.errors import InternalError, StempipeError
from stempipe.jobs.messages import (
    Acknowledgement,
    ErrorMessage,
    JobUpdate,
    Message,
    Pong,
    Subscribe,
    Unsubscribe,
    read_request,
)
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import ErrorView, View
from stempipe.observability import logger

NEWEST = 25
"""Jobs that whoever subscribes to all of them is shown at once."""


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

    def _answers(self, owner: str, connection_id: str, body: str) -> Iterable[Message]:
        try:
            match read_request(body):
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

    def _subscribe(self, owner: str, connection_id: str, job_id: str | None) -> list[Message]:
        if job_id is not None:
            self.jobs.get(owner, job_id)  # or there is no such job of this owner
        self.connections.subscribe(owner, connection_id, job_id)
        # Read after subscribing: what changes from here on is told by notify.
        found = [self.jobs.get(owner, job_id)] if job_id else self.jobs.listing.newest(owner, NEWEST).jobs
        acknowledgement = Acknowledgement(type="subscribed", job_id=job_id)
        return [acknowledgement, *(JobUpdate(job=self.view(job)) for job in reversed(found))]

    def disconnected(self, owner: str, connection_id: str) -> None:
        """The connection was closed."""
        self.connections.forget(owner, connection_id)
