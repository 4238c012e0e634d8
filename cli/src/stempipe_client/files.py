"""Finished files get their names, and take none that is somebody else's."""

import filecmp
from collections.abc import Callable
from itertools import count
from pathlib import Path

from stempipe_client.names import safe

MayReplace = Callable[[Path], bool]
"""Whether a file that is there may be replaced."""


def nothing(_: Path) -> bool:
    """Whether a file may be replaced: no."""
    return False


def put(unfinished: Path, folder: Path, name: str, stem: str, ending: str, may_replace: MayReplace) -> Path:
    """Name a finished file `{name} - {stem}.{ending}`.

    A file that has the name is left alone, unless it may be replaced or has just these bytes; the new one is
    `{name} - {stem} (2).{ending}` then.

    Parameters
    ----------
    unfinished
        On the same disk as the folder.
    """
    for number in count(1):
        numbered = f" ({number})" if number > 1 else ""
        path = folder / safe(name, f" - {stem}{numbered}.{ending}")
        if path.is_file() and (may_replace(path) or filecmp.cmp(unfinished, path, shallow=False)):
            unfinished.replace(path)
            return path
        if _take(unfinished, path):
            return path
    raise AssertionError("there is no last number")


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
