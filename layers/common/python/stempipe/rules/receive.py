"""The rules of receive: R2's notifications, forwarded as signed webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stempipe.adapters.received import ReceivedMessages
from stempipe.adapters.signatures import verify
from stempipe.errors import BodyTooLarge
from stempipe.jobs.uploads import read_record
from stempipe.rules.intake import Intake

MAX_BODY_BYTES = 128_000
"""As much as a message of a Cloudflare Queue may have."""


@dataclass(frozen=True)
class Receiver:
    """Takes in the notifications that are signed with the secret, each once.

    Parameters
    ----------
    intake
        What takes them in.
    received
        What remembers them.
    secret
        Gives what they are signed with.
    now
        Gives the time, in seconds since the epoch.
    """

    intake: Intake
    received: ReceivedMessages
    secret: Callable[[], str]
    now: Callable[[], float] = time.time

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take one in.

        It is remembered last: one that failed half-way may come again under its id. Two copies at the
        same moment are both taken in, which does no harm, and one of them is refused.

        Raises
        ------
        StempipeError
            The request is refused, or what it tells of cannot be taken in.
        """
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge(MAX_BODY_BYTES)
        message_id = verify(self.secret(), headers, body, self.now())
        self.received.check_new(message_id)
        if upload := read_record(body):
            self.intake.take_new(upload)
        self.received.remember(message_id)
