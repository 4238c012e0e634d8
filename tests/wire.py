"""The API step by step, in its own JSON: for tests of what the service says, with no client in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

POLL_SECONDS = 0.5
FINAL = ("completed", "failed", "cancelled")

Job = dict[str, Any]


class JobFailed(Exception):
    """The API refused the song, or something went wrong on the way."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def create_job(api: httpx.Client, song: Path, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask for a job; the answer holds it and how to upload the song."""
    request: dict[str, Any] = {"filename": song.name, "size": song.stat().st_size}
    if config is not None:
        request["config"] = config
    return _answer(api.post("/v1/jobs", json=request))


def upload(link: dict[str, Any], song: Path) -> None:
    """Send the song where the job awaits it."""
    with song.open("rb") as file:
        if link["method"] == "POST":
            response = httpx.post(link["url"], data=link["fields"], files={"file": file}, timeout=600)
        else:
            response = httpx.put(link["url"], content=file, headers=link["headers"], timeout=600)
    if response.is_error:
        raise JobFailed("upload_refused", f"{response.status_code} {response.text}")


def get_job(api: httpx.Client, job_id: str) -> Job:
    """The job as it is now."""
    return _answer(api.get(f"/v1/jobs/{job_id}"))


def watch(api: httpx.Client, job_id: str, seconds: float = 1800) -> Iterator[Job]:
    """The job again and again, until it is final."""
    deadline = time.monotonic() + seconds
    while True:
        job = get_job(api, job_id)
        yield job
        if job["status"] in FINAL:
            return
        if time.monotonic() > deadline:
            raise JobFailed("too_slow", f"The job is still {job['status']} after {seconds:.0f} s")
        time.sleep(POLL_SECONDS)


def download(url: str, folder: Path) -> Path:
    """Save a stem under the name that its link carries."""
    folder.mkdir(parents=True, exist_ok=True)
    with httpx.stream("GET", url, timeout=600) as response:
        if response.is_error:
            response.read()
            raise JobFailed("download_refused", f"{response.status_code} {response.text}")
        path = folder / _filename(response.headers["Content-Disposition"])
        with path.open("wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
    return path


def _filename(disposition: str) -> str:
    """The name in UTF-8, which goes before the plain one (RFC 6266)."""
    name = unquote(disposition.rpartition("filename*=UTF-8''")[2])
    return Path(name).name


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_success:
        answer: dict[str, Any] = response.json()
        return answer
    try:
        error = response.json()["error"]
        raise JobFailed(error["code"], error["message"])
    except (ValueError, KeyError, TypeError):
        raise JobFailed("api_error", f"{response.status_code} {response.text}") from None
