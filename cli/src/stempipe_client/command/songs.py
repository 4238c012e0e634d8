"""Which songs are meant, and where the stems of each go."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stempipe_client.endings import ENDINGS, UNREADABLE, begins_as_a_song, parted
from stempipe_client.errors import StempipeError
from stempipe_client.names import alike, safe
from stempipe_client.sources import Midi, Source, Stems

LONGEST_NAME = 200
"""Bytes; it leaves room for a number, the stem and the ending."""


@dataclass(frozen=True)
class Song:
    """A song, and what becomes of it.

    Attributes
    ----------
    path
        Its file, or the folder of its stems.
    folder
        Where what is made of it goes.
    name
        What that is named after; no other song in that folder has it.
    parts
        Its stems or its MIDI, where it has that in place of sound.
    """

    path: Path
    folder: Path
    name: str
    parts: Stems | Midi | None = field(default=None, compare=False)

    @property
    def source(self) -> Source:
        """What its job begins with."""
        return self.parts or self.path

    @property
    def label(self) -> str:
        """What it is called on the screen."""
        return self.path.name or self.name


@dataclass(frozen=True)
class LeftOut:
    """A file in a folder that is not taken for a song.

    Attributes
    ----------
    reason
        For a person.
    may_be_song
        Whether a song may be missed.
    """

    path: Path
    reason: str
    may_be_song: bool


def collect(
    paths: Iterable[Path], out: Path, leave_out: Callable[[LeftOut], None] = lambda left_out: None
) -> list[Song]:
    """The songs among files and folders, each once; sub-folders of a folder are kept below `out`.

    A file that is named itself may have any ending. Of a folder, files with a song's ending are taken, and
    those with none or another format's that begin as songs do; hidden ones and what is in `out` are passed
    over.

    Parameters
    ----------
    leave_out
        Is told of every other file in the folders.

    Raises
    ------
    StempipeError
        `no_such_file`: a path does not exist, or a folder has no songs.
    """
    taken: set[Path] = set()
    used: set[tuple[Path, str]] = set()
    songs = []
    for path in paths:
        found = False
        for file, below in _files(path, out, leave_out):
            found = True
            if file.resolve() in taken:
                continue
            taken.add(file.resolve())
            songs.append(Song(file, out / below, unused(parted(file.name)[0], out / below, used)))
        if not found:
            raise StempipeError("no_such_file", f"There is no song in {path}")
    return songs


def _files(path: Path, out: Path, leave_out: Callable[[LeftOut], None]) -> Iterator[tuple[Path, Path]]:
    """Each song, and its folder relative to what was named."""
    if not path.is_dir():
        if not path.exists():
            raise StempipeError("no_such_file", f"There is no file {path}")
        yield path, Path()
        return
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path)
        if not file.is_file() or any(part.startswith(".") for part in below.parts):
            continue
        # Stems of an earlier run are no songs of this one.
        if out.resolve() != path.resolve() and file.resolve().is_relative_to(out.resolve()):
            continue
        _, ending = parted(file.name)
        is_unsure = not ending or ending in UNREADABLE
        if ending in ENDINGS or (is_unsure and begins_as_a_song(_head(file))):
            yield file, below.parent
        elif ending in UNREADABLE:
            leave_out(LeftOut(file, "it cannot be read; make a FLAC or WAV of it", True))
        elif not ending:
            leave_out(
                LeftOut(file, "no ending, and no song by its beginning; name it to have it tried", True)
            )
        else:
            leave_out(LeftOut(file, "no song, by its ending", False))


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(16)
    except OSError:
        return b""


def unused(title: str, folder: Path, used: set[tuple[Path, str]]) -> str:
    """A name that no other song has in a folder; song.mp3 and song.wav, or Song.mp3, would else be one."""
    title = name = safe(title, longest=LONGEST_NAME)
    number = 1
    while (folder, alike(name)) in used:
        number += 1
        name = f"{title} ({number})"
    used.add((folder, alike(name)))
    return name
