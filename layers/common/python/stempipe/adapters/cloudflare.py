"""Cloudflare Queues over HTTP: pull messages, acknowledge them, or have them come again."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import urllib3
from pydantic import BaseModel, ValidationError


class QueueUnavailable(Exception):
    """Cloudflare refused or failed."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was pulled.

    Attributes
    ----------
    lease
        What it is acknowledged by.
    attempts
        Times that it was delivered, this one included.
    """

    lease: str
    attempts: int
    body: bytes


class _Message(BaseModel):
    lease_id: str
    attempts: int
    body: str


class _Result(BaseModel):
    messages: list[_Message] | None = None


class _Answer(BaseModel):
    result: _Result


def http_client() -> urllib3.PoolManager:
    """A client that tries again where Cloudflare is busy or out of reach, but not for long."""
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=3, read=10),
        retries=urllib3.Retry(
            total=2,
            allowed_methods=None,  # POST too: whatever comes twice does no harm
            status_forcelist=(429, 500, 502, 503, 504),
            raise_on_status=False,
            backoff_factor=0.5,
            retry_after_max=5,
        ),
    )


class CloudflareQueue:
    """A queue with a pull consumer.

    Parameters
    ----------
    http
        From ``http_client``.
    url
        ``https://api.cloudflare.com/client/v4/accounts/{account}/queues/{queue}``
    token
        Gives an API token that may read and write the account's queues.
    """

    def __init__(self, http: urllib3.PoolManager, url: str, token: Callable[[], str]) -> None:
        self._http = http
        self._url = url
        self._token = token

    def pull(self, batch_size: int, visibility_seconds: int) -> list[Message]:
        """Take up to ``batch_size`` messages, at most 100. None if there are none: Cloudflare does not wait.

        What is neither acknowledged nor put off comes again after ``visibility_seconds``.

        Raises
        ------
        QueueUnavailable
        """
        answer = self._post(
            "pull", {"batch_size": batch_size, "visibility_timeout_ms": visibility_seconds * 1000}
        )
        try:
            messages = _Answer.model_validate_json(answer).result.messages or []
        except ValidationError as fault:
            raise QueueUnavailable("Cloudflare's answer to a pull cannot be read") from fault
        return [Message(message.lease_id, message.attempts, _decode(message.body)) for message in messages]

    def settle(self, done: Sequence[Message], again: Mapping[Message, int]) -> None:
        """Acknowledge the messages ``done``, and have each of ``again`` come back after so many seconds.

        Raises
        ------
        QueueUnavailable
        """
        self._post(
            "ack",
            {
                "acks": [{"lease_id": message.lease} for message in done],
                "retries": [
                    {"lease_id": message.lease, "delay_seconds": seconds}
                    for message, seconds in again.items()
                ],
            },
        )

    def _post(self, action: str, body: Mapping[str, Any]) -> bytes:
        try:
            answer = self._http.request(
                "POST",
                f"{self._url}/messages/{action}",
                json=body,
                headers={"Authorization": f"Bearer {self._token()}"},
            )
        except urllib3.exceptions.HTTPError as fault:
            raise QueueUnavailable(f"Cloudflare cannot be reached: {fault}") from fault
        if answer.status != 200:
            raise QueueUnavailable(f"Cloudflare answered {answer.status}: {answer.data[:500]!r}")
        return answer.data


def _decode(body: str) -> bytes:
    # Messages sent as JSON, or as bytes, come in base64; those sent as text come as they are. No JSON
    # object is base64: it has braces.
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return body.encode()
