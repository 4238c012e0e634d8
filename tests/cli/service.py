"""A Stempipe service in a thread, as far as its clients can tell, which does what a test tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from tests.http import Answer, Request, serving

TOKEN = "good"
USER_ID = "0b1e6a2c-0000-4000-8000-000000000000"
STEM_BYTES = 200_000
Fault = Callable[[Request], Answer | None]
Twist = Callable[[Request, Answer], Answer]
PAGE = b"<html>Welcome to the hotel's network. <Message>Log in</Message></html>"
QUOTA = {
    "openJobs": {"limit": 1000, "used": 3, "left": 997},
    "minutesToday": {"limit": 10000, "used": 12.5, "left": 9987.5, "resetsAt": "2026-01-02T00:00:00Z"},
    "bytesKept": {"limit": 200000000000, "used": 1234567, "left": 199998765433},
}
HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass
class Service:
    """Jobs in memory. A song that says `broken` fails; another is completed, unless the service holds it.

    Of stems and MIDI, and of songs if that is asked for, there is an analysis besides.

    Attributes
    ----------
    url
        Base address of the API, of the storage and of Cognito.
    held
        Whether jobs stay at 42 percent.
    listening
        Whether jobs of songs stay at 80 percent, with their stems, while they are analysed.
    unheard
        Why analyses fail.
    requests
        Those that came, in their order, as method and path.
    faults
        Are asked first; one that answers is used up.
    twist
        Has the last word on every answer.
    """

    url: str = ""
    held: bool = False
    listening: bool = False
    unheard: dict[str, str] | None = None
    requests: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    twist: Twist = lambda request, answer: answer
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    received: dict[str, bytes] = field(default_factory=dict)
    notices: list[dict[str, Any]] = field(default_factory=list)
    found: tuple[str, ...] = ("analysis.json", "song.mid", "drums.mid", "curves.bin", "curves.csv")
    logins: list[dict[str, Any]] = field(default_factory=list)

    def named(self, filename: str) -> list[dict[str, Any]]:
        """The jobs of a song."""
        return [job for job in self.jobs.values() if job["source"]["filename"] == filename]

    def count(self, pattern: str) -> int:
        """How many requests match."""
        return sum(bool(re.fullmatch(pattern, request)) for request in self.requests)

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        return self.twist(request, self._answer(request))

    def _answer(self, request: Request) -> Answer:
        path = urlsplit(request.target).path
        self.requests.append(f"{request.method} {path}")
        for fault in self.faults:
            if (answer := fault(request)) is not None:
                self.faults.remove(fault)
                return answer
        if path == "/":
            return self._log_in(json.loads(request.body))
        if path.startswith("/upload/"):
            job_id, _, stem = unquote(path).removeprefix("/upload/").partition("/")
            return self._receive(job_id, stem, request.body)
        if path.startswith(("/stems/", "/found/")):
            return self._send(path, request.headers.get("range"))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _json(401, {"message": "Unauthorized"})
        if path == "/v1/jobs" and request.method == "POST":
            return self._create(json.loads(request.body), request.headers["idempotency-key"])
        if path == "/v1/jobs":
            return _json(200, {"jobs": list(reversed(self.jobs.values())), "cursor": None})
        if path == "/v1/quota":
            return _json(200, QUOTA)
        job = self.jobs.get(path.split("/")[3])
        if job is None:
            return _json(404, {"error": {"code": "job_not_found", "message": "There is no such job."}})
        if path.endswith("/files"):
            return _json(200, {"files": self._files(job)})
        if request.method == "DELETE":
            job["status"] = "cancelled"
        return _json(200, job)

    def finish(self, job: dict[str, Any]) -> None:
        """A held job is completed."""
        self.listen(job)
        job |= {"status": "completed", "progress": 100, "stage": None}
        job["estimatedTimeRemaining"] = None
        job["source"]["notices"] = self.notices
        if job["results"]["analysis"]:
            state = "failed" if self.unheard else "done"
            job["results"]["analysis"] = {"state": state, "error": self.unheard}

    def listen(self, job: dict[str, Any]) -> None:
        """A job has its stems, and is analysed if that was asked for."""
        stems = ("vocals", "accompaniment") if job["source"]["kind"] == "song" else ()
        links = {stem: f"{self.url}/stems/{job['id']}/{stem}" for stem in stems}
        heard = {"state": "pending"} if job["config"].get("analysis") else None
        residual = -133.42 if links else None
        results = {"stems": links, "analysis": heard, "residualDb": residual}
        job |= {"stage": "analysing", "progress": 80, "results": results}

    def _files(self, job: dict[str, Any]) -> list[dict[str, str]]:
        results = job.get("results") or {"stems": {}, "analysis": None}
        files = [
            {"name": f"{stem}.wav", "kind": "stem", "url": url} for stem, url in results["stems"].items()
        ]
        files.append({"name": "vocals.player.flac", "kind": "player", "url": f"{self.url}/found/player"})
        if results["analysis"] and results["analysis"]["state"] == "done":
            url = f"{self.url}/found/{job['id']}"
            files += [
                {"name": name, "kind": "analysis", "url": f"{url}/{quote(name)}"} for name in self.found
            ]
        return files

    def _create(self, request: dict[str, Any], key: str) -> Answer:
        if key not in self.by_key:
            self.by_key[key] = job_id = f"job{len(self.jobs)}"
            quality = {"outputFormat": "wav"} | request["config"].get("quality", {})
            if "filename" not in request:  # what needs no separation is there to be analysed
                request["config"].setdefault("analysis", {"notes": True, "fps": 60})
            self.jobs[job_id] = {
                "id": job_id,
                "title": request.get("title"),
                "status": "awaiting_upload",
                "progress": 0,
                "config": request["config"] | {"quality": quality},
                "source": _source(request),
                "createdAt": "2026-01-01T12:00:00Z",
                "expiresAt": "2026-01-08T12:00:00Z",
            }
        job = self.jobs[self.by_key[key]]
        if job["status"] != "awaiting_upload":
            return _json(201, {"job": job, "upload": None})
        if stems := job["source"].get("stems"):
            uploads = {stem["name"]: self._upload(job, stem["name"]) for stem in stems if not stem["arrived"]}
            return _json(201, {"job": job, "upload": None, "uploads": uploads})
        return _json(201, {"job": job, "upload": self._upload(job)})

    def _upload(self, job: dict[str, Any], stem: str = "") -> dict[str, Any]:
        url = f"{self.url}/upload/{job['id']}" + (f"/{quote(stem)}" if stem else "")
        return {"method": "POST", "url": url, "fields": {"key": job["id"]}, "expiresAt": job["expiresAt"]}

    def _receive(self, job_id: str, stem: str, form: bytes) -> Answer:
        job = self.jobs[job_id]
        self.received[f"{job_id}/{stem}"] = form
        parts = job["source"].get("stems", [])
        for part in parts:
            part["arrived"] |= part["name"] == stem
        if job["status"] == "awaiting_upload" and all(part["arrived"] for part in parts):
            job |= {"status": "processing", "stage": "separating", "progress": 42}
            job["estimatedTimeRemaining"] = 7.0
            if b"broken" in form:
                error = {"code": "corrupt_media", "message": "The file is damaged."}
                job |= {"status": "failed", "error": error}
            elif self.listening:
                self.listen(job)
            elif not self.held:
                self.finish(job)
        return Answer(204)

    def _send(self, path: str, wanted: str | None) -> Answer:
        self.ranges.append(wanted)
        content = stem_of(path.rpartition("/")[2])
        types = {"json": "application/json", "csv": "text/csv", "mid": "audio/midi"}
        kind = types.get(path.rpartition(".")[2], "audio/wav")
        headers = {"Content-Type": kind, "Content-Disposition": 'attachment; filename="x.wav"'}
        if wanted:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            return Answer(206, content[start:], headers)
        return Answer(200, content, headers)

    def _log_in(self, request: dict[str, Any]) -> Answer:
        self.logins.append(request)
        parameters = request.get("AuthParameters", request.get("ChallengeResponses", {}))
        if parameters.get("PASSWORD") == "first":
            about = {"USER_ID_FOR_SRP": USER_ID, "requiredAttributes": "[]"}
            challenge = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeParameters": about}
            return _json(200, challenge | {"Session": "s"})
        if "ChallengeResponses" in request and parameters["USERNAME"] != USER_ID:
            return _json(400, {"__type": "UserNotFoundException", "message": "User does not exist."})
        if parameters.get("PASSWORD") == "wrong" or parameters.get("REFRESH_TOKEN") == "revoked":
            return _json(
                400, {"__type": "NotAuthorizedException", "message": "Incorrect username or password."}
            )
        result = {"AccessToken": TOKEN, "ExpiresIn": 3600}
        if request.get("AuthFlow") != "REFRESH_TOKEN_AUTH":
            result["RefreshToken"] = "refresh"
        return _json(200, {"AuthenticationResult": result})


def _source(request: dict[str, Any]) -> dict[str, Any]:
    """What a job is made of, as its request tells."""
    if stems := request.get("stems"):
        parts = [stem | {"bytes": stem["size"], "arrived": False} for stem in stems]
        size = sum(stem["size"] for stem in stems)
        return {"kind": "stems", "filename": request.get("title", "stems"), "bytes": size, "stems": parts}
    file = request.get("midi", request)
    return {
        "kind": "midi" if "midi" in request else "song",
        "filename": file["filename"],
        "bytes": file["size"],
    }


def stem_of(stem: str) -> bytes:
    """The bytes of a stem: no two places in it are alike."""
    return "".join(f"{stem} {number} " for number in range(STEM_BYTES // 12)).encode()


def cut_short(content: bytes, claimed: int) -> Answer:
    """An answer that ends before its time."""
    return Answer(200, content, {"Content-Length": str(claimed), "Connection": "close"})


def says(**fields: Any) -> Twist:
    """Every job in an answer has these fields."""

    def twist(request: Request, answer: Answer) -> Answer:
        if not answer.headers.get("Content-Type", "").startswith("application/json"):
            return answer
        body = json.loads(answer.body)
        for job in body.get("jobs", [body.get("job", body)]):
            if "status" in job:
                job |= fields
        return Answer(answer.status, json.dumps(body).encode(), answer.headers)

    return twist


def where(method: str, path: str, instead: Answer) -> Twist:
    """That answer to every such request."""
    return lambda request, answer: (
        instead if request.method == method and re.match(path, request.target) else answer
    )


def on(method: str, path: str, answer: Answer) -> Any:
    """A fault: that answer to the first such request."""

    def fault(request: Request) -> Answer | None:
        matches = request.method == method and request.target.startswith(path)
        return answer if matches else None

    return fault


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def running() -> Iterator[Service]:
    """The service, on a port of its own."""
    service = Service()
    with serving(service.answer) as service.url:
        yield service
