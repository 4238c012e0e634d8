"""Sits in the proxy: lets each upload's faults happen at their calls, and keeps every job's history."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tests.faults import processes
from tests.faults.faults import Fault
from tests.faults.history import GONE, Item, Version
from tests.faults.proxy import Answer, Call, ConnectionLost, Forward
from tests.faults.sabotage import Sabotage
from tests.faults.steps import WORKER_WRITES, Step, owner_of, step_of

JobKey = tuple[str, str]
Read = Callable[[str, str], Awaitable[Item | None]]


class Director:
    """Handles every call of the proxy.

    Parameters
    ----------
    read
        Gives a job's record as it is in the table, by owner and id; while the cloud is down, once it is back.

    Attributes
    ----------
    histories
        Every version of each job, by owner and id, in the order in which the table took them.
    turns
        Whose job was let in or claimed, in that order.
    most
        How many jobs of each owner were with the workers at once, at most. An end that is heard of only after
        what came of it makes it one more.
    struck
        How often a process was killed or frozen, or its disk full, by what it was at.
    claims
        How many jobs were taken by each kind of worker.
    sabotage
        The safeguard that is taken away.
    """

    def __init__(self, read: Read, sabotage: Sabotage | None = None) -> None:
        self._read = read
        self.histories: defaultdict[JobKey, list[Version]] = defaultdict(list)
        self.turns: list[tuple[str, Step]] = []
        self.most: Counter[str] = Counter()
        self.struck: Counter[tuple[str, str]] = Counter()
        self.claims: Counter[str] = Counter()
        self.sabotage = sabotage
        self._faults: dict[str, Sequence[Fault]] = {}
        self._counts: Counter[tuple[str, Step]] = Counter()
        self._locks: defaultdict[JobKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._works_for: dict[int, str] = {}
        self._at_work: set[int] = set()
        self._phases: dict[str, str] = {}
        self._traces: defaultdict[str, list[str]] = defaultdict(list)
        self._later: set[asyncio.Task[None]] = set()
        self._done: set[str] = set()
        self._began = time.monotonic()

    def enlist(self, owner: str, faults: Sequence[Fault]) -> None:
        """From now on these faults happen to the owner's upload."""
        self._faults[owner] = faults

    def jobs_of(self, owner: str) -> dict[str, list[Version]]:
        """The histories of an owner's jobs, by id."""
        return {job_id: versions for (who, job_id), versions in self.histories.items() if who == owner}

    def trace(self, owner: str) -> list[str]:
        """The calls about an owner's upload, for whoever looks for what went wrong."""
        return self._traces[owner]

    # -- calls -------------------------------------------------------------------------------

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Answer a call, unless a fault keeps it from being answered."""
        if self.sabotage and call.operation == "Query":
            return await self.sabotage.read(call, forward)
        step = step_of(call)
        of_message = step in (Step.PUT_OFF, Step.HOLD)
        pid = self.process_of(call) if step in WORKER_WRITES or step is Step.CLAIM or of_message else None
        owner = self._works_for.get(pid or 0) if of_message else owner_of(call)
        if owner is None or owner not in self._faults:
            return await forward()
        forward = partial(self._forward, call, step, owner, pid, forward)
        if step is not None:
            self._counts[owner, step] += 1
            count = self._counts[owner, step]
            for fault in self._faults[owner]:
                if fault.is_due(step, count):
                    self._note(owner, call, step, f"<- {fault}")
                    forward = partial(fault.around, call, owner, forward, self)
        try:
            answer = await forward()
        except ConnectionLost:
            self._note(owner, call, step, "no answer")
            raise
        self._note(owner, call, step, str(answer.status))
        return answer

    async def _forward(
        self, call: Call, step: Step | None, owner: str, pid: int | None, forward: Forward
    ) -> Answer:
        if call.operation not in ("UpdateItem", "PutItem", "DeleteItem"):
            answer = await forward()
            if step is Step.FETCH:
                self._phases[owner] = "separating"
            elif step is Step.PUT and self._phases.get(owner) != "analysing":
                self._phases[owner] = "uploading"
            return answer
        content = call.json
        item = content.get("Item")
        key = (owner, (item or content["Key"])["id"]["S"])
        # One write at a time: the order here is the table's.
        # Whoever has ended a job lets in another.
        is_workers = call.caller == "SeparateFunction" and step is not Step.LET_IN
        writer = (pid or GONE) if is_workers else None
        async with self._locks[key]:
            try:
                answer = await (self.sabotage.forward(call, step, forward) if self.sabotage else forward())
            except ConnectionLost:
                await self._look_up(key, call, writer)
                raise
            if answer.status != 200:
                return answer
            if call.is_transaction:
                # One that is sent again, because its answer was lost, changes nothing.
                token = call.content["ClientRequestToken"]
                if token in self._done:
                    return answer
                self._done.add(token)
            if call.operation == "DeleteItem":
                self._forget(key)
                return answer
            attributes = item or (
                await self._read(*key) if call.is_transaction else answer.json["Attributes"]
            )
            assert attributes, f"no record of {key} after a write"
            self.histories[key].append(Version.read(attributes, writer, begins=item is not None))
            if step in (Step.LET_IN, Step.CLAIM):
                self.turns.append((owner, step))
                there = sum(versions[-1].is_with_workers for versions in self.jobs_of(owner).values())
                self.most[owner] = max(self.most[owner], there)
        if pid is not None:
            self._followed(step, owner, pid)
        return answer

    async def _look_up(self, key: JobKey, call: Call, writer: int | None) -> None:
        """See in the table whether a write was the last thing that a cloud did before it went down."""
        found = await self._read(*key)
        if found is None:
            self._forget(key)
            return
        version = Version.read(found, writer, begins="Item" in call.json)
        if [version] != self.histories.get(key, [])[-1:]:
            self.histories[key].append(version)
            self._done.add(call.content.get("ClientRequestToken", ""))

    def _forget(self, key: JobKey) -> None:
        """A job's record was deleted, which changes nothing of one that is not there."""
        if (history := self.histories.get(key)) and not history[-1].is_forgotten:
            history.append(replace(history[-1], is_forgotten=True, begins=False, writer=None))

    def _followed(self, step: Step | None, owner: str, pid: int) -> None:
        if step is Step.CLAIM:
            self._works_for[pid] = owner
            self.claims["polls" if processes.polls(pid) else "lambda"] += 1
            self._at_work.add(pid)
            self._phases[owner] = "downloading"
        elif step in (Step.KEEP, Step.LISTEN):
            self._phases[owner] = "analysing"
        elif step in (Step.COMPLETE, Step.FAIL, Step.RELEASE):
            self._at_work.discard(pid)

    def _note(self, owner: str, call: Call, step: Step | None, what: str) -> None:
        seconds = time.monotonic() - self._began
        name = step or f"{call.operation} {call.path}"
        self._traces[owner].append(f"{seconds:8.2f} {call.caller or 'client':<17} {name:<10} {what}")

    # -- hands -------------------------------------------------------------------------------

    def process_of(self, call: Call) -> int | None:
        return processes.process_at(call.port, call.to)

    def still_at_it(self, pid: int, owner: str) -> bool:
        return pid in self._at_work and self._works_for.get(pid) == owner

    def kill(self, pid: int, step: Step) -> None:
        self._strike("kill", pid, step)
        self._at_work.discard(pid)
        processes.kill(pid)

    def stop(self, pid: int, step: Step) -> None:
        self._strike("stop", pid, step)
        if not processes.polls(pid):
            self._at_work.discard(pid)
        processes.stop(pid)

    def freeze(self, pid: int, step: Step) -> None:
        self._strike("freeze", pid, step)
        processes.freeze(pid)

    def thaw(self, pid: int) -> None:
        processes.thaw(pid)

    def fill_disk(self, pid: int, step: Step, size: int) -> None:
        self._strike("full disk", pid, step)
        processes.limit_files(pid, size)

    def empty_disk(self, pid: int) -> None:
        processes.limit_files(pid, None)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def _strike(self, what: str, pid: int, step: Step) -> None:
        owner = self._works_for.get(pid, "")
        at = self._phases[owner] if pid in self._at_work else str(step)
        if step is Step.COMPLETE:
            at = "completing"
        self.struck[what, at] += 1
        if processes.polls(pid):
            self.struck[f"{what} a poller", at] += 1
        seconds = time.monotonic() - self._began
        self._traces[owner].append(f"{seconds:8.2f} {'process ' + str(pid):<17} {what} while {at}")
