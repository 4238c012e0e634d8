"""`stempipe local`: songs through the engine on this machine, with no service."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from stempipe_client.command.display import Update, say
from stempipe_client.command.resume import Memory
from stempipe_client.command.songs import Song
from stempipe_client.config import Config, ModelVariant
from stempipe_client.endings import parted
from stempipe_client.errors import StempipeError
from stempipe_client.files import put
from stempipe_client.models import Notice
from stempipe_client.steps import Report, stepwise

if TYPE_CHECKING:
    from media import AudioOutput
    from separation import Engine

# Stems are heard side by side, a thread each. NumPy's own, unless told before its import, are in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

DEFAULT_BITRATE = 192  # kbit/s, as the service's


@dataclass(frozen=True)
class LocalSeparation:
    """What is done with each song, one at a time: the engine takes every processor.

    Parameters
    ----------
    engine
        The loaded networks.
    config
        What to make of every song.
    output
        The format of the files.
    memory
        Knows the files that it has made.
    max_seconds
        Longer songs are refused.
    """

    engine: Engine
    config: Config
    output: AudioOutput
    memory: Memory
    max_seconds: float

    def __call__(self, song: Song) -> Generator[Update]:
        """Separate a song; the updates are a Batch's."""
        from media import MediaError
        from separation import ModelError, separate

        note = self.memory.note(song.path, self.config)
        files: dict[str, Path] = {}
        notices: list[Notice] = []
        song.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=song.folder, prefix=".stempipe-") as folder:

            def work(report: Report) -> None:
                made = separate(
                    song.path.absolute(),  # whichever folder the decoder's process was started in
                    Path(folder),
                    self.engine,
                    stems=self.config.keep or self.engine.stems,
                    mask_extension=self.config.mask_extension or "average",
                    output=self.output,
                    max_seconds=self.max_seconds,
                    title=parted(song.path.name)[0],
                    on_progress=report,
                )
                notices.extend(Notice(**asdict(notice)) for notice in made.notices)
                for stem, path in made.stems.items():
                    ending = self.output.format
                    files[stem] = put(path, song.folder, song.name, stem, ending, note.may_replace)
                note.finish(files.values())

            yield Update("separating", 0)
            try:
                for percent, left in stepwise(work):
                    yield Update("separating", percent, left)
            except (MediaError, ModelError) as error:
                more = " Or raise --max-minutes." if error.code == "too_long" else ""
                raise StempipeError(error.code, f"{error}{more}") from error
        yield Update("done", 100, files=files, notices=notices)


def prepare(config: Config, memory: Memory, max_seconds: float, console: Console) -> LocalSeparation:
    """Load the engine; its model is fetched when it is used for the first time.

    Raises
    ------
    StempipeError
        `not_installed`, `invalid_config`, or what is wrong with the model.
    """
    try:
        from separation import load_engine
        from separation.models.weights import VARIANTS
    except ImportError as error:
        raise StempipeError(
            "not_installed", f"This needs the engine: pip install 'stempipe[local]' ({error})"
        ) from error
    variant = config.model_variant or "2stems"
    if unknown := set(config.keep) - set(VARIANTS[variant].stems):
        known = ", ".join(VARIANTS[variant].stems)
        raise StempipeError(
            "invalid_config", f"{variant} has no {', '.join(sorted(unknown))}; it has {known}"
        )
    output = _output(config)
    _install(variant, console)
    engine = load_engine(variant, config.bandwidth or "11khz")
    return LocalSeparation(engine, config, output, memory, max_seconds)


def _output(config: Config) -> AudioOutput:
    """The service has the same rules, and the same defaults."""
    from media import AudioOutput

    audio_format = config.output_format or "wav"
    if config.bitrate and audio_format != "mp3":
        raise StempipeError("invalid_config", f"A bitrate is for mp3; {audio_format} has none.")
    if config.bit_depth and audio_format == "mp3":
        raise StempipeError("invalid_config", "A bit depth is for wav and flac; mp3 has none.")
    if config.bit_depth == 32 and audio_format == "flac":
        raise StempipeError("invalid_config", "A bit depth of 32 is for wav; flac has 16 and 24.")
    return AudioOutput(
        format=audio_format,
        sample_rate=config.sample_rate or 44100,
        bitrate=(config.bitrate or DEFAULT_BITRATE) if audio_format == "mp3" else None,
        bit_depth=config.bit_depth or 16,
    )


def _install(variant: ModelVariant, console: Console) -> None:
    from downloads.directory import models_directory
    from downloads.errors import ModelDamagedError, ModelMissingError
    from downloads.fetch import FetchError
    from separation.models.weights import install, verify

    folder = models_directory()
    try:
        verify(variant, folder)
    except (ModelMissingError, ModelDamagedError):
        say(console, f"Fetching the model {variant} into {folder}, once.")
        try:
            install(variant, folder)
        except FetchError as error:
            raise StempipeError("model_missing", f"The model cannot be fetched. {error}") from error
