"""Runs schedules on the local cloud, and checks after each what must hold whatever went wrong."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from local.server import free_port
from stempipe.jobs.line import share
from stempipe.jobs.record import MAX_ATTEMPTS, Status
from tests.faults import songs
from tests.faults.accounts import account
from tests.faults.background import Background
from tests.faults.calls import Violation, persist
from tests.faults.cloud import DOWNLOAD_LINK_SECONDS, WORKERS, Cloud
from tests.faults.director import Director
from tests.faults.faults import LoseAnswer, ShortRead
from tests.faults.history import Version, violations
from tests.faults.owner import STUCK_SECONDS, Owner
from tests.faults.plan import BAD, GOOD, Crowd, Deed, Plan, Restart, Way, separates
from tests.faults.proxy import Proxy
from tests.faults.sabotage import Sabotage
from tests.faults.steps import Step

# In which a worker that lost its job has deleted what it made of it.
FILES_SECONDS = 15
# What may happen to a song only because too much went wrong, always after the last attempt.
OUR_SIDE = {"storage_unavailable", "internal_error", "worker_lost", "out_of_time"}

Files = dict[str, str]  # the sha256 of each


@dataclass
class Result:
    """What became of one schedule."""

    plan: Plan | Restart | Crowd
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
        The files of each good song and configuration, as undisturbed runs made them.
    seen_early
        How many songs' stems were seen while they were listened to.
    """

    cloud: Cloud
    director: Director
    background: Background
    songs: dict[str, Path]
    expected: dict[tuple[str, str], Files] = field(default_factory=dict)
    restarts: int = 0
    crowds: int = 0
    links_expired: int = 0
    seen_early: int = 0

    # -- one schedule ------------------------------------------------------------------------

    async def run(self, plan: Plan | Restart | Crowd) -> Result:
        """Run a schedule and check it."""
        began = time.monotonic()
        found: list[str] = []
        owners: list[str] = []
        outcome = "?"
        try:
            if isinstance(plan, Restart):
                outcome = await self._run_restart(plan, owners)
            elif isinstance(plan, Crowd):
                outcome = await self._run_crowd(plan, owners)
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

    async def _run_crowd(self, crowd: Crowd, owners: list[str]) -> str:
        """Whoever comes after many songs of one owner has only the owner's share ahead."""
        _, his = await self._new_owner(owners)
        self.director.enlist(his, [])
        self.background.delays[his] = (crowd.plan, [])
        song = self.songs[crowd.plan.song].read_bytes()
        bucket = self.cloud.deployment.uploads_bucket

        def put(number: int) -> None:
            client = self.cloud.deployment.client("s3")
            client.put_object(Bucket=bucket, Key=f"inbox/{his}/{number}.wav", Body=song)

        async def until(condition: Callable[[list[Version]], bool]) -> None:
            """All his jobs are there, and it is so with each of them."""
            deadline = time.monotonic() + STUCK_SECONDS
            while time.monotonic() < deadline:
                jobs = self.director.jobs_of(his).values()
                if len(jobs) == crowd.songs and all(map(condition, jobs)):
                    return
                await asyncio.sleep(0.1)
            raise Violation(
                f"stuck: {[str(versions[-1]) for versions in self.director.jobs_of(his).values()]}"
            )

        for number in range(crowd.songs):
            await persist(partial(asyncio.to_thread, put, number))
        await until(lambda versions: True)
        outcome = await self._run_plan(crowd.plan, owners)
        await until(lambda versions: versions[-1].status.is_final)
        statuses = {versions[-1].status for versions in self.director.jobs_of(his).values()}
        if statuses != {Status.COMPLETED}:
            raise Violation(f"of {crowd.songs} songs at once some are {statuses}")
        await self._check_account(his)
        if (there := self.director.most[his]) > WORKERS:
            raise Violation(f"{there} jobs of one owner were with {WORKERS} workers at once")
        if (ahead := self._ahead_of(owners[-1], his)) > (most := share(WORKERS, {})):
            raise Violation(f"{ahead} of another's jobs went to the workers before, and not {most} at most")
        self.crowds += 1
        return outcome

    def _ahead_of(self, owner: str, other: str) -> int:
        """How many of another's jobs were claimed from the letting in of an owner's job to its claim."""
        since = self.director.turns[self.director.turns.index((owner, Step.LET_IN)) :]
        return since[: since.index((owner, Step.CLAIM))].count((other, Step.CLAIM))

    async def _new_owner(self, owners: list[str]) -> tuple[str, str]:
        """A token, and whose it is."""
        email = f"{uuid4().hex}@example.com"
        token = await persist(lambda: asyncio.to_thread(self._sign_in, email))
        owner = await persist(lambda: asyncio.to_thread(self.cloud.deployment.user_id, email))
        owners.append(owner)
        return token, owner

    async def _run_plan(self, plan: Plan, owners: list[str]) -> str:
        token, owner = await self._new_owner(owners)
        faults = list(plan.faults)
        if plan.link_expires:
            faults.append(ShortRead(step=Step.DOWNLOAD, share=0.5))
        if plan.wish:
            faults += [moment for moment in (plan.wish.moment, plan.wish.slow) if moment]
        self.director.enlist(owner, faults)
        self.background.delays[owner] = (plan, [])
        headers = {"Authorization": f"Bearer {token}"}
        url = self.cloud.deployment.api_url
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as api:
            someone = Owner(self.cloud, self.director, plan, self.songs, owner, api)
            name = await someone.upload()
            if plan.wish:
                await someone.fulfil(plan.wish, name)
            looking = asyncio.create_task(self._look_early(someone))
            try:
                await self._until_done(someone, name)
                if looking.done():
                    looking.result()
            finally:
                looking.cancel()
            outcome = await self._check(someone, name)
            if outcome == "completed":
                await someone.take_song_away()
        return outcome

    def _sign_in(self, email: str) -> str:
        return self.cloud.deployment.token(email)

    # -- waiting and checking ----------------------------------------------------------------

    async def _until_done(self, owner: Owner, name: str) -> None:
        deadline = time.monotonic() + STUCK_SECONDS
        while time.monotonic() < deadline:
            jobs = self.director.jobs_of(owner.id)
            if owner.has_ended(name) and all(versions[-1].status.is_final for versions in jobs.values()):
                return
            await asyncio.sleep(0.1)
        states = [str(versions[-1]) for versions in self.director.jobs_of(owner.id).values()]
        raise Violation(f"stuck after {STUCK_SECONDS} s: {states or 'no job at all'}")

    async def _check(self, owner: Owner, name: str) -> str:
        found = owner.find(name)
        assert found
        last, plan = found[1][-1], owner.plan
        jobs = self.director.jobs_of(owner.id)
        outcome = _check_outcome(plan, last)
        # Whoever asks for a job and hears nothing asks again, and the first one goes on awaiting its upload.
        others = [versions[-1].error_code != "upload_missing" for versions in jobs.values()]
        if sum(others) > (2 if plan.way is Way.REPLACED else 1):
            raise Violation(f"{sum(others)} jobs of one upload")
        for job_id, versions in jobs.items():
            item = await persist(partial(asyncio.to_thread, self.cloud.job, owner.id, job_id))
            if (item and Version.read(item)) != (None if versions[-1].is_forgotten else versions[-1]):
                raise Violation(f"the table holds {item}, and the last write was {versions[-1]}")

        async def listed() -> Any:
            answer = await owner.api.get("/v1/jobs")
            return {view["id"]: view for view in answer.raise_for_status().json()["jobs"]}

        there = {job_id: versions[-1] for job_id, versions in jobs.items() if not versions[-1].is_forgotten}
        views = await persist(listed)
        if views.keys() != there.keys():
            raise Violation(f"the API lists {views.keys()}, and there are {there.keys()}")
        for job_id, job in there.items():
            if job.status is Status.COMPLETED:
                await self._check_files(owner, job_id, job)
        await self._check_account(owner.id)
        if all(isinstance(fault, LoseAnswer) and fault.times == 1 for fault in plan.faults if fault.happened):
            await self._check_that_nothing_is_lost(owner.id, there)
        return outcome

    async def _check_account(self, owner: str) -> None:
        """The owner is counted for what there is, and for nothing else."""
        if (wrong := await persist(partial(wrong_account, self.cloud, self.director, owner))) is not None:
            raise Violation(wrong)

    async def _check_that_nothing_is_lost(self, owner: str, jobs: dict[str, Version]) -> None:
        """What a single lost answer is no reason for: a claim that nobody works on, files that are left."""
        for job_id, versions in self.director.jobs_of(owner).items():
            for before, claimed, after in zip(versions, versions[1:], versions[2:], strict=False):
                is_claim = claimed.attempt == before.attempt + 1
                if is_claim and after.status is Status.QUEUED and after.writer is None:
                    raise Violation(f"attempt {claimed.attempts} at {job_id} was claimed, and left")
        files = {key for job in jobs.values() for key in job.keys_in_use}
        songs = {key for job in jobs.values() if not job.is_deleting for key in job.upload_keys}
        deployment = self.cloud.deployment
        histories = self.director.jobs_of(owner).values()
        if any(version.attempts > 1 for versions in histories for version in versions):
            # What an attempt left that was given up is sweep's, an hour later.
            return
        for bucket, prefix, wanted in (
            (deployment.stems_bucket, f"{owner}/", files),
            (deployment.uploads_bucket, f"jobs/{owner}/", {key for key in songs if key.startswith("jobs/")}),
        ):
            deadline = time.monotonic() + FILES_SECONDS
            while (stored := await self._stored(bucket, prefix)) - wanted and time.monotonic() < deadline:
                await asyncio.sleep(0.5)
            if stored - wanted:
                raise Violation(f"nobody's files are left: {stored - wanted}")

    async def _stored(self, bucket: str, prefix: str) -> set[str]:
        return set(await persist(partial(asyncio.to_thread, self.cloud.keys, bucket, prefix)))

    async def _check_files(self, owner: Owner, job_id: str, job: Version) -> None:
        files = partial(self._files, owner.api, job_id)
        if (names := (await persist(files)).keys()) != job.files.keys():
            raise Violation(f"of {job_id} the API has {names}, and the job {job.files}")
        found = await self._hashes(owner.plan, files)
        expected = self.expected.setdefault(self._made_of(owner.plan, job), found)
        if job.analysis_error_code:  # what was there before
            expected = {name: content for name, content in expected.items() if name in found}
        if found != expected:
            different = {name for name, _ in found.items() ^ expected.items()}
            raise Violation(
                f"other {', '.join(different)} than an undisturbed run makes of {owner.plan.song}"
            )

    def _made_of(self, plan: Plan, job: Version) -> tuple[str, str]:
        """What the job's files depend on: what was uploaded, and what was asked for."""
        if plan.way is Way.STEMS:
            return "stems", ""
        song = plan.song
        if plan.way is Way.REPLACED:
            etags = {name: hashlib.md5(self.songs[name].read_bytes()).hexdigest() for name in GOOD}
            song = next(name for name, etag in etags.items() if etag == job.etag)
        wanted = job.output_format if separates(plan.way, song) else ""
        return song, f"{wanted}, listened to" if job.listens else wanted

    async def _look_early(self, owner: Owner) -> None:
        """See the stems of a song while it is listened to, as its owner may, who wants nothing else of it."""
        while owner.plan.listens and not owner.plan.wish:
            await asyncio.sleep(0.1)
            for job_id, versions in self.director.jobs_of(owner.id).items():
                if versions[-1].status is Status.PROCESSING and versions[-1].stem_keys:
                    return await self._check_early(owner, job_id, versions[-1])

    async def _check_early(self, owner: Owner, job_id: str, job: Version) -> None:
        async def view() -> dict[str, Any]:
            answer = await owner.api.get(f"/v1/jobs/{job_id}")
            seen: dict[str, Any] = answer.raise_for_status().json()
            return seen

        async def links() -> dict[str, str]:
            stems: dict[str, str] = (await view())["results"]["stems"]
            return {f"{stem}.{job.output_format}": link for stem, link in stems.items()}

        results, found = (await persist(view))["results"], await self._hashes(owner.plan, links)
        expected = self.expected.get(self._made_of(owner.plan, job), found)
        if results["stems"].keys() != (job.stem_keys or {}).keys() or not found.items() <= expected.items():
            raise Violation(f"while it is listened to, {job_id} has {results}")
        self.seen_early += results["analysis"]["state"] == "pending"

    async def _files(self, api: httpx.AsyncClient, job_id: str) -> dict[str, str]:
        answer = await api.get(f"/v1/jobs/{job_id}/files")
        return {file["name"]: file["url"] for file in answer.raise_for_status().json()["files"]}

    async def _hashes(self, plan: Plan, links: Callable[[], Awaitable[dict[str, str]]]) -> Files:
        found = {}
        for name in await persist(links):
            found[name] = hashlib.sha256(await self._download(plan, name, links)).hexdigest()
        return found

    async def _download(self, plan: Plan, name: str, links: Callable[[], Awaitable[dict[str, str]]]) -> bytes:
        """A file, however often its link expires and its connection breaks."""
        content = b""
        url = (await persist(links))[name]
        deadline = time.monotonic() + 60
        async with httpx.AsyncClient(timeout=30) as client:
            while time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    async with client.stream("GET", url, headers={"Range": f"bytes={len(content)}-"}) as got:
                        if got.status_code == 403:
                            self.links_expired += bool(content)
                            url = (await persist(links))[name]
                            continue
                        got.raise_for_status()
                        async for chunk in got.aiter_raw():
                            content += chunk
                        return content
                if plan.link_expires:
                    await asyncio.sleep(DOWNLOAD_LINK_SECONDS + 0.5)
        raise Violation(f"{name} cannot be downloaded")


