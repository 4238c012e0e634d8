"""A local cloud of its own, which songs are sent to, and whose users listen to what becomes of them."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

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
_TOKEN_SECONDS = 1800.0

Send = Callable[[Sent], None]


@dataclass(frozen=True)
class Cloud:
    """The cloud, and its users.

    Attributes
    ----------
    users
        Their addresses, by their ids.
    state
        The cloud's folder.
    heard
        What they have been told.
    """

    deployment: Deployment
    users: Mapping[str, str]
    state: Path
    heard: Heard = field(default_factory=Heard)

    @property
    def temporary(self) -> Path:
        """Where its processes have their temporary files."""
        return self.state.resolve() / "tmp"

    def run(self, name: str, moments: Sequence[float], seconds: float, send: Send) -> Outcome:
        """Send a song at each moment, of users in turn, and wait until nothing is left to happen.

        ``send`` returns once the service has the song, and raises if it does not.
        """
        owners, began = [*self.users], time.time()
        sent = [
            Sent(f"{name}-{number}.wav", owners[number % len(owners)], began + moment)
            for number, moment in enumerate(moments)
        ]
        with ThreadPoolExecutor(_SENDERS, "sender") as senders:
            for song in sent:
                time.sleep(max(0.0, song.intended - time.time()))
                senders.submit(_send, song, send)
        deadline = time.monotonic() + _DONE_SECONDS
        taken = {song.name for song in sent if song.accepted is not None}
        while not taken <= self.heard.done and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(_TOLD_SECONDS)  # for what is told twice
        if self.heard.cut:
            raise BenchError(f"Connections ended: {self.heard.cut[0]}")
        made = [job for job in self._made() if job.name.startswith(f"{name}-")]
        return outcome(len(moments) / seconds, sent, made, self.heard)

    # -- what is told --------------------------------------------------------------------------

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Every user hears of all of its jobs, until the block ends."""
        with ExitStack() as sockets:
            listeners = []
            # One after the other: at once, each would have processes started for it.
            for email in self.users.values():
                url = f"{self.deployment.live_url}?token={quote(self.deployment.token(email))}"
                socket = sockets.enter_context(connect(url, open_timeout=_CONNECT_SECONDS))
                socket.send(json.dumps({"action": "subscribe"}))
                socket.recv(timeout=_CONNECT_SECONDS)
                listeners.append(Thread(target=self._listen, args=[socket], name="listener"))
                listeners[-1].start()
            try:
                yield
            finally:
                sockets.close()
                for one in listeners:
                    one.join()

    def _listen(self, socket: ClientConnection) -> None:
        try:
            for text in socket:
                at = time.time()
                message = json.loads(text)
                if message["type"] == "job":
                    job = message["job"]
                    changes = [change for change in Change if job[change]]
                    self.heard.hear(job["id"], job["source"]["filename"], job["version"], changes, at)
        except ConnectionClosed as closed:
            self.heard.cut.append(closed)

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


def _send(song: Sent, send: Send) -> None:
    try:
        send(song)
    except Exception as error:  # whatever it is, the song is lost
        print(f"{song.name} was refused: {error}", flush=True)
    else:
        song.accepted = time.time()


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
    clients = {
        owner: Client(cloud.deployment.api_url, _token(cloud.deployment, email), pace=Pace(pauses=()))
        for owner, email in cloud.users.items()
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


def _token(deployment: Deployment, email: str) -> Callable[[], str]:
    """One that is good now: each is for an hour."""
    held = (0.0, "")

    def token() -> str:
        nonlocal held
        if held[0] < time.monotonic():
            held = time.monotonic() + _TOKEN_SECONDS, deployment.token(email)
        return held[1]

    return token


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
            for email in emails:
                deployment.token(email)  # there is such a user from now on
            cloud = Cloud(deployment, {deployment.user_id(email): email for email in emails}, state)
            with cloud.listening():
                yield cloud


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
