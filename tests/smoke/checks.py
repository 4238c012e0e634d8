"""What must hold of a deployment, seen from outside. Each check makes jobs of its own, and leaves none."""

from __future__ import annotations

import base64
import io
import json
import math
import struct
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.smoke.wires import Answer, Refused, WebSocket, ask, upload

FINAL = ("completed", "failed", "cancelled")
_RATE = 44100
_POLL_SECONDS = 1.0


class Failed(Exception):
    """The deployment does not do as it should."""


def expect(condition: bool, what: object) -> None:
    """Hold it to be so.

    Raises
    ------
    Failed
        It is not.
    """
    if not condition:
        raise Failed(str(what))


@dataclass
class Deployment:
    """A deployment, and somebody who may use it.

    Parameters
    ----------
    api
        Base address of the HTTP API.
    token
        An access token.
    live
        Address of the WebSocket API; empty leaves it out.
    callback
        Where a webhook may be sent; empty leaves it out.
    song
        A song to separate.
    seconds
        How long a job may take.
    """

    api: str
    token: str
    live: str
    callback: str
    song: bytes
    seconds: float
    jobs: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> Answer:
        """Ask the API, as the user."""
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = None if content is None else json.dumps(content).encode()
        return ask(method, f"{self.api}{path}", body, sent | headers)

    def create(self, request: dict[str, Any], **headers: str) -> Any:
        """Make a job, which is deleted when the check has ended."""
        answer = self.ask("POST", "/v1/jobs", request, **headers)
        expect(answer.status == 201, f"POST /v1/jobs was answered by {answer}")
        self.jobs.append(answer.json["job"]["id"])
        return answer.json

    def job(self, job_id: str) -> Any:
        """A job as it is now."""
        answer = self.ask("GET", f"/v1/jobs/{job_id}")
        expect(answer.status == 200, f"GET /v1/jobs/{job_id} was answered by {answer}")
        return answer.json

    def wait(self, job_id: str) -> Any:
        """The job once it has ended."""
        deadline = time.monotonic() + self.seconds
        while (job := self.job(job_id))["status"] not in FINAL:
            expect(time.monotonic() < deadline, f"after {self.seconds:.0f} s {job_id} is {job['status']}")
            time.sleep(_POLL_SECONDS)
        return job

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """Jobs that are made within are deleted in the end."""
        try:
            yield
        finally:
            while self.jobs:
                path = f"/v1/jobs/{self.jobs.pop()}"
                if self.ask("DELETE", path).status == 200:  # it is cancelled
                    self.ask("DELETE", path)


def chord(seconds: int) -> bytes:
    """A song of that length: a chord, as WAV."""
    samples = (
        sum(math.sin(2 * math.pi * pitch * at / _RATE) for pitch in (220, 275, 330)) for at in range(_RATE)
    )
    # Each pitch fits a second a whole number of times.
    frames = b"".join(struct.pack("<hh", round(8000 * value), round(8000 * value)) for value in samples)
    file = io.BytesIO()
    with wave.open(file, "wb") as song:
        song.setparams((2, 2, _RATE, 0, "NONE", ""))
        song.writeframes(frames * seconds)
    return file.getvalue()


# ---- the checks: each returns what else is to be said ---------------------------------------------


def it_is_up(deployment: Deployment) -> str:
    answer = ask("GET", f"{deployment.api}/v1/health")
    expect(answer.json == {"status": "ok"}, f"GET /v1/health was answered by {answer}")
    return ""


def nothing_is_told_without_a_good_token(deployment: Deployment) -> str:
    for path in ("/v1/jobs", "/v1/openapi.json"):
        for headers in ({}, {"Authorization": "Bearer no.such.token"}):
            answer = ask("GET", f"{deployment.api}{path}", headers=headers)
            expect(answer.status == 401, f"{path} was answered by {answer}")
    return ""


def the_token_is_taken_and_the_api_described(deployment: Deployment) -> str:
    answer = deployment.ask("GET", "/v1/openapi.json")
    expect(answer.status == 200, answer)
    routes = sum(len(methods) for methods in answer.json["paths"].values())
    return f"{routes} routes"


def what_cannot_be_had_is_refused(deployment: Deployment) -> str:
    forged = base64.urlsafe_b64encode(b'["", ""]').decode()
    refusals: list[tuple[str, str, Any, int, str]] = [
        ("GET", "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV", None, 404, "job_not_found"),
        ("GET", f"/v1/jobs?cursor={forged}", None, 422, "invalid_request"),
        ("POST", "/v1/jobs", {"filename": "song.mp3"}, 422, "invalid_request"),
        ("POST", "/v1/jobs", {"filename": "song.mp3", "size": 0}, 422, "empty_file"),
        ("POST", "/v1/jobs", {"filename": "song.mp3", "size": 1 << 40}, 413, "too_large"),
        ("POST", "/v1/jobs", {"filename": "s.mp3", "size": 1, "config": {"no": 1}}, 422, "invalid_config"),
    ]
    for method, path, content, status, code in refusals:
        answer = deployment.ask(method, path, content)
        expect((answer.status, answer.code) == (status, code), f"{method} {path} was answered by {answer}")
    return ""


def a_job_is_cancelled_and_deleted(deployment: Deployment) -> str:
    path = f"/v1/jobs/{deployment.create({'filename': 'song.mp3', 'size': 5})['job']['id']}"
    answer = deployment.ask("DELETE", path)
    expect(answer.status == 200 and answer.json["status"] == "cancelled", f"cancelled: {answer}")
    answer = deployment.ask("DELETE", path)
    expect(answer.status == 204, f"deleted: {answer}")
    answer = deployment.ask("GET", path)
    expect(answer.status == 404, f"gone: {answer}")
    return ""


