"""`stempipe separate`: songs through a service, a few at a time."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal

from stempipe_client.client import Client, Step
from stempipe_client.command.batch import Batch
from stempipe_client.command.display import Display, Update
from stempipe_client.command.resume import Memory
from stempipe_client.command.songs import Song
from stempipe_client.config import Config
from stempipe_client.errors import StempipeError, TransientError
from stempipe_client.models import Job, Status

OnInterrupt = Literal["cancel", "leave"]


@dataclass(frozen=True)
class Separation:
    """What is done with each song, and undone when the user interrupts it.

    Parameters
    ----------
    client
        The service.
    config
        What to make of every song.
    memory
        Knows what an earlier command left.
    """

    client: Client
    config: Config
    memory: Memory
    _keys: dict[Song, str] = field(default_factory=dict)

    def __call__(self, song: Song) -> Generator[Update]:
        """Separate a song, or go on with it; the updates are a Batch's."""
        self._keys[song] = key = self.memory.key(song.path, self.config)
        steps = self.client.separate(song.path, song.folder, self.config, name=song.name, idempotency_key=key)
        try:
            for step in steps:
                yield _update(step)
        except TransientError:
            raise  # the same command again goes on
        except StempipeError as error:
            if error.code != "unauthorized":
                self.memory.forget(key)
            raise
        self.memory.forget(key)

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
                self.memory.forget(self._keys[song])
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
