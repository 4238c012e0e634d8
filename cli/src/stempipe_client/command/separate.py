"""`stempipe separate` and `stempipe analyse`: songs through a service, a few at a time."""

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from stempipe_client.client import Client
from stempipe_client.command.batch import Batch
from stempipe_client.command.display import Display, Update
from stempipe_client.command.resume import Memory, Note
from stempipe_client.command.songs import Song
from stempipe_client.config import Config
from stempipe_client.errors import FinalError, StempipeError
from stempipe_client.models import Job, Status
from stempipe_client.saving import Step

OnInterrupt = Literal["cancel", "leave"]


@dataclass(frozen=True)
class Separation:
    """What is done with each song, and undone when the user interrupts it.

    Parameters
    ----------
    client
        The service.
    address
        Of its API: a job that is remembered of one service is none of another's.
    config
        What to make of every song.
    memory
        Knows what an earlier command left.
    """

    client: Client
    address: str
    config: Config
    memory: Memory
    _notes: dict[Song, Note] = field(default_factory=dict)

    def __call__(self, song: Song) -> Generator[Update]:
        """Separate a song, or analyse its parts, or go on with it; the updates are a Batch's.

        The job is forgotten only when there is nothing to go on with.
        """
        self._notes[song] = note = self.memory.note(song.source, self.config)
        try:
            yield from self._go_on(song, note)
        except FinalError as error:
            if error.code != "upload_missing":
                raise
            yield from self._go_on(song, note)  # with another job: the song never came to that one

    def _go_on(self, song: Song, note: Note) -> Generator[Update]:
        client = self.client
        work = partial(client.analyse, song.parts) if song.parts else partial(client.separate, song.path)
        steps = work(
            song.folder,
            self.config,
            name=song.name,
            idempotency_key=note.key(self.address),
            may_replace=note.may_replace,
        )
        try:
            for step in steps:
                if step.phase == "stems":
                    note.remember(step.files.values())
                elif step.phase == "done":
                    note.finish(step.files.values(), self.address)
                yield update(step)
        except FinalError:
            note.forget(self.address)
            raise

    def interrupt(self, batch: Batch, on_interrupt: OnInterrupt, display: Display) -> None:
        """The user pressed Ctrl-C: cancel the jobs that are under way, or leave them, and say so."""
        batch.stop()
        notes: dict[Song, str] = {}
        if on_interrupt == "cancel":
            self._cancel(batch, notes)
            batch.wait()
            self._cancel(batch, notes)  # those whose jobs were only just made
        else:
            for song, last in list(batch.under_way.items()):
                if last and last.job and last.stage != "sending":
                    notes[song] = f"{last.job} goes on; the same command again fetches its stems"
        for song in list(batch.under_way):
            display.left(song, notes.get(song, "not uploaded; the same command again does it"))

    def _cancel(self, batch: Batch, notes: dict[Song, str]) -> None:
        """Cancel what is under way, and note what came of it; what has a note already is left alone."""
        for song, last in list(batch.under_way.items()):
            if last is None or last.job is None or song in notes:
                continue
            try:
                self.client.cancel(last.job)
                self._notes[song].forget(self.address)
                notes[song] = f"{last.job} is cancelled"
            except StempipeError as error:
                notes[song] = f"{last.job} is not cancelled: {error.message}"


def update(step: Step) -> Update:
    """A step, for whoever waits for it."""
    if step.phase == "stems":
        return Update(stage(step.job), step.percent, job=step.job.id, saved=step.files)
    return Update(
        stage=stage(step.job) if step.phase == "working" else step.phase,
        percent=step.percent,
        seconds_left=step.seconds_left,
        job=step.job.id,
        files=step.files,
        notices=step.job.source.notices,
        analysis=step.job.analysis,
        residual_db=step.job.residual_db,
    )


def stage(job: Job) -> str:
    """Where a job is, in words for whoever waits for it."""
    if job.status is Status.PROCESSING:
        # What the worker down- and uploads is none of the user's own transfers.
        return {"downloading": "starting", "uploading": "storing"}.get(
            job.stage or "", job.stage or "starting"
        )
    return {Status.AWAITING_UPLOAD: "arriving"}.get(job.status, job.status.value)
