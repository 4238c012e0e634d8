"""Finished files get their names, and take none that is somebody else's."""

import filecmp
import os
import tempfile
from collections.abc import Callable, Mapping
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
    one is numbered then, as in `{name} - {stem} (2).{ending}`. So is a folder, unless all that shows in it
    is of that kind: what a service names must not come to lie among somebody's own files.

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

    def put_found(self, unfinished: Mapping[str, Path]) -> dict[str, Path]:
        """Name all files of an analysis likewise, which are told by their names in it.

        `song.mid` becomes `{name}.mid`, and `analysis.json` `{name} - analysis.json`; any other keeps its
        name, in a folder called `{name}`, which has them all or none.
        """
        put = {}
        for file, beside in (("analysis.json", " - analysis"), ("song.mid", "")):
            if file in unfinished:
                put[file] = self._put(
                    unfinished[file], self.folder, self.name, beside, file.rpartition(".")[2]
                )
        if others := {file: path for file, path in unfinished.items() if file not in put}:
            put |= self._put_folder(others)
        return put

    def _put_folder(self, unfinished: Mapping[str, Path]) -> dict[str, Path]:
        with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=self.folder) as scratch:
            made = Path(scratch, "made")
            made.mkdir()  # with the rights that the user's folders have
            names = {}
            for file, path in unfinished.items():
                before, _, ending = file.rpartition(".")
                names[file] = self._put(path, made, before, "", ending).name
            folder = self._named(made)
        return {file: folder / name for file, name in names.items()}

    def _named(self, made: Path) -> Path:
        """Give a folder its name, or its files to the one that has it and is of this song."""
        for number in count(1):
            path = self.folder / safe(self.name, _numbered(number))
            if self._is_own(path, made):
                for file in made.iterdir():
                    file.replace(path / file.name)
                return path
            if os.path.lexists(path):  # somebody's folder, or a file, such as the song itself
                continue
            try:
                return made.rename(path)
            except OSError:
                if not os.path.lexists(path):
                    raise
        raise AssertionError("there is no last number")

    def _is_own(self, folder: Path, made: Path) -> bool:
        """Whether a folder has nothing to show but earlier files of the song.

        By their bytes alone they are known only if they are just the same: else whoever knows what lies in a
        folder could add to it.
        """
        if not folder.is_dir() or folder.is_symlink():
            return False
        there = {path.name: path for path in folder.iterdir() if not path.name.startswith(".")}
        ours = {name for name, path in there.items() if path.is_file() and self.may_replace(path)}
        same = {
            name
            for name, path in there.items()
            if path.is_file() and (made / name).is_file() and filecmp.cmp(made / name, path, shallow=False)
        }
        everything = {path.name for path in made.iterdir()}
        return same == there.keys() == everything or bool(ours and ours | same == there.keys())

    def _put(self, unfinished: Path, folder: Path, name: str, rest: str, ending: str) -> Path:
        for number in count(1):
            path = folder / safe(name, f"{rest}{_numbered(number)}.{ending}")
            if path.is_file() and (self.may_replace(path) or filecmp.cmp(unfinished, path, shallow=False)):
                unfinished.replace(path)
                return path
            if _take(unfinished, path):
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
