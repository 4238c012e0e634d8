"""An owner who takes all that he may have beside another: she does not wait for him."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect

from local.cloud import Deployment
from stempipe.adapters.connections import MOST
from tests import wire
from tests.receiver import Receiver, hang, receiving

MALLORY, ZOE = "mallory@example.com", "zoe@example.com"
JOBS = 30
SONGS, WORKERS = 14, 2
HANGS = 60.0  # Seconds that his callbacks keep whoever calls them.
# A call that overlaps another has a process of its own started for it, of every function that hears of a job.
STARTS = 4.0


@dataclass(frozen=True)
class Told:
    """Seconds from a job's making until its end was told."""

    webhook: float
    socket: float


async def send(cloud: Deployment, api: httpx.Client, song: Path, receiver: Receiver) -> Told:
    """Have a song separated, and wait to be told both ways."""
    async with connect(f"{cloud.live_url}?token={cloud.token(ZOE)}", open_timeout=60) as socket:
        await socket.send(json.dumps({"action": "subscribe"}))
        await socket.recv()
        began = time.monotonic()
        body = {"filename": song.name, "size": song.stat().st_size, "callbackUrl": receiver.url}
        created = (await asyncio.to_thread(api.post, "/v1/jobs", json=body)).raise_for_status().json()
        await asyncio.to_thread(wire.upload, created["upload"], song)
        seen = await end_of(socket, created["job"]["id"]) - began
        while not any(json.loads(it.body)["id"] == created["job"]["id"] for it in receiver.received):
            await asyncio.sleep(0.02)
    return Told(receiver.received[-1].at - began, seen)


async def end_of(socket: ClientConnection, job_id: str) -> float:
    """When the job's end was told."""
    while True:
        message = json.loads(await socket.recv())
        if message["type"] == "job" and message["job"]["id"] == job_id:
            assert message["job"]["status"] != "failed", message["job"]
            if message["job"]["status"] == "completed":
                return time.monotonic()


async def hold_all_connections(cloud: Deployment, sockets: AsyncExitStack) -> int:
    """Open connections that watch everything until no more may; returns how many do."""
    url = f"{cloud.live_url}?token={cloud.token(MALLORY)}"
    for count in range(MOST + 1):
        socket = await sockets.enter_async_context(connect(url, open_timeout=60))
        await socket.send(json.dumps({"action": "subscribe"}))
        if json.loads(await socket.recv())["type"] != "subscribed":
            return count
    raise AssertionError("nobody stops him")


def make_and_cancel(api: httpx.Client, receiver: Receiver) -> None:
    """A job whose callback never hears of it in time, and an upload that never comes."""
    body = {"filename": "song.mp3", "size": 1000, "callbackUrl": receiver.url}
    job = api.post("/v1/jobs", json=body).raise_for_status().json()["job"]
    api.delete(f"/v1/jobs/{job['id']}").raise_for_status()
    api.post("/v1/jobs", json={"filename": "song.mp3", "size": 1000}).raise_for_status()


def ended(api: httpx.Client) -> set[str]:
    """The ids of somebody's jobs that have come to an end, which is a good one."""
    jobs = api.get("/v1/jobs", params={"limit": 100}).raise_for_status().json()["jobs"]
    assert {job["status"] for job in jobs} <= {"awaiting_upload", "queued", "processing", "completed"}
    return {job["id"] for job in jobs if job["status"] == "completed"}


def used(api: httpx.Client, what: str) -> float:
    """How much of something somebody is counted for."""
    quota = api.get("/v1/quota").raise_for_status().json()
    return float(quota[what]["used"])


def test_who_sends_many_songs_lets_anothers_go_first(
    cloud: Deployment, sign_in: Callable[[str], httpx.Client], song: Path
) -> None:
    zoe, mallory = sign_in("zoe-songs@example.com"), sign_in("mallory-songs@example.com")
    his = f"inbox/{cloud.user_id('mallory-songs@example.com')}"
    for number in range(SONGS):
        cloud.client("s3").upload_file(str(song), cloud.uploads_bucket, f"{his}/{number}.mp3")
    deadline = time.monotonic() + 300
    while used(mallory, "bytesKept") < SONGS * song.stat().st_size:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    body = {"filename": song.name, "size": song.stat().st_size}
    created = zoe.post("/v1/jobs", json=body).raise_for_status().json()
    wire.upload(created["upload"], song)
    while zoe.get(f"/v1/jobs/{created['job']['id']}").json()["status"] == "awaiting_upload":
        time.sleep(0.1)
    before = ended(mallory)
    while not ended(zoe):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    # Those that ran when she came, and what the other worker has done beside hers.
    beside = len(ended(mallory) - before)
    assert beside <= WORKERS + 2
    assert len(before) + beside < SONGS
    while len(ended(mallory)) < SONGS:  # nobody is forgotten
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert used(mallory, "openJobs") == 0


def test_whoever_takes_all_that_he_may_have_holds_up_nobody_else(
    cloud: Deployment, sign_in: Callable[[str], httpx.Client], song: Path
) -> None:
    zoe, mallory = sign_in(ZOE), sign_in(MALLORY)

    async def test(hers: Receiver, his: Receiver) -> None:
        await send(cloud, zoe, song, hers)  # so that every function has been called once
        alone = [await send(cloud, zoe, song, hers) for _ in range(2)]
        usual = Told(max(told.webhook for told in alone), max(told.socket for told in alone))
        async with AsyncExitStack() as sockets:
            assert await hold_all_connections(cloud, sockets) == MOST
            his.answers = [hang(HANGS)]
            await asyncio.gather(*(asyncio.to_thread(make_and_cancel, mallory, his) for _ in range(JOBS)))
            beside = [await send(cloud, zoe, song, hers) for _ in range(2)]
        assert his.received
        for told in beside:
            assert told.webhook <= 2 * usual.webhook + STARTS < HANGS
            assert told.socket <= 2 * usual.socket + STARTS < HANGS

    with receiving() as hers, receiving() as his:
        asyncio.run(asyncio.wait_for(test(hers, his), 300))
