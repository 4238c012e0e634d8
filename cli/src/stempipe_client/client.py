"""The service's API, typed, and all of it together: `Client.separate`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args
from urllib.parse import quote

import httpx

from stempipe_client import files, live, transfer
from stempipe_client.api import Api
from stempipe_client.config import Config, OutputFormat
from stempipe_client.endings import parted
from stempipe_client.errors import FinalError, StempipeError, TransientError, patiently
from stempipe_client.models import Created, Job, Page, Status, Upload
from stempipe_client.names import safe
from stempipe_client.pace import Pace
from stempipe_client.steps import Report, stepwise

_TIMEOUT = httpx.Timeout(60, connect=10)


@dataclass(frozen=True)
class Step:
    """How far a song is.

    Attributes
    ----------
    phase
        sending: the upload; working: the service's turn, `job` says more; saving: the download; done.
    percent
        Of the phase.
    seconds_left
        Of the phase, where it can be told.
    job
        As it was last seen.
    files
        Each stem's file, when it is done.
    """

    phase: Literal["sending", "working", "saving", "done"]
    job: Job
    percent: int
    seconds_left: float | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


class Client:
    """A user's access to a Stempipe service. Threads may share one.

    Parameters
    ----------
    api_url
        Base address of the HTTP API: the stack's output `ApiUrl`.
    token
        The user's access token, or a function that gives one that is good now.
    websocket_url
        Address of the WebSocket API: the stack's output `LiveUrl`. Without it, jobs are polled.
    pace
        How patient it is.

    Notes
    -----
    Every method raises `StempipeError`: with the API's code and message, or with a code of the client's own.
    """

    def __init__(
        self,
        api_url: str,
        token: str | Callable[[], str],
        websocket_url: str | None = None,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._token = token if callable(token) else lambda: token
        self._websocket_url = websocket_url
        self._pace = pace or Pace()
        self._api = Api(api_url, self._token, self._pace)
        self._storage = httpx.Client(timeout=_TIMEOUT)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._storage.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the API -------------------------------------------------------------------------------

    def create(
        self, song: Path, config: Config | None = None, *, idempotency_key: str | None = None
    ) -> Created:
        """Make a job for a file. With the key of an earlier job, the answer is that one as it is now."""
        request = {
            "filename": safe(song.name),
            "size": song.stat().st_size,
            "config": (config or Config()).to_json(),
        }
        # With a key it is safe to ask again when an answer was lost.
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        read = Created.model_validate_json
        return self._api.ask("POST", "/v1/jobs", read, json=request, headers=headers)

    def upload(self, upload: Upload, song: Path, on_progress: Report | None = None) -> None:
        """Send a song where its job awaits it."""
        report = on_progress or _ignore
        patiently(lambda: transfer.send(self._storage, upload, song, report), self._pace.pauses)

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        return self._api.ask("GET", _path(job_id), Job.model_validate_json)

    def jobs(self, statuses: Collection[str] = (), page: int = 50) -> Iterator[Job]:
        """The user's jobs, newest first; they are asked for as they are taken."""
        parameters: dict[str, Any] = {"limit": page}
        if statuses:
            parameters["status"] = ",".join(statuses)
        while True:
            answer = self._api.ask("GET", "/v1/jobs", Page.model_validate_json, params=parameters)
            yield from answer.jobs
            if answer.cursor is None:
                return
            parameters["cursor"] = answer.cursor

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that has not ended; its files are deleted.

        Raises
        ------
        StempipeError
            `invalid_state`: it has ended already.
        """
        job = self.job(job_id)
        if job.status.is_final:
            raise StempipeError("invalid_state", f"The job is {job.status} already.")

        def read(answer: bytes) -> Job:
            return Job.model_validate_json(answer) if answer else job

        return self._api.ask("DELETE", _path(job_id), read, repeatable=False)

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its song and its stems."""
        job = self.job(job_id)
        if not job.status.is_final:
            raise StempipeError("invalid_state", f"The job is {job.status}; cancel it first.")
        self._api.ask("DELETE", _path(job_id), lambda _: None, repeatable=False)

    def retry(self, job_id: str) -> Job:
        """Have a failed job tried again."""
        path = f"{_path(job_id)}/retry"
        return self._api.ask("POST", path, Job.model_validate_json, repeatable=False)

    def watch(self, job_id: str) -> Iterator[Job]:
        """The job as it is, and after each change, until it is final.

        It is told over WebSocket where that works, and polled where it does not; what is told twice or late
        comes once.
        """
        last: Job | None = None
        for job in self._states(job_id):
            if last is None or (job.version >= last.version and job != last):
                last = job
                yield job
            if last.status.is_final:
                return

    def download(
        self,
        job: Job,
        folder: Path,
        *,
        name: str | None = None,
        on_progress: Report | None = None,
        may_replace: files.MayReplace = files.nothing,
    ) -> dict[str, Path]:
        """Save a completed job's stems; what an interrupted download left is not fetched again.

        Parameters
        ----------
        folder
            It is made if it does not exist.
        name
            Stems are named after it; by default after the song.
        may_replace
            Whether a file that has a stem's name may be replaced. One that may not is left alone, unless it
            is just this stem, and the stem's name is numbered.

        Returns
        -------
        dict
            The file of each stem: `{folder}/{name} - {stem}.{ending}`.
        """
        if job.results is None:
            raise StempipeError("invalid_state", f"The job is {job.status}; it has no stems.")
        folder.mkdir(parents=True, exist_ok=True)
        report = on_progress or _ignore
        name = name or parted(safe(job.source.filename))[0]
        ending = _ending(job)
        count = len(job.results.stems)
        saved = {}
        for done, stem in enumerate(job.results.stems):

            def report_all(fraction: float, done: int = done) -> None:
                report((done + fraction) / count)

            unfinished = self._fetch(job, stem, folder, report_all)
            saved[stem] = files.put(unfinished, folder, name, stem, ending, may_replace)
        return saved

    # ---- all of it -----------------------------------------------------------------------------

    def separate(
        self,
        song: Path,
        folder: Path,
        config: Config | None = None,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
        may_replace: files.MayReplace = files.nothing,
    ) -> Iterator[Step]:
        """Upload a song, follow its job, and save its stems.

        Parameters
        ----------
        song
            Any file with sound that the service can read.
        folder
            For the stems.
        config
            What to make of it.
        name
            Stems are named after it; by default after the song.
        idempotency_key
            The same again goes on where an interrupted call of the same song and configuration was. After a
            `FinalError` it has served, and a new one makes a new job.
        may_replace
            As in `download`.

        Yields
        ------
        Step
            Each change; the last one is done and names the files.

        Raises
        ------
        StempipeError
            Besides what requests raise: the failed job's own code and message, or `cancelled`, both as
            `FinalError`.
        OSError
            The song cannot be read, or a stem not be written.
        """
        key = idempotency_key or uuid.uuid4().hex
        created = self.create(song, config, idempotency_key=key)
        job = created.job
        if created.upload:
            yield Step("sending", job, 0)
            upload = created.upload
            for step in stepwise(lambda report: self.upload(upload, song, report)):
                yield Step("sending", job, *step)
        job_id = job.id
        for job in self.watch(job_id):
            yield Step("working", job, job.progress, job.estimated_time_remaining)
        if job.status is not Status.COMPLETED:
            raise outcome(job)
        saved: dict[str, Path] = {}

        def save(report: Report) -> None:
            saved.update(self.download(job, folder, name=name, on_progress=report, may_replace=may_replace))

        for step in stepwise(save):
            yield Step("saving", job, *step)
        yield Step("done", job, 100, files=saved)

    # ---- parts of these --------------------------------------------------------------------------

    def _states(self, job_id: str) -> Iterator[Job]:
        """The job again and again, however it is heard of."""
        while True:
            if self._websocket_url:
                with suppress(live.Silence, TransientError):  # of the token; polling is patient
                    yield from live.follow(self._websocket_url, self._token(), job_id, self._pace.silence)
            polled_until = time.monotonic() + self._pace.live_again
            while time.monotonic() < polled_until:
                yield self.job(job_id)
                time.sleep(self._pace.poll)

    def _fetch(self, job: Job, stem: str, folder: Path, report: Report) -> Path:
        """Download a stem; gives the file, which has no name of its own yet."""
        links = job.results.stems if job.results else {}
        # No two attempts make the same bytes.
        unfinished = folder / f".{safe(f'{job.id}-{job.attempt}-{stem}.part')}"

        def once() -> None:
            nonlocal links
            try:
                transfer.fetch(self._storage, links[stem], unfinished, report)
            except TransientError:
                again = self.job(job.id)  # with new links
                links = links | (again.results.stems if again.results else {})
                raise

        patiently(once, self._pace.pauses)
        return unfinished


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='', errors='replace')}"


def _ending(job: Job) -> str:
    quality = job.config.get("quality")
    ending = quality.get("outputFormat") if isinstance(quality, dict) else None
    if ending not in get_args(OutputFormat):
        message = (
            "The service does not say which format the stems have, or one that this client does not know."
        )
        raise StempipeError("download_failed", message)
    return str(ending)


def outcome(job: Job) -> FinalError:
    """Why a final job has no stems."""
    if job.error:
        return FinalError(job.error.code, job.error.message)
    return FinalError(str(job.status), f"The job was {job.status}.")


def _ignore(_: float) -> None:
    pass
