"""Many songs, a few at a time; each ends by itself, and Ctrl-C ends them all."""

import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from stempipe_client.command.display import Display, Update
from stempipe_client.command.songs import Song
from stempipe_client.errors import StempipeError
from stempipe_client.names import said

Work = Callable[[Song], Generator[Update]]
"""Works on one song; the last update names the files."""

STOP_SECONDS = 15.0


@dataclass
class Batch:
    """The songs of one command.

    Parameters
    ----------
    songs
        In the order that they are begun.
    work
        What is done with each, in threads.
    display
        Is told of it.
    at_once
        How many songs are under way at any time.

    Attributes
    ----------
    finished
        The files of the songs that are done.
    errors
        Why others failed.
    unheard
        Why some of those that are done have no analysis, though it was asked for.
    under_way
        The last that is known of songs that are neither.
    """

    songs: Sequence[Song]
    work: Work
    display: Display
    at_once: int
    finished: dict[Song, Mapping[str, Path]] = field(default_factory=dict)
    errors: dict[Song, StempipeError] = field(default_factory=dict)
    unheard: dict[Song, StempipeError] = field(default_factory=dict)
    under_way: dict[Song, Update | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._waiting = deque(self.songs)
        self._stopped = Event()
        # Daemons: after a second Ctrl-C the program ends, whatever they are waiting for.
        self._threads = [
            Thread(target=self._run, daemon=True) for _ in range(min(self.at_once, len(self.songs)))
        ]

    def run(self) -> None:
        """Work until every song has ended, well or badly; KeyboardInterrupt comes out of here."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.2)  # with a timeout: else Windows would not notice Ctrl-C

    def stop(self) -> None:
        """Begin no more songs, and leave those under way at their next update."""
        self._stopped.set()

    def wait(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for the songs that were left."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                song = self._waiting.popleft()
            except IndexError:
                return
            self._separate(song)

    def _separate(self, song: Song) -> None:
        self.under_way[song] = None
        steps = self.work(song)
        try:
            for update in steps:
                self.under_way[song] = update
                if self._stopped.is_set():
                    steps.close()
                    return
                if update.saved:
                    self.display.saved(song, update)
                elif not update.files:
                    self.display.update(song, update)
        except Exception as error:
            # What fails once all is being stopped, fails because of that: the song stays under way.
            if not self._stopped.is_set():
                self._fail(song, _named(error))
            return
        self.finished[song] = update.files
        if update.analysis and (problem := update.analysis.error):
            self.unheard[song] = StempipeError(problem.code, problem.message)
        del self.under_way[song]
        self.display.done(song, update)

    def _fail(self, song: Song, error: StempipeError) -> None:
        self.errors[song] = error
        del self.under_way[song]
        self.display.failed(song, error)


def _named(error: Exception) -> StempipeError:
    """An error with a code: what is wrong with one song must not end the others."""
    match error:
        case StempipeError():
            return error
        case OSError():
            return StempipeError("file_error", str(error))
        case _:
            return StempipeError("client_error", said(f"{type(error).__name__}: {error}"))
