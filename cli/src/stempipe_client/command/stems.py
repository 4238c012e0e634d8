"""Which stems belong together, and which files are MIDI."""

from collections.abc import Callable, Iterable
from pathlib import Path

from stempipe_client.command.songs import LeftOut, Song, unused
from stempipe_client.endings import ENDINGS, parted
from stempipe_client.errors import StempipeError
from stempipe_client.names import alike, safe
from stempipe_client.sources import MOST_STEMS, Midi, Stems

LONGEST_STEM, LONGEST_TITLE = 64, 190
"""Bytes. A title may have 200 characters; that leaves room for a number."""

_DASH = " - "


def collect(
    paths: Iterable[Path], out: Path, leave_out: Callable[[LeftOut], None] = lambda left_out: None
) -> list[Song]:
    """A song of each folder of stems, and of each MIDI file, each once.

    Of a folder, files with a song's ending are taken, and none of its sub-folders.

    Parameters
    ----------
    leave_out
        Is told of every other file in the folders.

    Raises
    ------
    StempipeError
        `no_such_file`: a path does not exist, or a folder has no stems. `invalid_config`: it has too many, or
        two of one name; or a file is a song.
    """
    used: set[tuple[Path, str]] = set()
    songs = []
    for path in {path.resolve(): path for path in paths}.values():
        if path.is_dir():
            stems = _stems(path, leave_out)
            name = unused(_title(path, stems.values()), out, used)
            songs.append(Song(path, out, name, Stems(stems, title=name)))
        elif not path.exists():
            raise StempipeError("no_such_file", f"There is no file {path}")
        elif parted(path.name)[1] in ENDINGS:
            more = "Stems are given as a folder of them; of a song: stempipe separate --analysis"
            raise StempipeError("invalid_config", f"{path} is no MIDI, by its ending. {more}")
        else:
            songs.append(Song(path, out, unused(parted(path.name)[0], out, used), Midi(path)))
    return songs


def _stems(folder: Path, leave_out: Callable[[LeftOut], None]) -> dict[str, Path]:
    """The stems in a folder, by their names."""
    stems: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        title, ending = parted(path.name)
        if ending not in ENDINGS:
            leave_out(LeftOut(path, "no stem, by its ending", False))
            continue
        # As this command names them: {song} - {stem}.
        name = safe(title.rpartition(_DASH)[2], longest=LONGEST_STEM)
        if name.casefold() == "mix":
            leave_out(LeftOut(path, "the mix is no stem; it is what all stems sum to", True))
            continue
        if other := next((stems[stem] for stem in stems if alike(stem) == alike(name)), None):
            message = (
                f"{other.name} and {path.name} are both the stem {name}. Give each song a folder of its own."
            )
            raise StempipeError("invalid_config", message)
        stems[name] = path
    if not stems:
        raise StempipeError("no_such_file", f"There is no stem in {folder}")
    if len(stems) > MOST_STEMS:
        raise StempipeError(
            "invalid_config", f"There are {len(stems)} stems in {folder}; at most {MOST_STEMS}"
        )
    return stems


def _title(folder: Path, files: Iterable[Path]) -> str:
    """The song that all of its stems are named after, else the folder's name."""
    songs = {parted(file.name)[0].rpartition(_DASH)[0] for file in files}
    song = songs.pop() if len(songs) == 1 else ""
    return safe(song or folder.resolve().name, longest=LONGEST_TITLE)
