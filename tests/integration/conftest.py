"""Each handler against moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stempipe.jobs.table import Jobs
from tests.aws import TABLE, USAGE, Aws, aws


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """moto, with the stack's resources."""
    with aws(monkeypatch) as resources:
        yield resources


@pytest.fixture
def jobs(cloud: Aws) -> Jobs:
    """The jobs table."""
    return Jobs(TABLE, usage_table=USAGE, retention_days=7)
