"""Changes of a job, as the WebSocket API tells them."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from stempipe_client.models import Job

OPEN_SECONDS = 10.0


class Silence(Exception):
    """There is no connection, or there is none any more."""


class _Straight(ClientConnection):
    """A connection to where it was asked for: no redirect is followed, which could lead to this machine."""

    def handshake(self, *arguments: Any, **named: Any) -> None:
        try:
            super().handshake(*arguments, **named)
        except InvalidStatus as refusal:
            raise Silence(str(refusal)) from refusal


def follow(url: str, token: str, job_id: str, silence: float) -> Iterator[Job]:
    """The job as it is, and then after each change, without end.

    After so many seconds of silence it is asked for again, and after as many more the connection is dead.

    Raises
    ------
    Silence
        The service cannot be reached this way, or no longer.
    """
    subscribe = json.dumps({"action": "subscribe", "jobId": job_id})
    try:
        with connect(
            f"{url}?token={quote(token)}",
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
            create_connection=_Straight,
        ) as socket:
            socket.send(subscribe)
            asked = True
            while True:
                try:
                    message = json.loads(socket.recv(timeout=silence))
                except TimeoutError:
                    if asked:
                        raise
                    socket.send(subscribe)
                    asked = True
                    continue
                if message.get("type") == "error":
                    raise Silence(message["error"]["message"])
                asked = False
                if message.get("type") == "job" and message["job"]["id"] == job_id:
                    yield Job.model_validate(message["job"])
    except Exception as error:  # whatever the service says: what it does not say well is polled
        raise Silence(str(error)) from error
