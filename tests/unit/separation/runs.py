"""Separates songs that a test makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from media import AudioOutput
from separation import Engine, Separated, separate
from tests.unit.media.songs import KINDS, Kind, Samples, write

STEMS = ("vocals", "accompaniment")


class Run:
    """Separates songs into a folder of their own.

    Parameters
    ----------
    folder
        Where stems go; made where it is not there.
    engine
        What estimates them.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine

    def __call__(
        self,
        song: Samples,
        *,
        stems: tuple[str, ...] = STEMS,
        mask_extension: Literal["average", "zeros"] = "average",
        output: AudioOutput = AudioOutput(),  # noqa: B008
        on_progress: Callable[[float], None] | None = None,
        kind: Kind = KINDS["wav of float"],
        title: str = "",
        song_tags: dict[str, str] | None = None,
    ) -> Separated:
        self.folder.mkdir(exist_ok=True)
        return separate(
            write(self.folder.parent / f"{self.folder.name}.{kind.ending}", song, kind, tags=song_tags),
            self.folder,
            self.engine,
            stems=stems,
            mask_extension=mask_extension,
            output=output,
            max_seconds=120,
            title=title,
            on_progress=on_progress,
        )

    def files(self) -> list[str]:
        """What is in the folder."""
        return sorted(path.name for path in self.folder.iterdir())
