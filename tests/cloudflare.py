"""A Cloudflare Queue with a pull consumer, as its documentation describes one.

https://developers.cloudflare.com/queues/configuration/pull-consumers/
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

from tests.http import Answer, Request

ACCOUNT = "3f4b7e3dcab231cbfdaa90a6a28bd548"
QUEUE = "d6e1a5b0c9f84d1bb2a7a7e3c4f5d6e7"
PATH = f"/client/v4/accounts/{ACCOUNT}/queues/{QUEUE}"
TOKEN = "a-token-that-may-edit-queues"
MAX_BATCH = 100
MAX_VISIBILITY_MS = 12 * 3600 * 1000


@dataclass
class _Message:
    id: str
    body: str
    content_type: str
    visible_at: float
    attempts: int = 0
    leases: list[str] = field(default_factory=list)


class CloudflareQueueService:
    """Answers pulls and acknowledgements of one queue.

    Parameters
    ----------
    max_retries
        Of the consumer: a message that was delivered once more than this goes to the dead letters.
    now
        The clock, in seconds.
    """

    def __init__(self, max_retries: int = 3, now: Callable[[], float] = time.time) -> None:
        self.dead_letters: list[str] = []
        self.pulls: list[dict[str, Any]] = []
        self.refusals: list[Answer] = []
        """Answers given in place of the next ones."""
        self._max_retries = max_retries
        self._now = now
        self._messages: list[_Message] = []
        self._sent = 0
        self._lock = Lock()

    def send(self, body: Any, content_type: Literal["json", "bytes", "text"] = "json") -> None:
        """Put a message into the queue, as R2 does when something is uploaded."""
        with self._lock:
            self._sent += 1
            content = body if isinstance(body, str) else json.dumps(body)
            # json and bytes are delivered in base64, text as it is.
            encoded = content if content_type == "text" else base64.b64encode(content.encode()).decode()
            self._messages.append(_Message(f"m{self._sent}", encoded, content_type, self._now()))

    @property
    def backlog(self) -> int:
        """Messages that are not acknowledged."""
        return len(self._messages)

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        with self._lock:
            if self.refusals:
                return self.refusals.pop(0)
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return _failure(403, 10000, "Authentication error")
            match request.method, request.target:
                case "POST", action if action == f"{PATH}/messages/pull":
                    return self._pull(json.loads(request.body))
                case "POST", action if action == f"{PATH}/messages/ack":
                    return self._ack(json.loads(request.body))
            return _failure(404, 7003, "Could not route to the path")

    def _pull(self, body: dict[str, Any]) -> Answer:
        self.pulls.append(body)
        count, visibility = body.get("batch_size", 5), body.get("visibility_timeout_ms", 30_000)
        if not 1 <= count <= MAX_BATCH or not 0 <= visibility <= MAX_VISIBILITY_MS:
            return _failure(400, 10026, "batch_size or visibility_timeout_ms out of range")
        now = self._now()
        batch: list[_Message] = []
        for message in [message for message in self._messages if message.visible_at <= now]:
            if message.attempts > self._max_retries:
                self._messages.remove(message)
                self.dead_letters.append(message.body)
            elif len(batch) < count:
                message.attempts += 1
                message.visible_at = now + visibility / 1000
                message.leases.append(f"{message.id}-lease-{message.attempts}")
                batch.append(message)
        delivered = [
            {
                "body": message.body,
                "id": message.id,
                "timestamp_ms": int(now * 1000),
                "attempts": message.attempts,
                "metadata": {"CF-sourceMessageSource": "r2", "CF-Content-Type": message.content_type},
                "lease_id": message.leases[-1],
            }
            for message in batch
        ]
        return _success({"message_backlog_count": len(self._messages), "messages": delivered})

    def _ack(self, body: dict[str, Any]) -> Answer:
        acks = [item["lease_id"] for item in body.get("acks", [])]
        retries = {item["lease_id"]: item.get("delay_seconds", 0) for item in body.get("retries", [])}
        counts = {"ackCount": 0, "retryCount": 0}
        for message in list(self._messages):
            # A lease that has expired still acknowledges: Cloudflare is permissive.
            if any(lease in acks for lease in message.leases):
                self._messages.remove(message)
                counts["ackCount"] += 1
            elif message.leases and message.leases[-1] in retries:
                message.visible_at = self._now() + retries[message.leases[-1]]
                counts["retryCount"] += 1
        return _success(counts | {"warnings": []})


def _success(result: dict[str, Any]) -> Answer:
    return _json(200, {"success": True, "errors": [], "messages": [], "result": result})


def _failure(status: int, code: int, message: str) -> Answer:
    errors = [{"code": code, "message": message}]
    return _json(status, {"success": False, "errors": errors, "messages": [], "result": None})


def _json(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
