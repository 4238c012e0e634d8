"""What the WebSocket API's clients send and receive."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from stempipe.errors import InvalidRequest, explain
from stempipe.jobs.camel_case import CamelCase
from stempipe.jobs.record import Status
from stempipe.jobs.views import ErrorView, JobView

# ---- what a client sends ---------------------------------------------------------------------------


class _Request(CamelCase):
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


def read_request(body: str) -> Request:
    """Read what a client sent.

    Raises
    ------
    InvalidRequest
        It is none of these; the message names the field.
    """
    try:
        return _REQUEST.validate_json(body)
    except ValidationError as error:
        raise InvalidRequest(explain(error, "message")) from error


# ---- what a client receives ------------------------------------------------------------------------


class Message(CamelCase):
    """Whatever is sent to a client."""


class JobUpdate(Message):
    """A job, as it is after a change."""

    type: Literal["job"] = "job"
    job: JobView


def is_soon_outdated(message: str) -> bool:
    """Whether a message, as JSON, tells of a job that a worker is at: a later one tells of it anew."""
    content = json.loads(message)
    return bool(content["type"] == "job" and content["job"]["status"] == Status.PROCESSING)


class Acknowledgement(Message):
    """What was asked for is done; a null ``jobId`` means all jobs."""

    type: Literal["subscribed", "unsubscribed"]
    job_id: str | None


class Pong(Message):
    """The answer to a ping."""

    type: Literal["pong"] = "pong"


class ErrorMessage(Message):
    """What was asked for cannot be had."""

    type: Literal["error"] = "error"
    error: ErrorView
