"""What is under way, so that the same command again goes on where the last one was interrupted."""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from stempipe_client.config import Config

KEPT_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True)
class Memory:
    """Idempotency keys of songs that are not finished, one file for each.

    A key is of the song's content, its path, the configuration and the service; and of chance, so that a song
    which was finished can be separated once more.

    Parameters
    ----------
    folder
        For the files.
    service
        Address of the API.
    """

    folder: Path
    service: str

    def key(self, song: Path, config: Config) -> str:
        """The key of a song: the one that is remembered, else a new one.

        Raises
        ------
        OSError
            The song cannot be read.
        """
        with song.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        what = [self.service, str(song.resolve()), content, config.to_json()]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:40]
        note = self.folder / digest
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            nonce = note.read_text()
        except FileNotFoundError:
            nonce = secrets.token_hex(8)
            note.write_text(nonce)
        return f"{digest}-{nonce}"

    def forget(self, key: str) -> None:
        """The song is finished, one way or another."""
        (self.folder / key.partition("-")[0]).unlink(missing_ok=True)

    def forget_old(self) -> None:
        """Forget what nobody came back for; the service has deleted those jobs."""
        for note in self.folder.glob("*"):
            if note.stat().st_mtime < time.time() - KEPT_SECONDS:
                note.unlink(missing_ok=True)
