"""A Chromium that nobody looks into.

Playwright has a browser tell of its network, and for that the page's process keeps the body of each answer,
up to 200 MB of them: what a page itself holds cannot be measured beside that. This one is told over a socket
what to do, and no more.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--mute-audio",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
    "--window-size=1440,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
]
# Far more than it takes.
SECONDS = 90


class Socket:
    """Asks a browser, or a page of it, by the DevTools protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._asked = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._asked += 1
        self._connection.send(json.dumps({"id": self._asked, "method": method, "params": params}))
        while True:
            answer = json.loads(self._connection.recv(SECONDS))
            if answer.get("id") == self._asked:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result


class Bare:
    """One page."""

    def __init__(self, browser: Socket, page: Socket) -> None:
        self._browser = browser
        self._page = page

    def open(self, address: str) -> None:
        self._page.ask("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """What an expression is in the page, as after a click of a person's."""
        found = self._page.ask("Runtime.evaluate", expression=script, userGesture=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true in the page."""
        _wait(lambda: self.run(script), script)

    def press(self, code: str, key: str) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self._page.ask("Input.dispatchKeyEvent", type=kind, code=code, key=key)

    def held(self) -> float:
        """Megabytes of memory that the page's process has for itself, once its garbage is collected."""
        self._page.ask("HeapProfiler.collectGarbage")
        processes = self._browser.ask("SystemInfo.getProcessInfo")["processInfo"]
        return max(_anonymous(process["id"]) for process in processes if process["type"] == "renderer")


@contextmanager
def bare(executable: str | Path, profile: Path) -> Iterator[Bare]:
    """A browser with one page, whose `profile` is a folder of its own."""
    command = [str(executable), *ARGUMENTS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        file = profile / "DevToolsActivePort"
        _wait(lambda: process.poll() is not None or (file.exists() and "\n" in file.read_text()), str(file))
        assert process.poll() is None, f"{executable} ended with {process.returncode}"
        port, path = file.read_text().split()
        pages = httpx.get(f"http://127.0.0.1:{port}/json/list", timeout=SECONDS).json()
        page = next(each["webSocketDebuggerUrl"] for each in pages if each["type"] == "page")
        with (
            connect(f"ws://127.0.0.1:{port}{path}", ping_interval=None) as to_browser,
            connect(page, ping_interval=None) as to_page,
        ):
            yield Bare(Socket(to_browser), Socket(to_page))
    finally:
        process.terminate()
        process.wait(SECONDS)


def _wait(there: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not there():
        assert time.monotonic() < end, f"not within {SECONDS} s: {what}"
        time.sleep(0.1)


def _anonymous(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Anonymous: +(\d+) kB$", text, re.MULTILINE)[0]) * 1024 / 1e6
