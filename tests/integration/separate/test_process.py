"""The worker as a process beside others of its user, which read strangers' files."""

from __future__ import annotations

import ctypes
import errno
import io
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import NoReturn

import pytest

from tests.aws import Aws

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
LIBRARY = ctypes.CDLL(None)


@pytest.fixture
def app(cloud: Aws, load_app: Callable[[str], ModuleType]) -> Iterator[ModuleType]:
    before = LIBRARY.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)
    yield load_app("separate")
    LIBRARY.prctl(PR_SET_DUMPABLE, before, 0, 0, 0)


def test_a_worker_cannot_be_inspected(app: ModuleType) -> None:
    assert LIBRARY.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0
    app.worker(2048)
    assert LIBRARY.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0


def test_a_worker_is_billed_for_the_disk_beyond_what_is_free(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISK_MB", "5120")
    worker = app.worker(3072)
    assert (worker.memory_gb, worker.disk_gb) == (3.0, 4.5)


def test_a_worker_works_where_that_cannot_be_had_and_says_so(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    def refuse() -> NoReturn:
        raise OSError(errno.EPERM, "forbidden here")

    monkeypatch.setattr(app, "forbid_inspection", refuse)
    assert app.worker(2048) is app.worker(2048)
    assert logged.getvalue().count("forbidden here") == 1
