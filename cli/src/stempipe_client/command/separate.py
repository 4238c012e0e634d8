"""`stempipe separate`: songs through a service, a few at a time."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal

from stempipe_client.client import Client, Step
from stempipe_client.command.batch import Batch
from stempipe_client.command.display import Display, Update
from stempipe_client.command.resume import Memory, Note
from stempipe_client.command.songs import Song
from stempipe_client.config import Config
from stempipe_client.errors import FinalError, StempipeError
from stempipe_client.models import Job, Status

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
        """Separate a song, or go on with it; the updates are a Batch's.

        The job is forgotten only when there is nothing to go on with.
        """
        self._notes[song] = note = self.memory.note(song.path, self.config)
        try:
            yield from self._go_on(song, note)
        except FinalError as error:
            if error.code != "upload_missing":
                raise
            yield from self._go_on(song, note)  # with another job: the song never came to that one

    def _go_on(self, song: Song, note: Note) -> Generator[Update]:
        steps = self.client.separate(
            song.path,
            song.folder,
            self.config,
            name=song.name,
            idempotency_key=note.key(self.address),
            may_replace=note.may_replace,
        )
        try:
            for step in steps:
                if step.files:
                    note.finish(step.files.values(), self.address)
                yield _update(step)
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
            for song, update in list(batch.under_way.items()):
                if update and update.job and update.stage != "sending":
                    notes[song] = f"{update.job} goes on; the same command again fetches its stems"
        for song in list(batch.under_way):
            display.left(song, notes.get(song, "not uploaded; the same command again does it"))

    def _cancel(self, batch: Batch, notes: dict[Song, str]) -> None:
        """Cancel what is under way, and note what came of it; what has a note already is left alone."""
        for song, update in list(batch.under_way.items()):
            if update is None or update.job is None or song in notes:
                continue
            try:
                self.client.cancel(update.job)
                self._notes[song].forget(self.address)
                notes[song] = f"{update.job} is cancelled"
            except StempipeError as error:
                notes[song] = f"{update.job} is not cancelled: {error.message}"


def _update(step: Step) -> Update:
    return Update(
        stage=stage(step.job) if step.phase == "working" else step.phase,
        percent=step.percent,
        seconds_left=step.seconds_left,
        job=step.job.id,
        files=step.files,
        notices=step.job.source.notices,
    )


def stage(job: Job) -> str:
    """Where a job is, in words for whoever waits for it."""
    if job.status is Status.PROCESSING:
        # What the worker down- and uploads is none of the user's own transfers.
        return {"downloading": "starting", "uploading": "storing"}.get(
            job.stage or "", job.stage or "starting"
        )
    return {Status.AWAITING_UPLOAD: "arriving"}.get(job.status, job.status.value)
