"""The errors of this package, and patience with what may pass."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Result = TypeVar("Result")


class StempipeError(Exception):
    """Something that was asked for cannot be had.

    Attributes
    ----------
    code
        Stable, to rely on: the service's own, such as `too_long`, or one of this package's: `unreachable`,
        `unauthorized`, `api_error`, `answer_too_long`, `link_refused`, `upload_refused`, `download_failed`,
        `cancelled`, `not_configured`.
    message
        For a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class TransientError(StempipeError):
    """The same may succeed when it is tried again."""


class FinalError(StempipeError):
    """The same would fail again: the job has ended badly, or is gone, or the service refuses to make it."""


def patiently(work: Callable[[], Result], pauses: Sequence[float]) -> Result:
    """Do some work, and again after each of the pauses (seconds) while it fails with a TransientError."""
    for pause in pauses:
        try:
            return work()
        except TransientError:
            time.sleep(pause)
    return work()
