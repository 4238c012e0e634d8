"""Changes of a job, as the WebSocket API tells them."""

import json
from collections.abc import Iterator
from urllib.parse import quote

from websockets.sync.client import connect

from stempipe_client.models import Job

OPEN_SECONDS = 10.0


class Silence(Exception):
    """There is no connection, or there is none any more."""


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
        with connect(f"{url}?token={quote(token)}", open_timeout=OPEN_SECONDS, close_timeout=1) as socket:
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
