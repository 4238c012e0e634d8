"""What can go wrong, as types.

Each error has a ``code`` that clients see and rely on, a message for a person that says what to
do, and ``retryable``: whether the same work may succeed when tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import ValidationError

LONGEST_MESSAGE = 1000
"""Characters of a message that quotes what was sent."""


class StempipeError(Exception):
    """Base of every error that a client may see."""

    code: str = "internal_error"
    retryable: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """The text for a person."""
        return str(self)


class InvalidRequest(StempipeError):
    """The request cannot be understood."""

    code = "invalid_request"


class InvalidConfig(StempipeError):
    """A job's configuration asks for something that does not exist or does not go together."""

    code = "invalid_config"


class Unauthorized(StempipeError):
    """The request says nothing of who sends it."""

    code = "unauthorized"


class JobNotFound(StempipeError):
    """No such job, or not this owner's: a client cannot tell the two apart."""

    code = "job_not_found"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id}.")


class AlreadyReceived(StempipeError):
    """A message that was received before came again."""

    code = "already_received"

    def __init__(self) -> None:
        super().__init__("webhook-id: this message was received before.")


class BodyTooLarge(StempipeError):
    """A request's body is over the limit."""

    code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"body: more than {limit:,} bytes.")


class TooManyConnections(StempipeError):
    """An owner's WebSocket connections are as many as may be subscribed to something."""

    code = "too_many_connections"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} connections that are subscribed to jobs. Close some of them.")


class QuotaExceeded(StempipeError):
    """An owner has taken all that may be taken.

    Parameters
    ----------
    message
        Of what, and what to do.
    retry_after
        Seconds after which it may be had.
    """

    code = "quota_exceeded"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidState(StempipeError):
    """The job is not in a state in which this can be done."""

    code = "invalid_state"


class IdempotencyConflict(StempipeError):
    """The idempotency key was used for another request."""

    code = "idempotency_conflict"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came with another request before. Take a new key for a new request."
        )


class EmptyFile(StempipeError):
    """An upload of zero bytes."""

    code = "empty_file"

    def __init__(self, name: str | None = None) -> None:
        super().__init__(f"{name or 'The file'} is empty. Upload one in which there is something.")


class TooLarge(StempipeError):
    """An upload over the limit."""

    code = "too_large"

    def __init__(
        self,
        size: int,
        limit: int,
        advice: str = "Upload a shorter song, or a compressed format such as FLAC or MP3.",
    ) -> None:
        super().__init__(f"The file has {size:,} bytes; the limit is {limit:,}. {advice}")


class UploadGone(StempipeError):
    """The uploaded object is no longer there, or is another one by now."""

    code = "upload_gone"

    def __init__(self, stem: str | None = None) -> None:
        what = f"The upload of {stem}" if stem else "The upload"
        super().__init__(f"{what} was deleted or replaced. Upload it again.")


class UploadMissing(StempipeError):
    """A job whose song never came, or some of whose stems did not."""

    code = "upload_missing"

    def __init__(self, stems: Sequence[str] = ()) -> None:
        what = f"{', '.join(stems)} had not come when" if stems else "Nothing was uploaded before"
        super().__init__(f"{what} the link to do so expired. Make another job.")


class UnusableMedia(StempipeError):
    """The song cannot be separated, and trying again will not change that.

    Parameters
    ----------
    code
        Which way it is unusable: ``too_long``, ``no_audio``, ``unsupported_media``, ...
    message
        For a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StorageUnavailable(StempipeError):
    """The object storage failed or refused."""

    code = "storage_unavailable"
    retryable = True


class StorageRefuses(StorageUnavailable):
    """The object storage lets nobody look at an object: for its own sake, or for the deployment's."""


class InternalError(StempipeError):
    """A fault that nobody foresaw. Its cause is in the log, not in the message."""

    code = "internal_error"
    retryable = True

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. Trying again may help.")


class WorkerLost(StempipeError):
    """Every worker that took the job stopped without a word."""

    code = "worker_lost"

    def __init__(self, attempts: int) -> None:
        super().__init__(
            f"The song was tried {attempts} times and the worker stopped each time without a word."
        )


class OutOfTime(StempipeError):
    """The worker had to stop before the song was done: its time was over, or whoever runs it stopped it."""

    code = "out_of_time"
    retryable = True

    def __init__(self) -> None:
        super().__init__("The worker had to stop before the song was done. Trying again may help.")


class Undeliverable(StempipeError):
    """No worker ever took the job's message."""

    code = "undeliverable"

    def __init__(self) -> None:
        super().__init__(
            "No worker could take the song on. The operator of this service has to look into it."
        )


class ModelUnavailable(StempipeError):
    """The deployment lacks a model that it says it has, or has a damaged one: its songs wait for a better.

    Parameters
    ----------
    code
        ``model_missing`` or ``model_damaged``.
    """

    retryable = True

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_OURS = (StorageUnavailable, InternalError, WorkerLost, OutOfTime, Undeliverable)
OUR_FAULT = frozenset(error.code for error in _OURS) | {"model_missing", "model_damaged"}
"""Codes of jobs that failed for what whoever runs this has to mend."""
NOT_THE_SONGS_FAULT = OUR_FAULT | {QuotaExceeded.code, UploadGone.code}
"""Codes of jobs whose song may be had when it is sent again as it is."""


def explain(error: ValidationError, root: str) -> str:
    """One short line for a person from a validation error: each field by its JSON path, and its fault."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        field = ".".join(str(part) for part in (root, *fault["loc"]) if part)
        faults.append(f"{field}: {fault['msg'].removeprefix('Value error, ')}")
    return shown("; ".join(faults))


def shown(text: str) -> str:
    """A message in which there may be something of what was sent, fit to be shown: it is no longer than
    `LONGEST_MESSAGE`, and all of it is printable."""
    return "".join(sign if sign.isprintable() else "_" for sign in text[:LONGEST_MESSAGE])
