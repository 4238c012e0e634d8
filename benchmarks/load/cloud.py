"""A local cloud of its own, which songs are sent to, and whose users listen to what becomes of them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import connect

from benchmarks.load.outcome import Change, Heard, Made, Outcome, Sent, outcome
from benchmarks.processes import BenchError
from local import workers
from local.cloud import Deployment, running
from local.server import HOST, free_port
from stempipe_client import Client, Pace

# Calls that may be under way at once: so many that a slow answer holds up no other song.
_SENDERS = 64
# From the last song's intended start until all should be done, and until what is told of it has come.
_DONE_SECONDS = 120.0
_TOLD_SECONDS = 5.0
_CONNECT_SECONDS = 60.0

Send = Callable[[Sent], None]


@dataclass(frozen=True)
class Cloud:
    """The cloud, and its users: their tokens by their ids."""

    deployment: Deployment
    users: Mapping[str, str]
    state: Path

    @property
    def temporary(self) -> Path:
        """Where its processes have their temporary files."""
        return self.state.resolve() / "tmp"

    def run(self, name: str, moments: Sequence[float], seconds: float, send: Send) -> Outcome:
        """Send a song at each moment, of users in turn, and wait until nothing is left to happen.

        ``send`` returns once the service has the song, and raises if it does not.
        """
        return asyncio.run(self._run(name, moments, seconds, send))

    async def _run(self, name: str, moments: Sequence[float], seconds: float, send: Send) -> Outcome:
        owners = [*self.users]
        heard = Heard()
        async with self._listening(heard):
            began = time.time() + 0.5
            sent = [
                Sent(f"{name}-{number}.wav", owners[number % len(owners)], began + moment)
                for number, moment in enumerate(moments)
            ]
            with ThreadPoolExecutor(_SENDERS, "sender") as senders:
                await asyncio.gather(*(self._send(song, send, senders) for song in sent))
            await self._wait_until_done({song.name for song in sent}, heard)
        made = [job for job in await asyncio.to_thread(self._made) if job.name.startswith(f"{name}-")]
        return outcome(len(moments) / seconds, sent, made, heard)

    async def _send(self, song: Sent, send: Send, senders: ThreadPoolExecutor) -> None:
        await asyncio.sleep(song.intended - time.time())
        try:
            await asyncio.get_running_loop().run_in_executor(senders, send, song)
        except Exception as error:
            print(f"{song.name} was refused: {error}")
        else:
            song.accepted = time.time()

    async def _wait_until_done(self, names: set[str], heard: Heard) -> None:
        deadline = time.monotonic() + _DONE_SECONDS
        while len(heard.ends) < len(names) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        await asyncio.sleep(_TOLD_SECONDS)  # what is told twice

    # -- what is told --------------------------------------------------------------------------

    @asynccontextmanager
    async def _listening(self, heard: Heard) -> AsyncIterator[None]:
        """Every user hears of all of its jobs."""
        listeners = []
        try:
            # One after the other: at once, each would have processes started for it.
            for token in self.users.values():
                ready = asyncio.Event()
                listeners.append(asyncio.create_task(self._listen(token, heard, ready)))
                await asyncio.wait_for(ready.wait(), _CONNECT_SECONDS)
            yield
            if over := [one for one in listeners if one.done()]:
                raise BenchError(f"{len(over)} connections ended: {over[0].exception()}")
        finally:
            for one in listeners:
                one.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)

    async def _listen(self, token: str, heard: Heard, ready: asyncio.Event) -> None:
        async with connect(
            f"{self.deployment.live_url}?token={quote(token)}", open_timeout=_CONNECT_SECONDS
        ) as socket:
            await socket.send(json.dumps({"action": "subscribe"}))
            async for text in socket:
                at = time.time()
                message = json.loads(text)
                if message["type"] == "subscribed":
                    ready.set()
                elif message["type"] == "job":
                    job = message["job"]
                    heard.hear(job["id"], job["version"], [it for it in Change if job[it]], at)

    # -- what is there -------------------------------------------------------------------------

    def _made(self) -> list[Made]:
        results = Counter(
            attempt.rpartition("/")[0] for attempt in {"/".join(key.split("/")[:3]) for key in self._keys()}
        )
        pages = self.deployment.client("dynamodb").get_paginator("scan")
        jobs = pages.paginate(TableName=self.deployment.jobs_table, ConsistentRead=True)
        return [_read(item, results) for page in jobs for item in page["Items"]]

    def _keys(self) -> Iterator[str]:
        pages = self.deployment.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.deployment.stems_bucket):
            yield from (item["Key"] for item in page.get("Contents", []))


def _read(item: Mapping[str, Any], results: Counter[str]) -> Made:
    times = {it: datetime.fromisoformat(item[it]["S"]).timestamp() for it in Change if it in item}
    attempts = int(item["attempt"]["N"]) - int(item["making"]["N"])
    found = results[f"{quote(item['owner']['S'], safe='')}/{item['id']['S']}"]
    return Made(item["id"]["S"], item["filename"]["S"], item["status"]["S"], attempts, times, found)


def into_the_inbox(cloud: Cloud) -> Send:
    """Sends a few bytes straight into its owner's folder; they are a song to an engine that sleeps."""
    s3 = cloud.deployment.client("s3")

    def put(song: Sent) -> None:
        key = f"inbox/{quote(song.owner)}/{song.name}"
        s3.put_object(Bucket=cloud.deployment.uploads_bucket, Key=key, Body=song.name.encode())

    return put


def through_the_api(cloud: Cloud, file: Path) -> Send:
    """Sends a file as a client does: a job is made, and the file uploaded where the answer says."""
    pace = Pace(pauses=())  # what is refused once is refused
    clients = {
        owner: Client(cloud.deployment.api_url, token, pace=pace) for owner, token in cloud.users.items()
    }

    def send(song: Sent) -> None:
        client = clients[song.owner]
        named = file.with_name(song.name)
        named.hardlink_to(file)
        try:
            created = client.create(named)
            client.send(created, named)
        finally:
            named.unlink()

    return send


@contextmanager
def cloud_of(folder: Path, users: int, poll: int, python: Path = Path(sys.executable)) -> Iterator[Cloud]:
    """A new local cloud with some users, and with workers that poll in place of Lambda's.

    Load goes to no other: there is no way to name one.
    """
    state = folder / "cloud"
    parameters = workers.instead_of_lambda(poll)
    with running(port=free_port(), state=state, parameters=parameters, python=python) as deployment:
        hold_to_this_machine(deployment.endpoint, deployment.api_url, deployment.live_url)
        with workers.running(deployment, poll, state=state, python=python):
            emails = [f"load-{number}@example.com" for number in range(users)]
            tokens = {deployment.token(email): email for email in emails}
            yield Cloud(
                deployment, {deployment.user_id(email): token for token, email in tokens.items()}, state
            )


def hold_to_this_machine(*addresses: str) -> None:
    """See to it that load goes nowhere else.

    Raises
    ------
    BenchError
        An address is not this machine's.
    """
    for address in addresses:
        if urlsplit(address).hostname != HOST:
            raise BenchError(f"Load is for a local cloud alone, not for {address}")
