"""A server of a built page and of sound, whose network can be slow, break, and let links expire."""

import http.server
import json
import mimetypes
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

# As strict as the page's own: what breaks it breaks here, too.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; "
    "media-src blob:; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Network:
    """What may happen to a request for sound.

    Attributes
    ----------
    uses : int or None
        How often a link may be followed before it expires, with 403.
    refused : set of str
        Stems whose links are refused, new ones too.
    broken : set of str
        Stems whose answers break off halfway, unless they are short.
    failures : int
        How many of the next answers are 503.
    bytes_a_second : float or None
        Of each answer.
    """

    def __init__(self) -> None:
        self.uses: int | None = None
        self.refused: set[str] = set()
        self.broken: set[str] = set()
        self.failures = 0
        self.bytes_a_second: float | None = None


class SoundServer:
    """Serves until it is closed; ``files`` are by name, such as "bass.player.flac"."""

    def __init__(self, page: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.network = Network()
        self.asked: list[tuple[str, str | None]] = []  # names of files, and the ranges asked for
        self.links = 0
        self.result: bytes | None = None
        self.result_came = threading.Event()
        self.page = page
        self.lock = threading.Lock()
        self._used: Counter[str] = Counter()
        server = self

        class Handler(_Handler):
            sound = server

        self._http = _Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def calm(self) -> None:
        """A network that does as it should, and nothing asked for yet."""
        self.network = Network()
        self.asked.clear()
        self.links = 0
        self._used.clear()

    def take(self, made: Callable[[], object]) -> bytes:
        """What the page sends while something is made."""
        self.result_came.clear()
        made()
        assert self.result_came.wait(30), "the page sent nothing"
        assert self.result is not None
        return self.result

    def link(self, name: str) -> str:
        with self.lock:
            self.links += 1
            return f"/sound/{name}?key={self.links}"

    def allowed(self, name: str, key: str) -> bool:
        with self.lock:
            self._used[name + key] += 1
            return self.network.uses is None or self._used[name + key] <= self.network.uses

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that goes away amid an answer is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(http.server.BaseHTTPRequestHandler):
    sound: SoundServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        room, _, name = address.path.removeprefix("/").partition("/")
        if room == "links":
            self._json(
                {
                    file: self.sound.link(f"{name}.player.{end}")
                    for file, end in (("audio", "flac"), ("index", "index"))
                }
            )
        elif room == "link":
            self._json(self.sound.link(name))
        elif room == "sound":
            self._sound(name, parse_qs(address.query)["key"][0])
        else:
            path = self.sound.page / (address.path.removeprefix("/") or "index.html")
            if path.is_file():
                self._answer(
                    200, path.read_bytes(), mimetypes.guess_type(path)[0] or "application/octet-stream"
                )
            else:
                self._answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        self.sound.result = self.rfile.read(int(self.headers["content-length"]))
        self._answer(204, b"", "text/plain")
        self.sound.result_came.set()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), "application/json")

    def _sound(self, name: str, key: str) -> None:
        network = self.sound.network
        stem = name.split(".")[0]
        span = self.headers.get("range")
        with self.sound.lock:
            self.sound.asked.append((name, span))
            fails = network.failures > 0
            network.failures -= fails
        if fails:
            return self._answer(503, b"", "text/plain")
        if stem in network.refused or not self.sound.allowed(name, key):
            return self._answer(403, b"", "text/plain")
        content = self.sound.files.get(name)
        if content is None:
            return self._answer(404, b"", "text/plain")
        start, end = 0, len(content)
        if span:
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", span)
            assert found, span
            start, end = int(found[1]), int(found[2]) + 1 if found[2] else end
        self._answer(206 if span else 200, content[start:end], "application/octet-stream", network, stem)
        return None

    def _answer(
        self, status: int, body: bytes, kind: str, network: Network | None = None, stem: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("cache-control", "no-store")
        self.send_header("content-security-policy", POLICY)
        self.end_headers()
        try:
            if network and stem in network.broken and len(body) > 50_000:
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                self.connection.close()
            elif network and network.bytes_a_second:
                part = max(1, int(network.bytes_a_second / 20))
                for at in range(0, len(body), part):
                    self.wfile.write(body[at : at + part])
                    time.sleep(len(body[at : at + part]) / network.bytes_a_second)
            else:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the page wants it no more
