"""A service to talk to, and the command in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stempipe_client import Client, Pace
from tests.cli.service import TOKEN, Service, running

Run = Callable[..., "subprocess.CompletedProcess[str]"]

QUICK = Pace(pauses=(0.01, 0.01, 0.01), poll=0.01, live_again=0.05, silence=0.1)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service of the test's own."""
    with running() as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """Its client, which loses no time."""
    with Client(service.url, TOKEN, pace=QUICK) as client:
        yield client


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A file that passes for a song."""
    path = tmp_path / "song.mp3"
    path.write_bytes(b"sound " * 50_000)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command keeps its things, here and in processes: nothing of the developer's."""
    for name in [name for name in os.environ if name.startswith("STEMPIPE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home/config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home/state"))
    return tmp_path / "home"


@pytest.fixture
def configured(home: Path, service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service is the command's, by the environment."""
    monkeypatch.setenv("STEMPIPE_API_URL", service.url)
    monkeypatch.setenv("STEMPIPE_TOKEN", TOKEN)
    return service


@pytest.fixture
def stempipe(home: Path, tmp_path: Path, root: Path) -> Run:
    """Runs the command, without a terminal."""

    def run(*arguments: str | Path, input: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stempipe_client", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": f"{root}/cli/src:{root}/functions/separate"}
        return subprocess.run(
            command, input=input, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60
        )

    return run
