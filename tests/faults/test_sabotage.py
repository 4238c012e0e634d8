"""The suite notices when a safeguard is gone: each one, by what it is there to keep from happening."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.faults import run
from tests.faults.history import violations
from tests.faults.noticed import STANDS_STILL_SECONDS, schedule_for
from tests.faults.run import Runner, ready
from tests.faults.sabotage import Sabotage

NOTICED = {
    Sabotage.FENCING: "written by process",
    Sabotage.CLAIMS: "taken from a worker whose lease held",
    Sabotage.SWEEP: "stuck after",
    Sabotage.MAKINGS: "made again with numbers of before",
    Sabotage.MARKS: "was claimed, and left",
    Sabotage.DELETION: "that is being deleted was retried",
    Sabotage.KEEP: "stem_keys were lost",
    Sabotage.ACCOUNTS: "counted for",
    Sabotage.LINE: "jobs of one owner were with",
    Sabotage.PARTS: "of its stems never came",
}


async def is_noticed(runner: Runner, safeguard: Sabotage) -> bool:
    """Whether it is seen that the safeguard is gone."""
    runner.director.sabotage = safeguard
    if safeguard is Sabotage.SWEEP:
        runner.background.sweeping.clear()
    try:
        result = await runner.run(schedule_for(safeguard))
        found = result.violations
        # A process that stood still may do its harm only now.
        deadline = time.monotonic() + STANDS_STILL_SECONDS
        while not any(NOTICED[safeguard] in text for text in found) and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            jobs = [job for owner in result.owners for job in runner.director.jobs_of(owner).values()]
            found += [text for job in jobs for text in violations(job)]
        return any(NOTICED[safeguard] in text for text in found)
    finally:
        runner.director.sabotage = None
        runner.background.sweeping.set()


@pytest.fixture
def environment() -> Iterator[None]:
    """The suite elsewhere has a process to itself, and sets in here which cloud it speaks to."""
    with patch.dict(os.environ):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_each_safeguard_that_is_taken_away_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with ready(tmp_path, None) as runner:
            for each in Sabotage:
                assert (await runner.run(schedule_for(each))).violations == []
            for each in Sabotage:
                with monkeypatch.context() as patched:
                    if each is Sabotage.SWEEP:  # nobody puts it right: there is nothing to wait for
                        patched.setattr(run, "STUCK_SECONDS", 30)
                    assert await is_noticed(runner, each), each

    asyncio.run(test())
