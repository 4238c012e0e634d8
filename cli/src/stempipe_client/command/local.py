"""`stempipe local` and `stempipe analyse --local`: on this machine, with no service."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console

from stempipe_client.command.display import Update, say
from stempipe_client.command.resume import Memory, Note
from stempipe_client.command.songs import Song
from stempipe_client.config import AnalysisConfig, Config, MidiConfig, ModelVariant
from stempipe_client.endings import parted
from stempipe_client.errors import StempipeError
from stempipe_client.files import Place
from stempipe_client.models import AnalysisOutcome, Notice, Problem
from stempipe_client.sources import Stems, files_of
from stempipe_client.steps import Report, stepwise

if TYPE_CHECKING:
    from analysis.events import Analysis
    from media import AudioOutput
    from separation import Engine

Name = TypeVar("Name")

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
        from separation import separate

        note = self.memory.note(song.path, self.config)
        place = Place(song.folder, song.name, note.may_replace)
        files: dict[str, Path] = {}
        notices: list[Notice] = []
        residual_db: float | None = None
        with _scratch(song) as folder:

            def work(report: Report) -> None:
                nonlocal residual_db
                made = separate(
                    song.path.absolute(),  # whichever folder the decoder's process was started in
                    folder,
                    self.engine,
                    stems=self.config.keep or self.engine.stems,
                    mask_extension=self.config.mask_extension or "average",
                    output=self.output,
                    max_seconds=self.max_seconds,
                    title=parted(song.path.name)[0],
                    on_progress=report,
                )
                notices.extend(Notice(**asdict(notice)) for notice in made.notices)
                residual_db = made.residual_db and round(made.residual_db, 2)
                for stem, path in made.stems.items():
                    files[stem] = place.put_stem(path, stem, self.output.format)
                note.remember(files.values())

            yield from _updates("separating", work)
        outcome = None
        if self.config.analysis:
            yield Update("separating", 100, saved=dict(files))
            outcome = yield from self._analyse(song, files, place, note)
        yield Update("done", 100, files=files, notices=notices, analysis=outcome, residual_db=residual_db)

    def _analyse(
        self, song: Song, files: dict[str, Path], place: Place, note: Note
    ) -> Generator[Update, None, AnalysisOutcome]:
        """Listen to a song and its stems; what is found is added to its files. They do without it."""
        from analysis import analyse, write_files

        stems = {stem: path.absolute() for stem, path in files.items()}
        wanted = self.config.analysis or AnalysisConfig()
        with _scratch(song) as folder:

            def work(report: Report) -> None:
                found = analyse(
                    song.path.absolute(),
                    stems,
                    notes=wanted.notes,
                    frame_rate=wanted.fps,
                    max_seconds=self.max_seconds,
                    on_progress=report,
                )
                files.update(_put(write_files(found, folder, parted(song.path.name)[0]), place))
                note.remember(files.values())

            try:
                yield from _updates("analysing", work)
            except StempipeError as error:
                return AnalysisOutcome(state="failed", error=Problem(code=error.code, message=error.message))
        return AnalysisOutcome(state="done")


@dataclass(frozen=True)
class LocalAnalysis:
    """What is done with stems and MIDI.

    Parameters
    ----------
    config, memory, max_seconds
        As ``LocalSeparation``'s.
    """

    config: Config
    memory: Memory
    max_seconds: float

    def __call__(self, song: Song) -> Generator[Update]:
        """Analyse a song's parts; the updates are a Batch's."""
        from analysis import write_files

        note = self.memory.note(song.source, self.config)
        place = Place(song.folder, song.name, note.may_replace)
        files: dict[str, Path] = {}
        notices: list[Notice] = []
        with _scratch(song) as folder:

            def work(report: Report) -> None:
                found, more = self._listen(song, folder, report)
                notices.extend(more)
                files.update(_put(write_files(found, folder, song.name), place))
                note.remember(files.values())

            yield from _updates("analysing", work)
        outcome = AnalysisOutcome(state="done")
        yield Update("done", 100, files=files, notices=notices, analysis=outcome)

    def _listen(self, song: Song, folder: Path, report: Report) -> tuple[Analysis, list[Notice]]:
        from analysis import analyse_stems, read_midi
        from analysis.midi import MidiError, MidiOptions

        wanted = self.config.analysis or AnalysisConfig()
        if isinstance(song.parts, Stems):
            heard = analyse_stems(
                {name: path.absolute() for name, path in song.parts.files.items()},
                folder,
                notes=wanted.notes,
                frame_rate=wanted.fps,
                player=False,
                max_seconds=self.max_seconds,
                on_progress=report,
            )
            return heard.analysis, [Notice(**asdict(notice)) for notice in heard.notices]
        options = asdict(self.config.midi or MidiConfig())
        said = {name: value for name, value in options.items() if value is not None}
        (path,) = files_of(song.source)
        try:
            return read_midi(path, MidiOptions(**said, frame_rate=wanted.fps), self.max_seconds), []
        except MidiError as error:
            raise StempipeError(error.code, str(error)) from error


def prepare(config: Config, memory: Memory, max_seconds: float, console: Console) -> LocalSeparation:
    """Load the engine; models are fetched when they are used for the first time.

    Raises
    ------
    StempipeError
        `not_installed`, `invalid_config`, or what is wrong with the model.
    """
    with _installed():
        from separation import load_engine
        from separation.models.weights import VARIANTS
    variant = config.model_variant or "2stems"
    if unknown := set(config.keep) - set(VARIANTS[variant].stems):
        known = ", ".join(VARIANTS[variant].stems)
        raise StempipeError(
            "invalid_config", f"{variant} has no {', '.join(sorted(unknown))}; it has {known}"
        )
    output = _output(config)
    _install(variant, console)
    if config.analysis:
        _install_analysis(console)
    engine = load_engine(variant, config.bandwidth or "11khz")
    return LocalSeparation(engine, config, output, memory, max_seconds)


def prepare_analysis(config: Config, memory: Memory, max_seconds: float, console: Console) -> LocalAnalysis:
    """Fetch the models of the analysis, when they are used for the first time.

    Raises
    ------
    StempipeError
        `not_installed`, or what is wrong with a model.
    """
    _install_analysis(console)
    return LocalAnalysis(config, memory, max_seconds)


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise StempipeError(
            "not_installed", f"This needs the engine: pip install 'stempipe[local]' ({error})"
        ) from error


@contextmanager
def _scratch(song: Song) -> Iterator[Path]:
    """A folder on the disk where the song's files go."""
    song.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=song.folder, prefix=".stempipe-") as folder:
        yield Path(folder)


