"""HTTP and WebSocket with nothing but Python's own library: a deployment is checked from any machine."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import struct
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What was answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's content; None if it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def code(self) -> str | None:
        """Of an error of Stempipe's."""
        content = self.json
        return content["error"]["code"] if isinstance(content, dict) and "error" in content else None

    def __str__(self) -> str:
        return f"{self.status} {self.body[:300].decode(errors='replace')}"


def ask(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Send a request, and return the answer whatever its status is.

    Raises
    ------
    OSError
        There was none.
    """
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            answered, content = response, response.read()
    except urllib.error.HTTPError as error:
        answered, content = error, error.read()
    return Answer(answered.status, {name.lower(): text for name, text in answered.headers.items()}, content)


def upload(link: Mapping[str, Any], song: bytes) -> Answer:
    """Send a song where its job awaits it: a form to S3, or as it is to R2."""
    if link["method"] == "PUT":
        return ask("PUT", link["url"], song, link["headers"])
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in link["fields"].items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="song"\r\n\r\n')
    body = "".join(parts).encode() + song + f"\r\n--{boundary}--\r\n".encode()
    return ask("POST", link["url"], body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})


class Refused(ConnectionError):
    """A WebSocket's handshake was answered otherwise.

    Parameters
    ----------
    status
        The HTTP status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"the handshake was answered by {status}")
        self.status = status


class WebSocket:
    """A client's end of a WebSocket (RFC 6455): texts out, texts in.

    Parameters
    ----------
    url
        ``ws://`` or ``wss://``
    token
        Of whoever connects; None sends none.

    Raises
    ------
    Refused
        The handshake was not accepted.
    """

    def __init__(self, url: str, token: str | None) -> None:
        parts = urlsplit(url)
        host, is_secure = parts.hostname or "", parts.scheme == "wss"
        self._socket = socket.create_connection(
            (host, parts.port or (443 if is_secure else 80)), TIMEOUT_SECONDS
        )
        if is_secure:
            self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
        self._stream = self._socket.makefile("rb")
        query = "" if token is None else f"?token={quote(token)}"
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {parts.path}{query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status = int(self._stream.readline().split()[1])
        while self._stream.readline().strip():
            pass
        if status != 101:
            self.close()
            raise Refused(status)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()

    def say(self, **message: Any) -> None:
        """Send a message as JSON."""
        self._send(1, json.dumps(message).encode())

    def hear(self) -> Any:
        """The next message, read from its JSON.

        Raises
        ------
        OSError
            Nothing came in time, or the other end has closed.
        """
        text = b""
        while True:
            first, second = self._read(2)
            length = second & 0x7F
            if length > 125:
                length = struct.unpack(
                    "!H" if length == 126 else "!Q", self._read(2 if length == 126 else 8)
                )[0]
            content = self._read(length)
            match first & 0x0F:
                case 0x8:
                    raise ConnectionError(f"the other end has closed: {content!r}")
                case 0x9:
                    self._send(0xA, content)
                case 0x0 | 0x1:
                    text += content
                    if first & 0x80:
                        return json.loads(text)

    def _send(self, kind: int, content: bytes) -> None:
        # A client's frames are masked; with zeros they stay as they are.
        length = len(content)
        size = struct.pack("!B", 0x80 | length) if length < 126 else struct.pack("!BH", 0x80 | 126, length)
        self._socket.sendall(bytes([0x80 | kind]) + size + bytes(4) + content)

    def _read(self, count: int) -> bytes:
        content = self._stream.read(count)
        if len(content) < count:
            raise ConnectionError("the other end has hung up")
        return content
