"""A service to talk to, and the command in a home of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stempipe_client import Client, Pace
from stempipe_client.command.app import app
from tests.cli.service import TOKEN, Service, running

Run = Callable[..., Result]

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
def home(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command keeps its things, here and in processes: nothing of the developer's."""
    for name in [name for name in os.environ if name.startswith("STEMPIPE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home/config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home/state"))
    monkeypatch.setenv("PYTHONPATH", f"{root}/cli/src:{root}/functions/separate")
    return tmp_path / "home"


@pytest.fixture
def configured(home: Path, service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service is the command's, by the environment."""
    monkeypatch.setenv("STEMPIPE_API_URL", service.url)
    monkeypatch.setenv("STEMPIPE_TOKEN", TOKEN)
    return service


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command loses no time with what does not pass."""
    monkeypatch.setattr("stempipe_client.client.Pace", lambda: QUICK)


@pytest.fixture
def stempipe(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in this process, without a terminal."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, input: str = "") -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=input)

    return run
