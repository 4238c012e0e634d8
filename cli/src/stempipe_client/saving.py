"""A job's files on their way to the disk, as they come."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, get_args

import httpx

from stempipe_client import transfer
from stempipe_client.config import OutputFormat
from stempipe_client.endings import parted
from stempipe_client.errors import FinalError, StempipeError, TransientError, patiently
from stempipe_client.files import MayReplace, Place
from stempipe_client.models import File, Job, Status
from stempipe_client.names import LONGEST, safe
from stempipe_client.steps import Beside, Report, stepwise

_TEXT_TYPES = {
    "json": "application/json",
    "jams": "application/json",
    "csv": "text/csv",
    "chan": "text/plain",
}
"""Media types of files that are text, by their endings."""


@dataclass(frozen=True)
class Step:
    """How far a song is.

    Attributes
    ----------
    phase
        sending: the upload; working: the service's turn, `job` says more; stems: they are saved while the
        service listens to them, and told once; saving: the download; done.
    percent
        Of the phase.
    seconds_left
        Of the phase, where it can be told.
    job
        As it was last seen.
    files
        Each stem's file once they are saved, and when it is done all files: stems by their names, what was
        found in them by its files' names.
    """

    phase: Literal["sending", "working", "stems", "saving", "done"]
    job: Job
    percent: int
    seconds_left: float | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Saving:
    """Saves the files of jobs; what an interrupted download left is not fetched again.

    Parameters
    ----------
    storage
        Connections to it.
    pauses
        Before each further try.
    job, files
        Ask for a job, and for its files, with new links.
    """

    storage: httpx.Client
    pauses: Sequence[float]
    job: Callable[[str], Job]
    files: Callable[[str], list[File]]

    def follow(
        self, states: Iterator[Job], folder: Path, name: str | None, may_replace: MayReplace
    ) -> Iterator[Step]:
        """Save a job's files as they come: its stems while there is more to come, and all at its end.

        Parameters
        ----------
        states
            The job at each change, until it is final; there is one at least.
        name
            Files are named after it; None: after the job.

        Raises
        ------
        FinalError
            The job did not end well.
        """
        with StemsFirst(self) as early:
            for job in states:
                yield Step("working", job, job.progress, job.estimated_time_remaining)
                place = Place(folder, name or name_of(job), may_replace)
                if stems := early.look(job, place):
                    yield Step("stems", job, 100, files=stems)
            if job.status is not Status.COMPLETED:
                raise outcome(job)
            saved: dict[str, Path] = {}

            def save(report: Report) -> None:
                saved.update(self.everything(job, place, report, early))

            for step in stepwise(save):
                yield Step("saving", job, *step)
        yield Step("done", job, 100, files=saved)

    def everything(
        self,
        job: Job,
        place: Place,
        report: Report,
        early: "StemsFirst | None" = None,
    ) -> dict[str, Path]:
        """Save a job's stems, and what was found in them.

        Parameters
        ----------
        early
            What has begun with the stems already.

        Returns
        -------
        dict
            Files by the names of stems, and of the files that were found.
        """
        stems, found = _links(job), self._found(job)
        share = len(stems) / max(1, len(stems) + len(found))

        def report_stems(fraction: float) -> None:
            report(share * fraction)

        saved = early.wait(report_stems) if early else None
        saved = saved or self.stems(job, place, report_stems)
        unfinished = {}
        for done, file in enumerate(found):

            def report_found(fraction: float, done: int = done) -> None:
                report(share + (1 - share) * (done + fraction) / len(found))

            ending = file.name.rpartition(".")[2]
            unfinished[file.name] = self._fetch(
                job,
                file.name,
                {file.name: file.url},
                lambda: {file.name: file.url for file in self._found(job)},
                place,
                report_found,
                _TEXT_TYPES.get(ending),
            )
        return saved | place.put_found(unfinished)

    def stems(self, job: Job, place: Place, report: Report) -> dict[str, Path]:
        """Save a job's stems, as soon as it has any; gives their files."""
        links, saved = _links(job), {}
        ending = _ending(job) if links else ""
        for done, stem in enumerate(links):

            def report_all(fraction: float, done: int = done) -> None:
                report((done + fraction) / len(links))

            unfinished = self._fetch(job, stem, links, lambda: _links(self.job(job.id)), place, report_all)
            saved[stem] = place.put_stem(unfinished, stem, ending)
        return saved

    def _found(self, job: Job) -> list[File]:
        """The files of its analysis, if there is one. A player's are for a page, and not saved."""
        if not job.analysis or job.analysis.state != "done":
            return []
        found = {file.name: file for file in self.files(job.id) if file.kind == "analysis"}
        return list(found.values())

    def _fetch(
        self,
        job: Job,
        name: str,
        links: Mapping[str, str],
        new_links: Callable[[], Mapping[str, str]],
        place: Place,
        report: Report,
        text_type: str | None = None,
    ) -> Path:
        """Download a file; gives the one it is in, which has no name of its own yet."""
        place.folder.mkdir(parents=True, exist_ok=True)
        # No two attempts make the same bytes.
        unfinished = place.folder / f".{safe(f'{job.id}-{job.attempt}-{name}', '.part', LONGEST - 1)}"

        def once() -> None:
            nonlocal links
            try:
                transfer.fetch(self.storage, links[name], unfinished, report, text_type)
            except TransientError:
                links = {**links, **new_links()}
                raise

        patiently(once, self.pauses)
        return unfinished


class StemsFirst(AbstractContextManager["StemsFirst"]):
    """Saves the stems of a job beside what is done in this thread, from when they are there.

    Parameters
    ----------
    saving
        Saves them.
    """

    def __init__(self, saving: Saving) -> None:
        self._saving = saving
        self._work: Beside[dict[str, Path]] | None = None
        self._told = False

    def look(self, job: Job, place: Place) -> dict[str, Path] | None:
        """Begin with the stems, if the job has some; gives their files, once, when they are saved.

        What went wrong with them is raised here.
        """
        if self._work is None and _links(job) and not job.status.is_final:
            self._work = Beside(lambda report: self._saving.stems(job, place, report))
        if self._work is None or self._told or not self._work.is_done:
            return None
        self._told = True
        return self.wait(lambda _: None)

    def wait(self, report: Report) -> dict[str, Path] | None:
        """The stems' files, when they are saved; None if that has not begun."""
        return self._work.wait(report) if self._work else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._work:
            self._work.leave()


def name_of(job: Job) -> str:
    """What a job's files are named after."""
    return job.title or parted(safe(job.source.filename))[0]


def outcome(job: Job) -> FinalError:
    """Why a final job has no stems."""
    if job.error:
        return FinalError(job.error.code, job.error.message)
    return FinalError(str(job.status), f"The job was {job.status}.")


def _links(job: Job) -> dict[str, str]:
    return job.results.stems if job.results else {}


def _ending(job: Job) -> str:
    quality = job.config.get("quality")
    ending = quality.get("outputFormat") if isinstance(quality, dict) else None
    if ending not in get_args(OutputFormat):
        message = (
            "The service does not say which format the stems have, or one that this client does not know."
        )
        raise StempipeError("download_failed", message)
    return str(ending)
