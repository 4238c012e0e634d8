"""A job, watched over the WebSocket API while it goes through the deployed template."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from local.cloud import Deployment
from tests import wire

Job = dict[str, Any]
PRODUCER, STRANGER = "producer@example.com", "stranger@example.com"
# MiniStack starts a process for each invocation of a function that overlaps another, so that hundreds of
# connections take it minutes; tests/integration has a thousand.
IDLE = 30


@asynccontextmanager
async def watching(cloud: Deployment, email: str = PRODUCER) -> AsyncIterator[ClientConnection]:
    """A connection of somebody's."""
    async with connect(f"{cloud.live_url}?token={cloud.token(email)}", open_timeout=60) as socket:
        yield socket


async def say(socket: ClientConnection, **message: Any) -> Any:
    """Send a message; returns what is said to it, jobs aside."""
    await socket.send(json.dumps(message))
    while (answer := await hear(socket))["type"] == "job":
        pass
    return answer


async def hear(socket: ClientConnection, seconds: float = 30) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), seconds))


async def watch(socket: ClientConnection, job_id: str) -> list[Job]:
    """Every state of a job that is told, the last being final; a client drops older ones, and so here."""
    seen: list[Job] = []
    while not seen or seen[-1]["status"] not in wire.FINAL:
        message = await hear(socket)
        if message["type"] == "job" and message["job"]["id"] == job_id:
            job = message["job"]
            if not seen or job["version"] > seen[-1]["version"]:
                seen.append(job)
    return seen


def send(api: httpx.Client, song: Path) -> str:
    created = wire.create_job(api, song)
    wire.upload(created["upload"], song)
    return str(created["job"]["id"])


def lasting(job: Job) -> Job:
    """What does not change from one look to the next: links are signed anew."""
    return {**job, "results": sorted(job["results"]["stems"])}


def subscriptions(cloud: Deployment) -> list[Any]:
    items: list[Any] = cloud.client("dynamodb").scan(TableName=cloud.connections_table)["Items"]
    return items


async def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def run(test: Awaitable[None]) -> None:
    async def main() -> None:
        await asyncio.wait_for(test, 120)

    asyncio.run(main())


def test_all_who_watch_see_every_change_at_least_one_a_second_and_the_same_end(
    cloud: Deployment, api: httpx.Client, long_song: Path
) -> None:
    async def test() -> None:
        async with (
            watching(cloud) as one,
            watching(cloud) as two,
            watching(cloud) as everything,
            watching(cloud, STRANGER) as stranger,
        ):
            assert await say(everything, action="subscribe") == {"type": "subscribed", "jobId": None}
            assert await say(stranger, action="subscribe") == {"type": "subscribed", "jobId": None}
            job_id = await asyncio.to_thread(send, api, long_song)
            assert (await say(stranger, action="subscribe", jobId=job_id))["error"]["code"] == "job_not_found"
            for socket in (one, two):
                assert (await say(socket, action="subscribe", jobId=job_id))["type"] == "subscribed"
            seen = await asyncio.gather(*(watch(socket, job_id) for socket in (one, two, everything)))

            final = wire.get_job(api, job_id)
            assert final["status"] == "completed"
            assert httpx.get(seen[0][-1]["results"]["stems"]["vocals"]).is_success
            seconds = (
                datetime.fromisoformat(final["completedAt"]) - datetime.fromisoformat(final["startedAt"])
            ).total_seconds()
            for states in seen:
                assert lasting(states[-1]) == lasting(final)
                working = [job for job in states if job["status"] == "processing"]
                assert len(working) >= seconds - 1
                progress = [job["progress"] for job in states]
                assert progress == sorted(progress)
            with pytest.raises(TimeoutError):
                await hear(stranger, seconds=0.5)

    run(test())


def test_whoever_comes_back_is_shown_the_present_state(
    cloud: Deployment, api: httpx.Client, song: Path
) -> None:
    async def test() -> None:
        job_id = wire.create_job(api, song)["job"]["id"]
        async with watching(cloud) as socket:
            await say(socket, action="subscribe", jobId=job_id)
            assert (await hear(socket))["job"]["status"] == "awaiting_upload"
        done = await asyncio.to_thread(send, api, song)
        await asyncio.to_thread(lambda: list(wire.watch(api, done, seconds=60)))
        async with watching(cloud) as socket:
            await say(socket, action="subscribe", jobId=done)
            assert (await hear(socket))["job"]["status"] == "completed"
            assert await say(socket, action="ping") == {"type": "pong"}
            assert (await say(socket, action="dance"))["error"]["code"] == "invalid_request"

    run(test())


@pytest.mark.parametrize("query", ["", "?token=", "?token=no.such.token", "?token={token}AAAA"])
def test_without_a_good_token_nobody_connects(cloud: Deployment, query: str) -> None:
    async def test() -> None:
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(cloud.live_url + query.format(token=cloud.token()), open_timeout=60):
                pass
        assert refusal.value.response.status_code in (401, 403)

    run(test())


def test_a_reader_that_vanished_is_forgotten(cloud: Deployment, api: httpx.Client, song: Path) -> None:
    async def test() -> None:
        # One that said goodbye, and one of which API Gateway knows nothing any more.
        async with watching(cloud) as socket:
            await say(socket, action="subscribe")
        ghost = {"owner": {"S": cloud.user_id()}, "id": {"S": "ghost"}, "everything": {"BOOL": True}}
        ghost["expiresAt"] = {"N": str(int(time.time()) + 60)}
        cloud.client("dynamodb").put_item(TableName=cloud.connections_table, Item=ghost)
        async with watching(cloud) as socket:
            await say(socket, action="subscribe")
            job_id = wire.create_job(api, song)["job"]["id"]
            while (await hear(socket)).get("job", {}).get("id") != job_id:
                pass
            await eventually(lambda: len(subscriptions(cloud)) == 1)
        await eventually(lambda: subscriptions(cloud) == [])

    run(test())


def test_many_idle_connections_hold_nobody_up(cloud: Deployment, api: httpx.Client, song: Path) -> None:
    async def test() -> None:
        url = f"{cloud.live_url}?token={cloud.token()}"
        async with AsyncExitStack() as stack, watching(cloud) as socket:
            await say(socket, action="subscribe")
            for _ in range(IDLE):
                await stack.enter_async_context(connect(url, open_timeout=60, ping_interval=None))
            job_id = await asyncio.to_thread(send, api, song)
            states = await watch(socket, job_id)
            assert states[-1]["status"] == "completed"

    run(test())


@pytest.mark.parametrize("language", ["python", "js"])
def test_the_examples_of_the_documentation_run(
    cloud: Deployment, api: httpx.Client, song: Path, root: Path, tmp_path: Path, language: str
) -> None:
    (example,) = re.findall(
        rf"^```{language}\n(.*?)^```", (root / "docs/websocket.md").read_text(), re.M | re.S
    )
    values = {"LIVE_URL": cloud.live_url, "TOKEN": cloud.token(), "job_id": send(api, song)}
    if language == "python":
        command = [sys.executable, "-c", "\n".join(f"{name} = {value!r}" for name, value in values.items())]
        command[-1] += "\n" + example
    else:
        if not shutil.which("node"):
            pytest.skip("needs node")
        call = "watch({LIVE_URL!r}, async () => {TOKEN!r}, {job_id!r}, (job) => console.log(job.status));"
        # Before its version 22, Node has a browser's WebSocket only when it is asked for.
        command = ["node", "--experimental-websocket", "-e", example + call.format(**values)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stdout.strip().splitlines()[-1]
