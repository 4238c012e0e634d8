"""What is shown of many songs at once: bars on a terminal, lines elsewhere, JSON for programs."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import IO, Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TaskID, TextColumn
from rich.table import Column, Table
from rich.text import Text

from stempipe_client.command.songs import LeftOut, Song
from stempipe_client.errors import StempipeError
from stempipe_client.models import AnalysisOutcome, Notice
from stempipe_client.names import plain

WIDE, NARROW = 64, 36
"""Columns that a terminal must have for there to be a bar, and for the time left."""
LINE_SECONDS = 1.0
NAMED = 3
"""So many of the files that are no songs are named on a terminal."""
_HALVES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Update:
    """How far a song is.

    Attributes
    ----------
    stage
        In words.
    percent, seconds_left
        Of the stage.
    job
        Its id, if there is one.
    saved
        Each stem's file, once, where there is more to come.
    files
        All files, at the end: by the names of stems, and of what was found in them.
    notices
        What was filled or left out of the song, at the end.
    analysis
        What became of it, at the end; None where none was asked for.
    residual_db
        What the stems lack of the song, at the end, where it was measured.
    """

    stage: str
    percent: int
    seconds_left: float | None = None
    job: str | None = None
    saved: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    notices: Sequence[Notice] = ()
    analysis: AnalysisOutcome | None = None
    residual_db: float | None = None


class Display(Protocol):
    """Is told what becomes of each song, by several threads."""

    def update(self, song: Song, update: Update) -> None: ...

    def saved(self, song: Song, update: Update) -> None:
        """Its stems are there; it goes on."""
        ...

    def done(self, song: Song, update: Update) -> None: ...

    def failed(self, song: Song, error: StempipeError) -> None: ...

    def left(self, song: Song, note: str) -> None:
        """The user interrupted it."""
        ...


@contextmanager
def shown(console: Console, songs: Sequence[Song], events: IO[str] | None) -> Iterator[Display]:
    """The display for a terminal or none, and JSON besides if there is somewhere to write it."""
    with ExitStack() as stack:
        displays: list[Display] = []
        if console.is_terminal:
            displays.append(stack.enter_context(_Bars(console, songs)))
        else:
            displays.append(_Lines(console, songs))
        if events:
            displays.append(_Events(events))
        yield _All(displays)


def seconds_left(seconds: float | None) -> str:
    """For a person, and never longer than five characters."""
    if seconds is None:
        return ""
    minutes, seconds = divmod(round(min(seconds, 999 * 3600)), 60)
    return f"{minutes}:{seconds:02}" if minutes < 100 else f"{minutes // 60} h"


def say(console: Console, line: str, style: str = "") -> None:
    """Print a line whose words come from elsewhere: what is in them is text, whatever it looks like."""
    # A Text, so that square brackets are no markup; and a path is not broken into lines.
    console.print(Text(plain(line), style), soft_wrap=True)


def here(moment: datetime, form: str) -> str:
    """A moment as this place's time has it."""
    try:
        return moment.astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):  # a year that it does not have
        return "-"


def to_json(value: Any) -> str:
    """JSON on one line, all of it ASCII that can be printed; what is no character becomes U+FFFD, and what is
    no number null."""
    text = _HALVES.sub("\ufffd", json.dumps(value, ensure_ascii=False))
    return json.dumps(json.loads(text, parse_constant=lambda _: None))


def show_left_out(console: Console, files: Sequence[LeftOut], events: IO[str] | None) -> None:
    """Name what is not taken: each file that may be a song, and some of the others."""
    others = [file for file in files if not file.may_be_song]
    for file in files:
        if file.may_be_song:
            say(console, f"left out  {file.path}: {file.reason}", "yellow")
        if events:
            record = {"event": "left_out", "song": str(file.path), "job": None, "message": file.reason}
            print(to_json(record), file=events, flush=True)
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        names = ", ".join(str(file.path) for file in others[:NAMED])
        say(console, f"left out  {names}{more}: {others[0].reason}")


class _All:
    def __init__(self, displays: Sequence[Display]) -> None:
        self._displays = displays

    def update(self, song: Song, update: Update) -> None:
        for display in self._displays:
            display.update(song, update)

    def saved(self, song: Song, update: Update) -> None:
        for display in self._displays:
            display.saved(song, update)

    def done(self, song: Song, update: Update) -> None:
        for display in self._displays:
            display.done(song, update)

    def failed(self, song: Song, error: StempipeError) -> None:
        for display in self._displays:
            display.failed(song, error)

    def left(self, song: Song, note: str) -> None:
        for display in self._displays:
            display.left(song, note)


class _Outcomes:
    """Lines for what has come of each song, above whatever moves."""

    def __init__(self, console: Console, songs: Sequence[Song]) -> None:
        self._console = console
        self._alone = len(songs) == 1
        self._named: set[Path] = set()

    def saved(self, song: Song, update: Update) -> None:
        self._name("stems", song, update.saved)

    def done(self, song: Song, update: Update) -> None:
        self._name("done", song, update.files)
        for notice in update.notices:
            self._print(f"notice  {song.label}: {notice.message}")
        if update.analysis and (problem := update.analysis.error):
            error = f"{problem.code}: {problem.message}"
            self._print(f"failed  {song.label}, the analysis; its stems are saved: {error}", "red")

    def _name(self, what: str, song: Song, files: Mapping[str, Path]) -> None:
        """Name the files that lie side by side, and how many there are in a folder of their own."""
        beside = {name: path for name, path in files.items() if path.parent == song.folder}
        others = {path.parent for path in files.values()} - {song.folder}
        count = len(files) - len(beside)
        if self._alone:
            for name, path in beside.items():
                if path not in self._named:
                    self._print(f"{name:<14} {path}")
            for folder in others:
                self._print(f"{f'{count} more':<14} {folder}")
            self._named.update(beside.values())
        else:
            more = f" and {count} more" if count else ""
            self._print(f"{what:<7} {song.label}: {', '.join(beside)}{more} in {song.folder}")

    def failed(self, song: Song, error: StempipeError) -> None:
        self._print(f"failed  {song.label}: {error}", "red")

    def left(self, song: Song, note: str) -> None:
        self._print(f"left    {song.label}: {note}", "yellow")

    def _print(self, line: str, style: str = "") -> None:
        say(self._console, line, style)