async def wrong_account(cloud: Cloud, director: Director, owner: str) -> str | None:
    """What is wrong with an owner's account; None if nothing is."""
    deployment = cloud.deployment
    sizes = await asyncio.to_thread(cloud.sizes, deployment.stems_bucket, f"{owner}/")
    due = account(director.jobs_of(owner).values(), sizes)
    counted = await asyncio.to_thread(cloud.account, owner)
    if all(abs(counted[name] - due[name]) < 1e-6 for name in due):
        return None
    return f"counted for {counted}, and there is {due}"


def _check_outcome(plan: Plan, job: Version) -> str:
    """What became of the job, which must be what was to be expected."""
    happened = sum(fault.happened for fault in plan.faults)
    outcome = "forgotten" if job.is_forgotten else job.error_code or str(job.status)
    if job.analysis_error_code and not job.is_forgotten:
        outcome += f" without analysis: {job.analysis_error_code}"
    deed = plan.wish and plan.wish.deed
    if deed is Deed.CANCEL:
        allowed = {"cancelled", "forgotten"}  # had it ended before, it is forgotten
    elif deed in (Deed.FORGET, Deed.RETRY_DELETED):
        allowed = {"forgotten"}
    elif plan.way is Way.NEVER and deed is not Deed.ASK_AGAIN:
        allowed = {"upload_missing"}
    else:
        allowed = {BAD.get(plan.song, "completed")}
    if outcome not in allowed:
        # No attempt is lost for nothing, or one, where this machine is too busy.
        too_much = job.reason in OUR_SIDE and job.attempt == job.last_attempt and happened >= MAX_ATTEMPTS - 1
        if not (too_much or (happened and job.reason == "undeliverable")):
            raise Violation(f"{outcome} in attempt {job.attempts}, and not {allowed}")
    return outcome


@asynccontextmanager
async def ready(state: Path, sabotage: Sabotage | None) -> AsyncIterator[Runner]:
    """The cloud, the proxy and what goes on beside the schedules, until the block ends."""
    cloud = Cloud(state / "cloud", free_port(), free_port())
    director = Director(cloud.read, sabotage)
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