def the_same_key_makes_one_job(deployment: Deployment) -> str:
    request, key = {"filename": "song.mp3", "size": 5}, {"Idempotency-Key": f"smoke-{time.time_ns()}"}
    first, again = (deployment.create(request, **key)["job"]["id"] for _ in range(2))
    expect(first == again, f"{first} and {again}")
    answer = deployment.ask("POST", "/v1/jobs", request | {"size": 6}, **key)
    expect(answer.code == "idempotency_conflict", f"the key with another request: {answer}")
    return ""


def an_upload_of_another_size_is_refused(deployment: Deployment) -> str:
    created = deployment.create({"filename": "song.mp3", "size": 1000})
    answer = upload(created["upload"], b"too short")
    expect(answer.status in (400, 403), f"the storage answered {answer}")
    return ""


def what_is_no_song_fails_with_its_code(deployment: Deployment) -> str:
    text = b"These are no sounds.\n" * 100
    created = deployment.create({"filename": "notes.mp3", "size": len(text)})
    answer = upload(created["upload"], text)
    expect(answer.status < 300, f"the storage answered {answer}")
    job = deployment.wait(created["job"]["id"])
    expect((job["error"] or {}).get("code") == "unsupported_media", f"the job is {job}")
    return ""


def a_small_song_within_the_request_is_separated(deployment: Deployment) -> str:
    audio = {"filename": "small.wav", "base64": base64.b64encode(chord(2)).decode()}
    created = deployment.create({"audio": audio, "config": {"quality": {"outputFormat": "mp3"}}})
    job = deployment.wait(created["job"]["id"])
    expect(job["status"] == "completed", f"the job is {job}")
    return ""


def the_websocket_wants_a_good_token(deployment: Deployment) -> str:
    for token in (None, "no.such.token"):
        try:
            WebSocket(deployment.live, token).close()
        except Refused as refusal:
            expect(refusal.status in (401, 403), refusal)
        else:
            raise Failed("it was let in")
    return ""


def a_song_becomes_stems(deployment: Deployment) -> str:
    request: dict[str, Any] = {"filename": "smoke test.wav", "size": len(deployment.song)}
    if deployment.callback:
        request["callbackUrl"] = deployment.callback
    created = deployment.create(request)
    job_id, link = created["job"]["id"], created["upload"]
    if deployment.live:
        with WebSocket(deployment.live, deployment.token) as live:
            live.say(action="subscribe", jobId=job_id)
            _send(deployment, link)
            silence = _follow(live, job_id)
        said = f", never silent for more than {silence:.1f} s while it worked"
    else:
        _send(deployment, link)
        said = ""
    job = deployment.wait(job_id)
    expect(job["status"] == "completed", f"the job is {job}")
    stems = job["results"]["stems"]
    for stem, url in stems.items():
        answer = ask("GET", url)
        expect(answer.status == 200, f"the link to {stem} was answered by {answer}")
        expect(answer.body.startswith(b"RIFF"), f"{stem} is no WAV file")
        unsigned = ask("GET", url.partition("?")[0])
        expect(unsigned.status in (400, 401, 403), f"without its signature {stem} was answered by {unsigned}")
    if deployment.callback:
        said += f", webhook {_delivered(deployment, job_id)}"
    answer = deployment.ask("DELETE", f"/v1/jobs/{job_id}")
    expect(answer.status == 204, f"deleting it was answered by {answer}")
    # 403 where whoever signed the link may not list the bucket.
    expect(ask("GET", url).status in (403, 404), "a deleted job's stem is still there")
    took = job["cost"]
    return f"{link['method']}, {len(stems)} stems, {took['gbSeconds']:.0f} GB-s, {took['usd']:.6f} USD{said}"


def _send(deployment: Deployment, link: dict[str, Any]) -> None:
    answer = upload(link, deployment.song)
    expect(answer.status < 300, f"the storage answered {answer}")


def _follow(live: WebSocket, job_id: str) -> float:
    """Hear of a job until it has ended; returns the longest silence while it was worked on, in seconds."""
    version, progress, longest, heard = 0, 0, 0.0, None
    while True:
        message = live.hear()
        if message.get("type") != "job" or message["job"]["id"] != job_id:
            expect(message.get("type") != "error", f"the WebSocket said {message}")
            continue
        job = message["job"]
        if job["version"] <= version:
            continue
        expect(job["progress"] >= progress or job["attempt"] > 1, f"progress fell to {job['progress']}")
        version, progress = job["version"], job["progress"]
        if job["status"] in FINAL:
            return longest
        if job["status"] == "processing":
            now = time.monotonic()
            longest = max(longest, now - heard if heard else 0.0)
            heard = now


def _delivered(deployment: Deployment, job_id: str) -> str:
    deadline = time.monotonic() + 60
    while (callback := deployment.job(job_id)["callback"])["state"] == "pending":
        expect(time.monotonic() < deadline, f"the webhook is {callback}")
        time.sleep(_POLL_SECONDS)
    expect(callback["state"] == "delivered", f"the webhook is {callback}")
    return f"delivered at try {callback['attempts']}"


CHECKS: list[Callable[[Deployment], str]] = [
    it_is_up,
    nothing_is_told_without_a_good_token,
    the_token_is_taken_and_the_api_described,
    what_cannot_be_had_is_refused,
    a_job_is_cancelled_and_deleted,
    the_same_key_makes_one_job,
    an_upload_of_another_size_is_refused,
    what_is_no_song_fails_with_its_code,
    a_small_song_within_the_request_is_separated,
    a_song_becomes_stems,
]
LIVE_CHECKS: list[Callable[[Deployment], str]] = [the_websocket_wants_a_good_token]
