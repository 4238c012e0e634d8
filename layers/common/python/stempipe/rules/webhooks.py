"""The rules of webhooks: which callbacks a job may have, and how the job's end is told to them.

What is sent is signed as https://www.standardwebhooks.com say. It is told at least once: a message's id is
the same however often it is sent.
"""

from __future__ import annotations

import base64
import binascii
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stempipe.adapters.outbound import Outbound, Refused, Unanswered
from stempipe.adapters.queue import TryAgain, WebhookMessage, WebhookQueue
from stempipe.adapters.signatures import sign
from stempipe.adapters.turns import Turn, Turns, TurnTaken
from stempipe.adapters.vault import Vault
from stempipe.errors import InvalidRequest, JobNotFound
from stempipe.jobs.record import Callback, Delivery, Job
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import View
from stempipe.observability import logger

_SECRET_BYTES = range(24, 65)
_GONE = 410
# A call that took longer is followed by a pause of its owner's, so many times as long.
_SLOW_SECONDS = 1.0
_SHARE = 4

TURN_SECONDS = 30
"""After which a call is over, whatever became of it: the function has no longer."""


@dataclass(frozen=True)
class Callbacks:
    """Takes callbacks in.

    Parameters
    ----------
    outbound
        Says which may be called.
    vault
        Seals their secrets.
    """

    outbound: Outbound
    vault: Vault

    def accept(self, owner: str, job_id: str, url: str, secret: str | None) -> Callback:
        """A callback that may be called, its secret sealed.

        Raises
        ------
        InvalidRequest
            The URL may not be called, or the secret is none.
        """
        try:
            self.outbound.target(url)
        except Refused as refusal:
            raise InvalidRequest(f"callbackUrl: {refusal}") from refusal
        if secret is None:
            return Callback(url, None)
        if not _is_secret(secret):
            raise InvalidRequest("callbackSecret: it must be whsec_ and 24 to 64 bytes in base64")
        return Callback(url, self.vault.seal(secret, owner, job_id))


def _is_secret(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith("whsec_") and len(key) in _SECRET_BYTES


@dataclass(frozen=True)
class Deliverer:
    """Tells callbacks.

    Parameters
    ----------
    jobs
        Where jobs are.
    view
        The job's JSON.
    vault
        Opens the secrets.
    outbound
        Sends.
    retry_seconds
        How long to wait after each failed delivery but the last.
    given_up
        Where messages of deliveries go that were given up.
    turns
        Of an owner's callbacks one is called at a time, so that nobody's take up all deliveries.
    now
        Seconds since the epoch.
    """

    jobs: Jobs
    view: View
    vault: Vault
    outbound: Outbound
    retry_seconds: Sequence[int]
    given_up: WebhookQueue
    turns: Turns
    now: Callable[[], float] = time.time
    # Until when there is no use in asking for an owner's turn: of many messages one asks for all.
    _put_off: dict[str, float] = field(default_factory=dict)

    def deliver(self, message: WebhookMessage) -> None:
        """Tell one end of a job. On return the message is done with.

        Raises
        ------
        TryAgain
            The message must come back.
        """
        if (seconds := self._put_off.get(message.owner, 0) - self.now()) > 0:
            raise TryAgain("it is not the owner's turn", math.ceil(seconds))
        try:
            job = self.jobs.get(message.owner, message.id)
        except JobNotFound:
            logger.info("The job is no more")
            return
        if job.version != message.version or job.callback_url is None or not job.state.is_final:
            logger.info("The job has gone on; its next end has a message of its own")
            return
        if job.delivery is not Delivery.PENDING:
            return
        self._attempt(job, job.callback_url, message, self._take_turn(job.owner))

    def _take_turn(self, owner: str) -> Turn:
        """The owner's turn to be called, of which there is one at a time."""
        try:
            return self.turns.take(owner, TURN_SECONDS)
        except TurnTaken as taken:
            # A call that lasts is followed by a pause of _SHARE times as long: not before that.
            seconds = taken.left if taken.lasts is None else min(taken.left, _SHARE * taken.lasts)
            self._put_off[owner] = self.now() + max(1.0, seconds)
            raise TryAgain(str(taken), max(1, math.ceil(seconds))) from taken

    def _attempt(self, job: Job, url: str, message: WebhookMessage, turn: Turn) -> None:
        # Not by the message's receipts: one that was put off, or that nobody could run, is no delivery.
        attempt = job.deliveries + 1
        status, is_hopeless = None, False
        started = self.now()
        try:
            status = self._send(job, url)
            reason = f"the answer was {status}"
        except Refused as refusal:
            reason, is_hopeless = str(refusal), True
        except Unanswered as fault:
            reason = str(fault)
        finally:
            took = self.now() - started
            self.turns.give_back(turn, _SHARE * took if took > _SLOW_SECONDS else 0)
        if status is not None and 200 <= status < 300:
            self.jobs.note_delivery(job, Delivery.DELIVERED, attempt, status)
            logger.info("Delivered", attempt=attempt)
            return
        logger.info("Not delivered", attempt=attempt, reason=reason)
        if is_hopeless or status == _GONE or attempt > len(self.retry_seconds):
            self.given_up.send(message.owner, message.id, message.version)
            self.jobs.note_delivery(job, Delivery.FAILED, attempt, status)
            logger.warning("Given up", attempt=attempt)
            return
        self.jobs.note_delivery(job, Delivery.PENDING, attempt, status)
        raise TryAgain(reason, self.retry_seconds[attempt - 1])

    def _send(self, job: Job, url: str) -> int:
        body = self.view(job).model_dump_json(by_alias=True).encode()
        # Of the job and its version: whatever is sent of this end, however often, has this id.
        message_id, timestamp = f"{job.id}-{job.version:.0f}", int(self.now())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Stempipe",
            "Webhook-Id": message_id,
            "Webhook-Timestamp": str(timestamp),
        }
        if job.callback_secret is not None:
            secret = self.vault.open(job.callback_secret, job.owner, job.id)
            headers["Webhook-Signature"] = sign(secret, message_id, timestamp, body)
        return self.outbound.post(url, headers, body)
