"""The service's API, typed, and all of it together: `Client.separate`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from stempipe_client import live, sources, transfer
from stempipe_client.api import Api
from stempipe_client.config import Config
from stempipe_client.errors import StempipeError, TransientError, patiently
from stempipe_client.files import MayReplace, Place, nothing
from stempipe_client.http import no_nearer_than
from stempipe_client.models import Created, File, Files, Job, Page, Quota, Upload
from stempipe_client.pace import Pace
from stempipe_client.saving import Saving, Step, name_of
from stempipe_client.sources import Midi, Source, Stems
from stempipe_client.steps import Report, stepwise

_TIMEOUT = httpx.Timeout(60, connect=10)


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
        hooks = {"request": [no_nearer_than(api_url)]}
        self._storage = httpx.Client(timeout=_TIMEOUT, event_hooks=hooks)
        self._saving = Saving(self._storage, self._pace.pauses, self.job, self.files)

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
        self, source: Source, config: Config | None = None, *, idempotency_key: str | None = None
    ) -> Created:
        """Make a job of a song, stems or MIDI; with the key of an earlier job, that one as it is now."""
        request = sources.request(source) | {"config": (config or Config()).to_json()}
        # With a key it is safe to ask again when an answer was lost.
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        read = Created.model_validate_json
        return self._api.ask("POST", "/v1/jobs", read, json=request, headers=headers)

    def send(self, created: Created, source: Source, on_progress: Report | None = None) -> None:
        """Send what a new job awaits of what it was made of."""
        awaited = sources.awaited(source, created)
        sizes = [path.stat().st_size for _, path in awaited]
        report = on_progress or _ignore
        for number, (upload, path) in enumerate(awaited):

            def report_all(fraction: float, number: int = number) -> None:
                report((sum(sizes[:number]) + sizes[number] * fraction) / (sum(sizes) or 1))

            self.upload(upload, path, report_all)

    def upload(self, upload: Upload, path: Path, on_progress: Report | None = None) -> None:
        """Send a file where its job awaits it."""
        report = on_progress or _ignore
        patiently(lambda: transfer.send(self._storage, upload, path, report), self._pace.pauses)

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        return self._api.ask("GET", _path(job_id), Job.model_validate_json)

    def files(self, job_id: str) -> list[File]:
        """All files of a job, as far as they are there, with new links."""
        return self._api.ask("GET", f"{_path(job_id)}/files", Files.model_validate_json).files

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

    def quota(self) -> Quota:
        """What the user may take, and what of it is left."""
        return self._api.ask("GET", "/v1/quota", Quota.model_validate_json)

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
        may_replace: MayReplace = nothing,
    ) -> dict[str, Path]:
        """Save a job's stems, and what was found in them.

        What an interrupted download left is not fetched again.

        Parameters
        ----------
        folder
            It is made if it does not exist.
        name
            Files are named after it; by default after the job's title, or the song.
        may_replace
            Whether a file that has a name already may be replaced. One that may not is left alone, unless it
            has just the same bytes, and the new one is numbered.

        Returns
        -------
        dict
            The file of each stem: `{folder}/{name} - {stem}.{ending}`. Of an analysis, by its files' names:
            `{folder}/{name} - analysis.json`, `{folder}/{name}.mid`, and the rest in `{folder}/{name}/`.
        """
        if job.results is None:
            raise StempipeError("invalid_state", f"The job is {job.status}; it has no stems.")
        place = Place(folder, name or name_of(job), may_replace)
        return self._saving.everything(job, place, on_progress or _ignore)

    def follow(
        self,
        job_id: str,
        folder: Path,
        *,
        name: str | None = None,
        may_replace: MayReplace = nothing,
    ) -> Iterator[Step]:
        """Follow a job to its end, and save its files; steps, errors and names are those of `separate`."""
        return self._saving.follow(self.watch(job_id), folder, name, may_replace)

    # ---- all of it -----------------------------------------------------------------------------

    def separate(
        self,
        song: Path,
        folder: Path,
        config: Config | None = None,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
        may_replace: MayReplace = nothing,
    ) -> Iterator[Step]:
        """Upload a song, follow its job, and save its stems, and what was found in them if that is asked for.

        Stems are saved as soon as they are there, while the service listens to them. An analysis that
        failed is no error here: the last step's `job.results.analysis` has it.

        Parameters
        ----------
        song
            Any file with sound that the service can read.
        folder
            For the stems.
        config
            What to make of it.
        idempotency_key
            The same again goes on where an interrupted call of the same song and configuration was. After a
            `FinalError` it has served, and a new one makes a new job.
        name, may_replace
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
            The song cannot be read, or a file not be written.
        """
        return self._all_of(song, folder, config, name, idempotency_key, may_replace)

    def analyse(
        self,
        source: Stems | Midi,
        folder: Path,
        config: Config | None = None,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
        may_replace: MayReplace = nothing,
    ) -> Iterator[Step]:
        """Upload stems or MIDI, follow the job, and save what was found; in all else as `separate`."""
        return self._all_of(source, folder, config, name, idempotency_key, may_replace)

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

    def _all_of(
        self,
        source: Source,
        folder: Path,
        config: Config | None,
        name: str | None,
        idempotency_key: str | None,
        may_replace: MayReplace,
    ) -> Iterator[Step]:
        key = idempotency_key or uuid.uuid4().hex
        created = self.create(source, config, idempotency_key=key)
        job = created.job
        job_id = job.id
        if created.upload or created.uploads:
            yield Step("sending", job, 0)
            for step in stepwise(lambda report: self.send(created, source, report)):
                yield Step("sending", job, *step)
        yield from self._saving.follow(self.watch(job_id), folder, name, may_replace)


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='', errors='replace')}"


def _ignore(_: float) -> None:
    pass