def _updates(stage: str, work: Callable[[Report], None]) -> Generator[Update]:
    """Some work of the engine, as updates; its errors as this package's."""
    from media import MediaError
    from separation import ModelError

    yield Update(stage, 0)
    try:
        for percent, left in stepwise(work):
            yield Update(stage, percent, left)
    except (MediaError, ModelError) as error:
        more = " Or raise --max-minutes." if error.code == "too_long" else ""
        raise StempipeError(error.code, f"{error}{more}") from error


def _put(found: Iterable[Path], place: Place) -> dict[str, Path]:
    """Name the files that were found."""
    return place.put_found({path.name: path for path in found})


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
    from separation.models.weights import install, verify

    _fetch_once(variant, verify, install, console)


def _install_analysis(console: Console) -> None:
    with _installed():
        from analysis.weights import MODELS, install, load_bytes
    for name in MODELS:
        _fetch_once(name, load_bytes, install, console)


def _fetch_once(
    name: Name,
    verify: Callable[[Name, Path], object],
    install: Callable[[Name, Path], object],
    console: Console,
) -> None:
    from downloads.directory import models_directory
    from downloads.errors import ModelDamagedError, ModelMissingError
    from downloads.fetch import FetchError

    folder = models_directory()
    try:
        verify(name, folder)
    except (ModelMissingError, ModelDamagedError):
        say(console, f"Fetching the model {name} into {folder}, once.")
        try:
            install(name, folder)
        except FetchError as error:
            raise StempipeError("model_missing", f"The model cannot be fetched. {error}") from error
