"""What tests of every kind share: the real template, sample events, and the handlers."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from stempipe.observability import logger

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="of the random numbers that parity is tested with")


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Of random noise and random weights."""
    value: int = request.config.getoption("seed")
    return value


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def sample_event() -> Callable[[str], dict[str, Any]]:
    """Reads a file of events/."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
        return event

    return read


@pytest.fixture
def load_app() -> Callable[[str], ModuleType]:
    """Imports functions/{name}/app.py afresh: every one of them is called app, and each caches its wiring."""

    def load(name: str) -> ModuleType:
        path = ROOT / "functions" / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"{name}_app", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def lambda_context() -> Any:
    """What Lambda passes as the second argument."""
    return SimpleNamespace(
        function_name="test",
        memory_limit_in_mb="3538",
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:test",
        aws_request_id="00000000-0000-0000-0000-000000000000",
        get_remaining_time_in_millis=lambda: 300_000,
    )


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that the functions log, down to DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logger.registered_formatter)
    # By its name: Powertools bound its own handler to the standard output when it was imported.
    log = logging.getLogger("stempipe")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield stream
    log.setLevel(level)
    log.removeHandler(handler)
