"""The command in a real terminal: redrawing, narrow ones, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.cli.service import USER_ID, Service
from tests.http import Answer, Request
from tests.signals import heed_ctrl_c

LINES = 24


class Terminal:
    """A process in a terminal, and what is on its screen."""

    def __init__(self, columns: int, cwd: Path, arguments: tuple[str, ...]) -> None:
        self.screen = pyte.HistoryScreen(columns, LINES, history=1000)
        self._stream = pyte.Stream(self.screen)
        self.process = pexpect.spawn(
            sys.executable,
            ["-m", "stempipe_client", *arguments],
            dimensions=(LINES, columns),
            cwd=str(cwd),
            env=os.environ | {"TERM": "xterm-256color"},
            encoding="utf-8",
            preexec_fn=heed_ctrl_c,
        )

    @property
    def text(self) -> str:
        """The screen, without what is empty."""
        return "\n".join(line.rstrip() for line in self.screen.display if line.strip())

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Read what the process writes until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.text
            try:
                self._stream.feed(self.process.read_nonblocking(4096, 0.1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert condition(), self.text

    def shows(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""
        self.wait_for(lambda: all(text in self.text for text in texts))

    def end(self, seconds: float = 60) -> int | None:
        """Wait for the process; returns its exit code."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                assert time.monotonic() < deadline, self.text
                self._stream.feed(self.process.read_nonblocking(4096, 30))
        except pexpect.EOF:
            pass
        self.process.close()
        return self.process.exitstatus


@pytest.fixture
def terminal(configured: Service, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts the command in a terminal."""
    started = []

    def start(*arguments: str, columns: int = 80) -> Terminal:
        started.append(Terminal(columns, tmp_path, arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.close(force=True)


def test_progress_is_redrawn_in_place(
    terminal: Callable[..., Terminal], configured: Service, song: Path
) -> None:
    configured.held = True
    window = terminal("separate", "song.mp3")
    window.shows("song.mp3", "separating", "42 %", "0:07")
    configured.jobs["job-0"] |= {"progress": 77, "estimatedTimeRemaining": 1.0}
    window.shows("77 %", "0:01")
    assert "42 %" not in window.text
    assert len(window.text.splitlines()) == 1
    configured.finish(configured.jobs["job-0"])
    assert window.end() == 0
    assert window.text.splitlines() == [
        "vocals         stems/song - vocals.wav",
        "accompaniment  stems/song - accompaniment.wav",
    ]


@pytest.mark.parametrize("columns", [24, 40, 64])
def test_no_line_of_progress_wraps_however_narrow_the_terminal(
    terminal: Callable[..., Terminal], configured: Service, tmp_path: Path, columns: int
) -> None:
    configured.held = True
    for number in range(4):
        (tmp_path / f"A rather long name of a song, take {number}.mp3").write_bytes(b"sound")
    window = terminal("separate", ".", columns=columns)
    window.wait_for(lambda: window.text.count("42 %") == 4)
    lines = window.text.splitlines()
    assert len(lines) == 5  # one for each, and one for all
    assert sum("A r" in line for line in lines) == 4


def test_ctrl_c_cancels_the_job(
    terminal: Callable[..., Terminal], configured: Service, song: Path, tmp_path: Path
) -> None:
    configured.held = True
    window = terminal("separate", "song.mp3")
    window.shows("42 %")
    window.process.sendintr()
    assert window.end() == 130
    assert "job-0 is cancelled" in window.text
    assert configured.jobs["job-0"]["status"] == "cancelled"
    assert "Traceback" not in window.text
    assert not window.screen.cursor.hidden
    assert not list((tmp_path / "home/state").rglob("under-way/*"))


def test_ctrl_c_leaves_the_job_if_asked_to_and_the_same_command_goes_on(
    terminal: Callable[..., Terminal], configured: Service, song: Path
) -> None:
    configured.held = True
    window = terminal("separate", "song.mp3", "--on-interrupt", "leave")
    window.shows("42 %")
    window.process.sendintr()
    assert window.end() == 130
    assert "job-0 goes on" in window.text
    assert configured.count("DELETE .*") == 0
    configured.finish(configured.jobs["job-0"])
    assert terminal("separate", "song.mp3").end() == 0
    assert len(configured.jobs) == 1


def test_a_second_ctrl_c_quits_at_once(
    terminal: Callable[..., Terminal], configured: Service, song: Path
) -> None:
    def slow(request: Request) -> Answer | None:
        if request.method == "DELETE":
            time.sleep(20)
        return None

    configured.held = True
    configured.faults.append(slow)
    window = terminal("separate", "song.mp3")
    window.shows("42 %")
    window.process.sendintr()
    window.wait_for(lambda: configured.count("DELETE .*") == 1)
    began = time.monotonic()
    window.process.sendintr()
    assert window.end() == 130
    assert time.monotonic() - began < 10
    assert "Traceback" not in window.text


def test_songs_not_begun_are_not_begun_after_ctrl_c(
    terminal: Callable[..., Terminal], configured: Service, tmp_path: Path
) -> None:
    configured.held = True
    for number in range(6):
        (tmp_path / f"{number}.mp3").write_bytes(b"sound")
    window = terminal("separate", ".", "--jobs", "2")
    window.wait_for(lambda: window.text.count("42 %") == 2)
    window.process.kill(signal.SIGINT)
    assert window.end() == 130
    assert {job["status"] for job in configured.jobs.values()} == {"cancelled"}
    assert len(configured.jobs) == 2


def test_a_first_password_is_replaced_by_ones_own(
    terminal: Callable[..., Terminal], configured: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMPIPE_LOGIN_URL", f"{configured.url}/")
    monkeypatch.setenv("STEMPIPE_CLIENT_ID", "c")
    window = terminal("login")
    for prompt, answer in (("User", "me"), ("Password", "first"), ("New", "own"), ("Repeat", "own")):
        window.shows(f"\n{prompt}" if prompt != "User" else prompt)
        window.process.sendline(answer)
    assert window.end() == 0
    # Cognito takes the name that it gave, and documents that it need not take an alias, as an address is.
    assert configured.logins[-1]["ChallengeResponses"] == {"USERNAME": USER_ID, "NEW_PASSWORD": "own"}
    assert "own\n" not in window.text