class _Lines(_Outcomes):
    """One line for each stage, and while it lasts one a second for its progress."""

    def __init__(self, console: Console, songs: Sequence[Song]) -> None:
        super().__init__(console, songs)
        self._last: dict[Song, tuple[str, float]] = {}

    def update(self, song: Song, update: Update) -> None:
        stage, at = self._last.get(song, ("", 0.0))
        now = time.monotonic()
        if update.stage == stage and now - at < LINE_SECONDS:
            return
        self._last[song] = update.stage, now
        left = f"{seconds_left(update.seconds_left)} left" if update.seconds_left is not None else ""
        self._print(f"{song.label}  {update.stage:<12} {update.percent:>3} %  {left}".rstrip())


class _Bars(_Outcomes):
    """A bar for each song that is under way, and one for all of them."""

    def __init__(self, console: Console, songs: Sequence[Song]) -> None:
        super().__init__(console, songs)
        self._progress = _Fitting(console)
        self._tasks: dict[Song, TaskID] = {}
        self._total = len(songs)
        self._ended = 0
        self._all: TaskID | None = None

    def __enter__(self) -> "_Bars":
        self._progress.start()
        if not self._alone:
            self._all = self._progress.add_task(
                f"0 of {self._total} songs", total=self._total, stage="", left=""
            )
        return self

    def __exit__(self, *error: object) -> None:
        # What did not end is no longer under way.
        for task in self._tasks.values():
            self._progress.remove_task(task)
        if self._all is not None:
            self._progress.remove_task(self._all)
        self._progress.stop()

    def update(self, song: Song, update: Update) -> None:
        fields: dict[str, Any] = {"stage": plain(update.stage), "left": seconds_left(update.seconds_left)}
        if song not in self._tasks:
            self._tasks[song] = self._progress.add_task(plain(song.label), total=100, **fields)
        self._progress.update(self._tasks[song], completed=update.percent, **fields)

    def done(self, song: Song, update: Update) -> None:
        super().done(song, update)
        self._end(song)

    def failed(self, song: Song, error: StempipeError) -> None:
        super().failed(song, error)
        self._end(song)

    def left(self, song: Song, note: str) -> None:
        super().left(song, note)
        self._end(song)

    def _end(self, song: Song) -> None:
        if song in self._tasks:
            self._progress.remove_task(self._tasks.pop(song))
        self._ended += 1
        if self._all is not None:
            description = f"{self._ended} of {self._total} songs"
            self._progress.update(self._all, completed=self._ended, description=description)


class _Fitting(Progress):
    """One line for a task however narrow the terminal is: the bar gives way, the time left, the name."""

    def __init__(self, console: Console) -> None:
        name = _text("{task.description}", Column(ratio=1, no_wrap=True, overflow="ellipsis"))
        stage = _text("{task.fields[stage]}", Column(no_wrap=True, overflow="ellipsis", max_width=12))
        percent = _text("{task.percentage:>3.0f} %", Column(no_wrap=True, min_width=5))
        left = _text("{task.fields[left]:>5}", Column(no_wrap=True, min_width=5))
        self._fitting = {
            WIDE: (name, stage, BarColumn(20), percent, left),
            NARROW: (name, stage, percent, left),
            0: (name, stage, percent),
        }
        self._terminal = console
        super().__init__(console=console, expand=True)

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        width = self._terminal.width
        self.columns = next(columns for least, columns in self._fitting.items() if width >= least)
        return super().make_tasks_table(tasks)


def _text(template: str, column: Column) -> TextColumn:
    return TextColumn(template, markup=False, table_column=column)


class _Events:
    """One JSON object a line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lock = Lock()
        self._jobs: dict[Song, str | None] = {}

    def update(self, song: Song, update: Update) -> None:
        self._jobs[song] = update.job
        self._write(
            "progress", song, stage=update.stage, percent=update.percent, secondsLeft=update.seconds_left
        )

    def saved(self, song: Song, update: Update) -> None:
        self._write("saved", song, files=_texts(update.saved))

    def done(self, song: Song, update: Update) -> None:
        self._write(
            "done",
            song,
            files=_texts(update.files),
            notices=[notice.model_dump() for notice in update.notices],
            analysis=update.analysis and update.analysis.model_dump(),
            residualDb=update.residual_db,
        )

    def failed(self, song: Song, error: StempipeError) -> None:
        self._write("failed", song, error={"code": error.code, "message": error.message})

    def left(self, song: Song, note: str) -> None:
        self._write("left", song, message=note)

    def _write(self, event: str, song: Song, **fields: Any) -> None:
        record = {"event": event, "song": str(song.path), "job": self._jobs.get(song)} | fields
        with self._lock:
            print(to_json(record), file=self._file, flush=True)


def _texts(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(path) for name, path in files.items()}
