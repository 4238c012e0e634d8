"""What is remembered of songs: the same command again goes on, and knows its own files."""

import hashlib
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stempipe_client.command.places import read_json, write_json
from stempipe_client.config import Config
from stempipe_client.sources import Source, files_of, request

KEPT_SECONDS = 365 * 24 * 3600.0


@dataclass(frozen=True)
class Note:
    """What is remembered of one song with one configuration.

    That are the idempotency key of its job with each service, while it is not finished; and the files that
    were made of it, as they were then.

    Parameters
    ----------
    file
        Where it is written down, once there is something.
    """

    file: Path

    def key(self, service: str) -> str:
        """The key of its job with a service: the one that is remembered, else a new one.

        It has chance in it, so that a song which was finished can be separated once more.
        """
        known = read_json(self.file)
        keys = known.get("keys", {})
        if service not in keys:
            keys[service] = f"{self.file.name}-{secrets.token_hex(8)}"
            write_json(self.file, known | {"keys": keys})
        return str(keys[service])

    def forget(self, service: str) -> None:
        """Its job has ended, one way or another."""
        self._write(service, {})

    def remember(self, files: Iterable[Path]) -> None:
        """These files were made of it; there may be more to come."""
        self._write("", {str(path.absolute()): _looks(path) for path in files})

    def finish(self, files: Iterable[Path], service: str) -> None:
        """It is done, and these are its files."""
        self._write(service, {str(path.absolute()): _looks(path) for path in files})

    def may_replace(self, path: Path) -> bool:
        """Whether a file is one of those that were made of this song, and nobody has changed it since."""
        made = read_json(self.file).get("files", {}).get(str(path.absolute()))
        return bool(made == _looks(path))

    def _write(self, service: str, files: dict[str, list[int]]) -> None:
        known = read_json(self.file)
        keys = {name: key for name, key in known.get("keys", {}).items() if name != service}
        files = known.get("files", {}) | files
        if keys or files:
            write_json(self.file, {"keys": keys, "files": files})
        else:
            self.file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Memory:
    """Notes on songs, one file for each.

    Parameters
    ----------
    folder
        For the files.
    """

    folder: Path

    def note(self, source: Source, config: Config) -> Note:
        """What is remembered of a song: of this content, at this path, with this configuration.

        Stems and MIDI are remembered likewise.

        Raises
        ------
        OSError
            It cannot be read.
        """
        what: list[Any] = []
        for path in files_of(source):
            with path.open("rb") as file:
                what += [str(path.resolve()), hashlib.file_digest(file, "sha256").hexdigest()]
        what.append(config.to_json())
        if not isinstance(source, Path):
            what.append(request(source))  # a song's says nothing more
        return Note(self.folder / hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:40])

    def forget_old(self) -> None:
        """Forget what nobody came back for; the service has long deleted those jobs."""
        for file in self.folder.glob("*"):
            if file.stat().st_mtime < time.time() - KEPT_SECONDS:
                file.unlink(missing_ok=True)


def _looks(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
