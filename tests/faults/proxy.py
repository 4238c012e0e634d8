"""An HTTP proxy between the functions and the local cloud: every call can be seen, and every call can fail.

It hands on what it gets byte by byte, the Host header included, so that signatures hold. One connection
serves one request, so that a connection that is cut is one request that failed.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_HEAD_LIMIT = 1 << 20


@dataclass
class Call:
    """One request to the cloud.

    Attributes
    ----------
    head, body
        The request, as it came.
    port, to
        The caller's end of the connection, and the proxy's.
    """

    head: bytes
    body: bytes
    port: int
    to: int

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Headers, their names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.strip().lower(): value.strip() for name, _, value in (ln.partition(":") for ln in lines)}

    @cached_property
    def method(self) -> str:
        """The HTTP method."""
        return self.head.split(b" ", 1)[0].decode()

    @cached_property
    def path(self) -> str:
        """The path, decoded, without the query."""
        return unquote(urlsplit(self.head.split(b" ", 2)[1].decode("latin-1")).path)

    @cached_property
    def prefix(self) -> str:
        """Which objects S3 is to list; empty if it is not to list any, or all."""
        query = parse_qs(urlsplit(self.head.split(b" ", 2)[1].decode("latin-1")).query)
        return query.get("prefix", [""])[0]

    @cached_property
    def caller(self) -> str:
        """The function that calls, by its logical id in the template; empty if it is none."""
        found = re.search(r" app/(\w+)", self.headers.get("user-agent", ""))
        return found[1] if found else ""

    @cached_property
    def service(self) -> str:
        """``s3``, ``dynamodb`` or ``sqs``."""
        target = self.headers.get("x-amz-target", "")
        return {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}.get(target.partition(".")[0], "s3")

    @cached_property
    def operation(self) -> str:
        """The operation's name; for S3 the HTTP method. Of a transaction it is what is done to the job."""
        if self.is_transaction:
            return f"{next(iter(self.content['TransactItems'][0]))}Item"
        return self._target or self.method

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body of a call of DynamoDB or SQS; of a transaction, the part about the job."""
        if self.is_transaction:
            part: dict[str, Any] = next(iter(self.content["TransactItems"][0].values()))
            return part
        return self.content

    @cached_property
    def content(self) -> dict[str, Any]:
        """The body of a call of DynamoDB or SQS, all of it."""
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def is_transaction(self) -> bool:
        """Whether it writes a job, which comes first, together with its owner's account."""
        return self._target == "TransactWriteItems"

    @property
    def _target(self) -> str:
        return self.headers.get("x-amz-target", "").partition(".")[2]

    @cached_property
    def sets(self) -> dict[str, Any]:
        """What an UpdateItem sets plainly: the attributes' new values."""
        content = self.json
        names = content.get("ExpressionAttributeNames", {})
        values = content.get("ExpressionAttributeValues", {})
        pairs = re.findall(r"(#\w+) = (:\w+)", content.get("UpdateExpression", ""))
        return {names[name]: next(iter(values[value].values())) for name, value in pairs}


@dataclass(frozen=True)
class Answer:
    """A response. ``cut`` bytes of its body are sent, or all of it."""

    raw: bytes
    cut: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.raw[9:12])

    @property
    def split(self) -> tuple[bytes, bytes]:
        """Head and body."""
        head, _, body = self.raw.partition(b"\r\n\r\n")
        return head, body

    @property
    def json(self) -> Any:
        """The body of an answer of DynamoDB or SQS."""
        head, body = self.split
        if b"transfer-encoding: chunked" in head.lower():
            body = _dechunk(body)
        return json.loads(body)

    @classmethod
    def error(cls, status: int, content_type: str, body: str) -> Answer:
        """An answer of one's own."""
        content = body.encode()
        head = (
            f"HTTP/1.1 {status} Error\r\ncontent-type: {content_type}\r\n"
            f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        )
        return cls(head.encode() + content)


class ConnectionLost(Exception):
    """The caller gets no answer."""


Forward = Callable[[], Awaitable[Answer]]
Handler = Callable[[Call, Forward], Awaitable[Answer]]


@dataclass
class Proxy:
    """Serves on a port of this machine; ``handle`` decides what becomes of each call.

    Parameters
    ----------
    upstream
        Port of the local cloud.
    handle
        Is given the call and a coroutine that hands it on; what it returns is the answer.
    """

    upstream: int
    handle: Handler
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, port: int) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=_HEAD_LIMIT, backlog=512)
        try:
            async with server:
                await server.serve_forever()
        finally:
            for connection in self._connections:
                connection.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            answer = await self._answer(reader, writer)
            if answer.cut is None:
                writer.write(answer.raw)
            else:
                head, body = answer.split
                writer.write(head + b"\r\n\r\n" + body[: answer.cut])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ConnectionLost):
            pass
        except asyncio.CancelledError:
            pass  # by `serve`, at the end; asyncio would complain of a connection that was cancelled
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        head = await reader.readuntil(b"\r\n\r\n")
        ends = (writer.get_extra_info(name)[1] for name in ("peername", "sockname"))
        call = Call(head, b"", *ends)
        if call.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
        assert "transfer-encoding" not in call.headers, "nobody here sends chunks"
        call.body = await reader.readexactly(int(call.headers.get("content-length", 0)))
        return await self.handle(call, lambda: self.forward(call))

    async def forward(self, call: Call) -> Answer:
        """Hand a call on and get the cloud's answer.

        Raises
        ------
        ConnectionLost
            The cloud is not there.
        """
        # Neither header is signed.
        kept = re.sub(rb"(?i)\r\n(expect|connection):[^\r]*", b"", call.head)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream, limit=_HEAD_LIMIT)
            try:
                writer.write(kept[:-2] + b"Connection: close\r\n\r\n" + call.body)
                await writer.drain()
                raw = await reader.read()
            finally:
                writer.close()
        except OSError as fault:
            raise ConnectionLost from fault
        if b"\r\n\r\n" not in raw:
            raise ConnectionLost
        return Answer(raw)


def _dechunk(body: bytes) -> bytes:
    content = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        content, body = content + body[:length], body[length + 2 :]
    return content
