"""Counts every call that goes through the proxy."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.cost.counts import Counts
from benchmarks.cost.units import Ledger
from tests.faults.proxy import Answer, Call, Forward, Proxy


@dataclass
class CallCounter:
    """Hands every call on, and counts it.

    Attributes
    ----------
    counts
        Into which it counts; another one may take its place.
    ledger
        What calls of the tables cost; without one they are not counted yet.
    last
        When the latest call was answered, on the monotonic clock.
    """

    counts: Counts = field(default_factory=Counts)
    ledger: Ledger | None = None
    last: float = 0.0
    # Writes one by one, so that what an item was before each is known.
    _tables: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Hand a call on."""
        service, operation = _name(call)
        if service == "dynamodb":
            async with self._tables:
                answer = await forward()
                await asyncio.to_thread(self._settle, call, operation, answer)
        else:
            answer = await forward()
        counts = self.counts
        counts.calls[f"{call.caller} {service} {operation}"] += 1
        counts.sent[service] += len(call.body)
        counts.received[service] += len(answer.split[1])
        if (call.caller, service, operation) == ("", "s3", "GET"):
            counts.download_bytes += len(answer.split[1])
        counts.groups += operation == "SendMessage" and "MessageGroupId" in call.content
        self.last = time.monotonic()
        return answer

    def _settle(self, call: Call, operation: str, answer: Answer) -> None:
        if self.ledger is None:
            return
        content = answer.json if answer.status == 200 else None
        units = self.ledger.settle(operation, call.content, content)
        self.counts.write_units += units.write
        self.counts.read_units += units.read
        if operation == "UpdateItem" and _is_report(call):
            self.counts.reports += 1
            self.counts.report_units += units.write


def _name(call: Call) -> tuple[str, str]:
    """Service and operation: `api` is the HTTP API, `live` the WebSocket API."""
    if call.path.startswith("/_aws/execute-api/"):
        return ("live" if "/@connections/" in call.path else "api"), call.method
    if call.is_transaction:
        return call.service, "TransactWriteItems"
    if call.service == "s3" and call.method == "GET" and "/" not in call.path.strip("/"):
        return "s3", "LIST"
    return call.service, call.operation


def _is_report(call: Call) -> bool:
    """Whether it writes how far a worker is, and nothing else."""
    names = set(call.content.get("ExpressionAttributeNames", {}).values())
    return {"stage", "progress", "version"} <= names and not {"startedAt", "stemKeys", "completedAt"} & names


@contextmanager
def counting(upstream: int, port: int) -> Iterator[CallCounter]:
    """A proxy that counts, in a thread, until the block ends."""
    counter = CallCounter()

    async def serve() -> None:
        proxy = asyncio.create_task(Proxy(upstream, counter.handle).serve(port))
        await asyncio.to_thread(over.wait)
        proxy.cancel()
        await asyncio.gather(proxy, return_exceptions=True)

    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="proxy")
    thread.start()
    try:
        yield counter
    finally:
        over.set()
        thread.join()
