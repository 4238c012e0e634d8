"""Finished files get their names, and take none that is somebody else's."""

import filecmp
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from stempipe_client.names import safe

MayReplace = Callable[[Path], bool]
"""Whether a file that is there may be replaced."""


def nothing(_: Path) -> bool:
    """Whether a file may be replaced: no."""
    return False


@dataclass(frozen=True)
class Place:
    """Where the files of one song go.

    A file that has a name already is left alone, unless it may be replaced or has just these bytes; the new
    one is numbered then, as in `{name} - {stem} (2).{ending}`.

    Attributes
    ----------
    folder
        It is made if it does not exist.
    name
        What files are named after.
    may_replace
        Says of a file that is there whether it may be.
    """

    folder: Path
    name: str
    may_replace: MayReplace = nothing

    def put_stem(self, unfinished: Path, stem: str, ending: str) -> Path:
        """Name a finished stem `{name} - {stem}.{ending}`. It is on the same disk as the folder."""
        return self._put(unfinished, self.folder, self.name, f" - {stem}", ending)

    def put_found(self, unfinished: Path, file: str) -> Path:
        """Name a file of the analysis likewise.

        `song.mid` becomes `{name}.mid`, and `analysis.json` `{name} - analysis.json`; any other keeps its
        name, in a folder called `{name}`.
        """
        before, _, ending = file.rpartition(".")
        match file:
            case "song.mid":
                return self._put(unfinished, self.folder, self.name, "", ending)
            case "analysis.json":
                return self._put(unfinished, self.folder, self.name, f" - {before}", ending)
        return self._put(unfinished, self._folder_of_its_own(), before, "", ending)

    def _put(self, unfinished: Path, folder: Path, name: str, rest: str, ending: str) -> Path:
        for number in count(1):
            path = folder / safe(name, f"{rest}{_numbered(number)}.{ending}")
            if path.is_file() and (self.may_replace(path) or filecmp.cmp(unfinished, path, shallow=False)):
                unfinished.replace(path)
                return path
            if _take(unfinished, path):
                return path
        raise AssertionError("there is no last number")

    def _folder_of_its_own(self) -> Path:
        for number in count(1):
            path = self.folder / safe(self.name, _numbered(number))
            try:
                path.mkdir(exist_ok=True)
            except FileExistsError:  # a file, such as the song itself
                continue
            return path
        raise AssertionError("there is no last number")


def _numbered(number: int) -> str:
    return f" ({number})" if number > 1 else ""


def _take(unfinished: Path, path: Path) -> bool:
    """Rename a file, if nobody has the name."""
    try:
        path.hardlink_to(unfinished)  # a rename would replace what has come since somebody looked
    except FileExistsError:
        return False
    except OSError:  # a disk without links, as most sticks are
        try:
            path.open("xb").close()
        except FileExistsError:
            return False
        unfinished.replace(path)
        return True
    unfinished.unlink()
    return True
