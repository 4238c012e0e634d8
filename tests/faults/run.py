"""Runs schedules on the local cloud, and checks after each what must hold whatever went wrong."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from local.server import free_port
from stempipe.jobs.record import MAX_ATTEMPTS, Status
from tests.faults import songs
from tests.faults.background import Background
from tests.faults.calls import Violation, persist
from tests.faults.cloud import DOWNLOAD_LINK_SECONDS, Cloud
from tests.faults.director import Director
from tests.faults.faults import ShortRead
from tests.faults.history import Version, violations
from tests.faults.plan import BAD, GOOD, Plan, Restart, Way
from tests.faults.proxy import Proxy
from tests.faults.sabotage import Sabotage
from tests.faults.steps import Step

# Longer than anything here takes, the second life of a message that was lost included.
STUCK_SECONDS = 150
# What may happen to a song only because too much went wrong, always after the last attempt.
OUR_SIDE = {"storage_unavailable", "internal_error", "worker_lost", "out_of_time"}

Stems = dict[str, str]  # the sha256 of each


@dataclass
class Result:
    """What became of one schedule."""

    plan: Plan | Restart
    violations: list[str]
    owners: list[str]
    outcome: str
    seconds: float


@dataclass
class Runner:
    """Everything that a schedule needs.

    Attributes
    ----------
    expected
        The stems of each good song, as undisturbed runs made them.
    """

    cloud: Cloud
    director: Director
    background: Background
    songs: dict[str, Path]
    expected: dict[str, Stems] = field(default_factory=dict)
    restarts: int = 0
    links_expired: int = 0

    # -- one schedule ------------------------------------------------------------------------

    async def run(self, plan: Plan | Restart) -> Result:
        """Run a schedule and check it."""
        began = time.monotonic()
        found: list[str] = []
        owners: list[str] = []
        outcome = "?"
        try:
            if isinstance(plan, Restart):
                outcome = await self._run_restart(plan, owners)
            else:
                outcome = await self._run_plan(plan, owners)
        except Violation as violation:
            found.append(str(violation))
        for owner in owners:
            for job_id, versions in self.director.jobs_of(owner).items():
                found += [f"job {job_id}: {text}" for text in violations(versions)]
        return Result(plan, found, owners, outcome, time.monotonic() - began)

    async def _run_restart(self, plan: Restart, owners: list[str]) -> str:
        async def restart() -> None:
            await asyncio.sleep(plan.seconds)
            await asyncio.to_thread(self.cloud.stop)
            await asyncio.sleep(plan.down)
            await asyncio.to_thread(self.cloud.start)
            self.restarts += 1

        async def upload(inner: Plan) -> str:
            return await self._run_plan(inner, owners)

        restarted = asyncio.create_task(restart())
        outcomes = await asyncio.gather(*map(upload, plan.plans))
        await restarted
        return ", ".join(outcomes)

    async def _run_plan(self, plan: Plan, owners: list[str]) -> str:
        email = f"{uuid4().hex}@example.com"
        token = await persist(lambda: asyncio.to_thread(self._sign_in, email))
        owner = await persist(lambda: asyncio.to_thread(self.cloud.deployment.user_id, email))
        owners.append(owner)
        faults = list(plan.faults)
        if plan.link_expires:
            faults.append(ShortRead(step=Step.DOWNLOAD, share=0.5))
        self.director.enlist(owner, faults)
        self.background.delays[owner] = (plan, [])
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as api:
            awaited = await self._upload(plan, owner, api)
            await self._until_done(owner, awaited)
            outcome = await self._check(plan, owner, awaited, api)
        if outcome == "completed":
            await self._forget_upload(plan, owner)
        return outcome

    def _sign_in(self, email: str) -> str:
        return self.cloud.deployment.token(email)

    # -- uploading ---------------------------------------------------------------------------

    async def _upload(self, plan: Plan, owner: str, api: httpx.AsyncClient) -> list[str]:
        """Send the song. Returns the etags of which each must become a job, or the id of the job."""
        song = self.songs[plan.song].read_bytes()
        if plan.way in (Way.INBOX, Way.REPLACED):
            key = f"inbox/{owner}/{plan.song}"
            if plan.way is Way.REPLACED:
                before = next(name for name in GOOD if name != plan.song)
                await self._put(key, self.songs[before].read_bytes())
            await self._put(key, song)
            return [hashlib.md5(song).hexdigest()]
        request = {"filename": plan.song, "size": len(song)}

        async def create() -> Any:
            answer = await api.post(f"{self.cloud.deployment.api_url}/v1/jobs", json=request)
            return answer.raise_for_status().json()

        created = await persist(create)
        if plan.way is Way.API:

            async def send() -> None:
                nonlocal created
                link = created["upload"]
                async with httpx.AsyncClient(timeout=30) as anybody:
                    answer = await anybody.post(link["url"], data=link["fields"], files={"file": song})
                if answer.status_code == 403:  # the link has expired
                    created = await persist(create)
                answer.raise_for_status()

            await persist(send)
        return [created["job"]["id"]]

    async def _put(self, key: str, content: bytes) -> None:
        bucket = self.cloud.deployment.uploads_bucket

        def put() -> None:
            self.cloud.deployment.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

        await persist(lambda: asyncio.to_thread(put))

    async def _forget_upload(self, plan: Plan, owner: str) -> None:
        """Delete a direct upload, so that those who look for forgotten ones have less to look at."""
        if plan.way in (Way.INBOX, Way.REPLACED):
            bucket, key = self.cloud.deployment.uploads_bucket, f"inbox/{owner}/{plan.song}"
            s3 = self.cloud.deployment.client("s3")
            await persist(partial(asyncio.to_thread, s3.delete_object, Bucket=bucket, Key=key))

    # -- waiting and checking ----------------------------------------------------------------

    async def _until_done(self, owner: str, awaited: list[str]) -> None:
        deadline = time.monotonic() + STUCK_SECONDS
        while time.monotonic() < deadline:
            jobs = self.director.jobs_of(owner)
            ended = all(versions[-1].status.is_final for versions in jobs.values())
            if ended and all(self._find(owner, name) for name in awaited):
                return
            await asyncio.sleep(0.1)
        states = [str(versions[-1]) for versions in self.director.jobs_of(owner).values()]
        raise Violation(f"stuck after {STUCK_SECONDS} s: {states or 'no job at all'}")

    def _find(self, owner: str, name: str) -> Version | None:
        for job_id, versions in self.director.jobs_of(owner).items():
            if name in (job_id, versions[-1].etag):
                return versions[-1]
        return None

    async def _check(self, plan: Plan, owner: str, awaited: list[str], api: httpx.AsyncClient) -> str:
        (name,) = awaited
        job = self._find(owner, name)
        assert job
        jobs = self.director.jobs_of(owner)
        self._check_outcome(plan, job)
        # Whoever asks for a job and hears nothing asks again, and the first one goes on awaiting its upload.
        others = [versions[-1].error_code != "upload_missing" for versions in jobs.values()]
        if sum(others) > (2 if plan.way is Way.REPLACED else 1):
            raise Violation(f"{sum(others)} jobs of one upload")
        for job_id, versions in jobs.items():
            item = await persist(partial(asyncio.to_thread, self.cloud.job, owner, job_id))
            if item is None or Version.read(item, versions[-1].writer) != versions[-1]:
                raise Violation(f"the table holds {item}, and the last write was {versions[-1]}")

        async def listed() -> Any:
            answer = await api.get(f"{self.cloud.deployment.api_url}/v1/jobs")
            return {view["id"]: view for view in answer.raise_for_status().json()["jobs"]}

        views = await persist(listed)
        if views.keys() != jobs.keys():
            raise Violation(f"the API lists {views.keys()}, and there are {jobs.keys()}")
        for job_id, versions in jobs.items():
            if versions[-1].status is Status.COMPLETED:
                await self._check_stems(plan, owner, job_id, versions[-1], api)
        return f"{job.error_code or job.status}"

    def _check_outcome(self, plan: Plan, job: Version) -> None:
        disturbed = any(fault.happened for fault in plan.faults)
        outcome = job.error_code or str(job.status)
        if plan.way is Way.NEVER:
            allowed = {"upload_missing"}
        elif plan.song in BAD:
            allowed = {BAD[plan.song]}
        else:
            allowed = {"completed"}
        if outcome not in allowed:
            too_much = outcome in OUR_SIDE and job.attempt == MAX_ATTEMPTS
            if not (disturbed and (too_much or outcome == "undeliverable")):
                raise Violation(f"{outcome} in attempt {job.attempt}, and not {allowed}")

    async def _check_stems(
        self, plan: Plan, owner: str, job_id: str, job: Version, api: httpx.AsyncClient
    ) -> None:
        keys = job.stem_keys or {}
        folder = f"{owner}/{job_id}/{job.attempt}/"
        if not all(key.startswith(folder) for key in keys.values()):
            raise Violation(f"the stems of attempt {job.attempt} are {keys}")
        if plan.way is Way.REPLACED:
            song = next(
                name for name in GOOD if hashlib.md5(self.songs[name].read_bytes()).hexdigest() == job.etag
            )
        else:
            song = plan.song
        found = {}
        for stem in keys:
            found[stem] = hashlib.sha256(await self._download(plan, job_id, stem, api)).hexdigest()
        if found != self.expected.setdefault(song, found):
            raise Violation(f"other stems of {song} than an undisturbed run makes")

    async def _download(self, plan: Plan, job_id: str, stem: str, api: httpx.AsyncClient) -> bytes:
        """A stem, however often its link expires and its connection breaks."""
        content = b""

        async def link() -> str:
            answer = await api.get(f"{self.cloud.deployment.api_url}/v1/jobs/{job_id}")
            return str(answer.raise_for_status().json()["results"]["stems"][stem])

        url = await persist(link)
        deadline = time.monotonic() + 60
        async with httpx.AsyncClient(timeout=30) as client:
            while time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    async with client.stream("GET", url, headers={"Range": f"bytes={len(content)}-"}) as got:
                        if got.status_code == 403:
                            self.links_expired += bool(content)
                            url = await persist(link)
                            continue
                        got.raise_for_status()
                        async for chunk in got.aiter_raw():
                            content += chunk
                        return content
                if plan.link_expires:
                    await asyncio.sleep(DOWNLOAD_LINK_SECONDS + 0.5)
        raise Violation(f"{stem} cannot be downloaded")


@asynccontextmanager
async def ready(state: Path, sabotage: Sabotage | None) -> AsyncIterator[Runner]:
    """The cloud, the proxy and what goes on beside the schedules, until the block ends."""
    cloud = Cloud(state / "cloud", free_port(), free_port())
    director = Director(sabotage)
    (state / "songs").mkdir(parents=True)
    background = Background(cloud, director)
    runner = Runner(cloud, director, background, songs.make(state / "songs"))
    beside = [asyncio.create_task(Proxy(cloud.port, director.handle).serve(cloud.proxy_port))]
    await asyncio.to_thread(cloud.start)
    try:
        beside.append(asyncio.create_task(background.deliver_events()))
        if sabotage is not Sabotage.SWEEP:
            background.sweeping.set()
            beside.append(asyncio.create_task(background.sweep()))
            beside.append(asyncio.create_task(background.find_uploads()))
        yield runner
    finally:
        for task in beside:
            if task.done():
                task.result()  # raises what ended it
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await asyncio.to_thread(cloud.stop)
