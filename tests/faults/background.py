"""What AWS does by itself while schedules run, in the suite's own hands: events are delivered, sweep runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from tests.faults.calls import persist, unless_down
from tests.faults.cloud import Cloud
from tests.faults.director import Director
from tests.faults.plan import PARTS, Plan, Way


@dataclass
class Background:
    """Goes on beside the schedules until it is cancelled.

    Attributes
    ----------
    delays
        The schedule of each owner, and an entry for each event that came of it.
    delivered
        How many events came, by how their schedules have them delivered.
    swept
        What sweep did, and how often.
    sweeping
        Set while sweep runs; whoever clears it holds sweep up.
    """

    cloud: Cloud
    director: Director
    delays: dict[str, tuple[Plan, list[float]]] = field(default_factory=dict)
    delivered: Counter[str] = field(default_factory=Counter)
    swept: Counter[str] = field(default_factory=Counter)
    sweeping: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver_events(self) -> None:
        """Tell intake of uploads, when and as often as their schedules say."""
        while True:
            for record in await unless_down(self.cloud.events) or []:
                owner = unquote_plus(record["s3"]["object"]["key"]).split("/")[1]
                plan, seen = self.delays.get(owner, (None, []))
                if plan is None:
                    continue
                # Of two events in a row the first comes last.
                extra = 0.0 if seen or plan.way is not Way.REPLACED else 1.0
                seen.append(0.0)
                self.delivered[plan.delivery] += 1
                # Of stems one's event is told as the schedule says, the other's at once.
                is_prompt = plan.way is Way.STEMS and len(seen) - 1 != plan.seed % len(PARTS)
                for delay in [0.0] if is_prompt else plan.delays:
                    self.director.later(self._deliver(record, delay + extra))
            await asyncio.sleep(0.1)

    async def _deliver(self, record: dict[str, Any], delay: float) -> None:
        await asyncio.sleep(delay)
        event = {"Records": [record]}
        await persist(lambda: asyncio.to_thread(self.cloud.invoke, "IntakeFunction", event, wait=False))

    async def sweep(self) -> None:
        """Sweep every second, in place of every minute."""
        while True:
            await self.sweeping.wait()
            answer = await unless_down(
                lambda: self.cloud.invoke("SweepFunction", {"sweep": "jobs"}, wait=True)
            )
            if answer and answer["error"]:
                self.swept["runs that failed"] += 1
            elif answer:
                self.swept.update(answer["payload"])
            await asyncio.sleep(1)

    async def find_uploads(self) -> None:
        """Do every ten seconds what sweep does every hour: look for uploads without a job."""
        while True:
            await asyncio.sleep(10)
            try:
                self.swept.update(await asyncio.to_thread(self.cloud.sweep_objects, timedelta(minutes=6)))
            except Exception:  # whatever a fault made of it
                self.swept["runs that failed"] += 1
