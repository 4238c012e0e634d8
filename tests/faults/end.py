"""The end of a run: what must hold once the faults are over, and everything has come to rest."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from stempipe.jobs.record import Status
from tests.faults.cloud import Cloud
from tests.faults.director import Director
from tests.faults.history import Version, violations
from tests.faults.owner import STUCK_SECONDS
from tests.faults.plan import BAD
from tests.faults.run import wrong_account

# Whoever looks at the dead letters has them to himself for 10 s.
LETTERS_IN_HAND_SECONDS = 12


async def check_end(cloud: Cloud, director: Director, sweeping: asyncio.Event) -> tuple[list[str], int]:
    """What does not hold once everything has come to rest, and how many jobs were redriven."""
    found = []
    deadline = time.monotonic() + STUCK_SECONDS
    while await asyncio.to_thread(cloud.depth, "JobsQueue") and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    for queue in ("JobsQueue", "IntakeDeadLetterQueue"):
        if depth := await asyncio.to_thread(cloud.depth, queue):
            found.append(f"{depth} messages are left in {queue}")
    wrong, redriven = await _redrive(cloud, director, sweeping)
    found += wrong
    last = {key: versions[-1] for key, versions in director.histories.items()}
    await asyncio.to_thread(cloud.sweep_objects, timedelta(hours=2))
    named = {key for job in last.values() for key in job.keys_in_use}
    stored = set(await asyncio.to_thread(cloud.keys, cloud.deployment.stems_bucket))
    if stored != named:
        found.append(f"objects that no job names: {stored - named}; missing: {named - stored}")
    for owner in {owner for owner, _ in director.histories}:
        if miscounted := await wrong_account(cloud, director, owner):
            found.append(f"in the end, {owner}: {miscounted}")
    for (owner, job_id), versions in director.histories.items():
        found += [f"in the end, {owner}/{job_id}: {text}" for text in violations(versions)]
    return found, redriven


async def _redrive(cloud: Cloud, director: Director, sweeping: asyncio.Event) -> tuple[list[str], int]:
    """Send the dead letters round again, as an operator does once the faults are over."""
    sweeping.clear()
    await asyncio.sleep(LETTERS_IN_HAND_SECONDS)
    letters = await asyncio.to_thread(cloud.dead_letters)
    found_for = [director.histories[key] for key in {(body["owner"], body["id"]) for body in letters}]
    # Of a job that its owner deleted, or made again, a letter may be left until sweep comes by.
    jobs = [versions for versions in found_for if not any(version.is_deleting for version in versions)]
    found = [
        f"a dead letter of a job that is {versions[-1:]}"
        for versions in jobs
        if not versions or not (versions[-1].status is Status.FAILED or versions[-1].analysis_error_code)
    ]
    await asyncio.sleep(LETTERS_IN_HAND_SECONDS)
    answer = await asyncio.to_thread(cloud.invoke, "SweepFunction", {"sweep": "redrive"}, wait=True)
    sweeping.set()
    redriven = (answer["payload"] or {}).get("jobs_queued_again", 0)
    if redriven != len(jobs):
        found.append(f"redrive did {answer['payload']} with the dead letters of {len(jobs)} jobs")
    deadline = time.monotonic() + STUCK_SECONDS
    while not all(map(_ended_well, jobs)) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    found += [f"was redriven, and is {job[-1]}" for job in jobs if not _ended_well(job)]
    return found, redriven


def _ended_well(versions: list[Version]) -> bool:
    """Whether the song has its stems and its analysis, or it is the song's own fault that it has not."""
    last = versions[-1]
    is_done = last.status is Status.COMPLETED and not last.analysis_error_code
    return is_done or last.error_code in BAD.values()
