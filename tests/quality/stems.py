"""Stems of a known song, as the pipeline and as Spleeter's own command make them."""

from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from benchmarks import official
from benchmarks.processes import run
from media import AudioOutput
from separation import Engine, separate
from separation.masks import MaskExtension
from tests.quality.known_song import KnownSong, Samples
from tests.unit.media.songs import KINDS, read, write


class Stems(NamedTuple):
    """Both of shape (2, any), float64."""

    vocals: Samples
    accompaniment: Samples

    def delayed(self, samples: int) -> Self:
        """The same, later."""
        return self._replace(
            vocals=np.roll(self.vocals, samples, axis=1),
            accompaniment=np.roll(self.accompaniment, samples, axis=1),
        )


def separated(song: KnownSong, engine: Engine, mask_extension: MaskExtension, folder: Path) -> Stems:
    """From a file to files, through the whole pipeline."""
    return separated_file(write_mix(song, folder), engine, mask_extension, folder)


def separated_file(source: Path, engine: Engine, mask_extension: MaskExtension, folder: Path) -> Stems:
    """The same for a song of one's own."""
    done = separate(
        source,
        folder,
        engine,
        stems=engine.stems,
        mask_extension=mask_extension,
        output=AudioOutput("wav"),
        max_seconds=60,
    )
    return Stems(read(done.stems["vocals"]), read(done.stems["accompaniment"]))


def officially_separated(song: KnownSong, configuration: str, folder: Path) -> Stems:
    """By the command `spleeter separate`."""
    source = write_mix(song, folder)
    run(official.command(source, folder, configuration), official.environment(folder))
    return Stems(*(read(folder / source.stem / f"{stem}.wav") for stem in Stems._fields))


def write_mix(song: KnownSong, folder: Path) -> Path:
    """The song as a file, in 16 bits."""
    return write(folder / "song.wav", song.mix.astype(np.float32), KINDS["wav"])
