"""Which songs are meant, and where the stems of each go."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stempipe_client.errors import StempipeError
from stempipe_client.names import safe

ENDINGS = frozenset(
    "." + ending
    for ending in "aac aif aifc aiff flac m4a mka mkv mov mp3 mp4 oga ogg opus wav webm".split()  # noqa: SIM905
)
"""Of the files in a folder that are taken for songs. A file that is named itself may have any."""

LONGEST_NAME = 200
"""Bytes; it leaves room for a number, the stem and the ending."""


@dataclass(frozen=True)
class Song:
    """A song, and what becomes of it.

    Attributes
    ----------
    folder
        Where its stems go.
    name
        What they are named after; no other song in that folder has it.
    """

    path: Path
    folder: Path
    name: str


def collect(paths: Iterable[Path], out: Path) -> list[Song]:
    """The songs among files and folders, each once; sub-folders of a folder are kept below `out`.

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
        for file, below in _files(path, out):
            found = True
            if file.resolve() in taken:
                continue
            taken.add(file.resolve())
            songs.append(Song(file, out / below, _unused(file.stem, out / below, used)))
        if not found:
            raise StempipeError("no_such_file", f"There is no song in {path}")
    return songs


def _files(path: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    """Each song, and its folder relative to what was named."""
    if not path.is_dir():
        if not path.exists():
            raise StempipeError("no_such_file", f"There is no file {path}")
        yield path, Path()
        return
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path)
        hidden = any(part.startswith(".") for part in below.parts)
        # Stems of an earlier run are no songs of this one.
        made = out.resolve() != path.resolve() and file.resolve().is_relative_to(out.resolve())
        if file.suffix.lower() in ENDINGS and file.is_file() and not hidden and not made:
            yield file, below.parent


def _unused(title: str, folder: Path, used: set[tuple[Path, str]]) -> str:
    """A name that no other song has in a folder; song.mp3 and song.wav, or Song.mp3, would else be one."""
    title = name = safe(title, longest=LONGEST_NAME)
    number = 1
    while (folder, name.casefold()) in used:
        number += 1
        name = f"{title} ({number})"
    used.add((folder, name.casefold()))
    return name
