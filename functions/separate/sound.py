"""Sound as the worker's rules want it: by separation and analysis (``stempipe.rules.sound``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from analysis import analyse, analyse_stems, read_midi, write_files
from analysis.midi import MidiError, MidiOptions
from media import AudioOutput, MediaError
from media.isolated_input import stop_all
from media.notices import Notice as MediaNotice
from separation import Engine, ModelError, load_engine, separate
from stempipe.errors import ModelUnavailable, UnusableMedia
from stempipe.jobs.config import AnalysisConfig, Bandwidth, JobConfig, ModelVariant
from stempipe.jobs.record import Notice
from stempipe.rules.sound import Heard, Separated
from stempipe.settings import SeparateSettings

_Report = Callable[[float], None]


class Spleeter:
    """Separates by Spleeter's models, and listens.

    Parameters
    ----------
    settings
        Which engine there is, and how long a song may be.
    """

    def __init__(self, settings: SeparateSettings) -> None:
        self._settings = settings
        # One model at a time is held between jobs: what two of them would take is not for a worker to spend.
        self._engine = lru_cache(maxsize=1)(self._load)

    def _load(self, variant: ModelVariant, bandwidth: Bandwidth) -> Engine:
        return load_engine(
            variant,
            bandwidth,
            engine=self._settings.engine,
            precision=self._settings.inference_precision,
        )

    def stop(self) -> None:
        """See ``stempipe.rules.sound.Sound``."""
        stop_all()

    def separate(
        self, song: Path, destination: Path, config: JobConfig, title: str, on_progress: _Report
    ) -> Separated:
        """See ``stempipe.rules.sound.Sound``."""
        settings, quality = self._settings, config.quality
        with _unusable():
            made = separate(
                song,
                destination,
                self._engine(config.model_variant, config.bandwidth),
                stems=config.kept,
                mask_extension=config.mask_extension,
                output=AudioOutput(
                    quality.output_format, quality.sample_rate, quality.bitrate, quality.bit_depth or 16
                ),
                max_seconds=settings.max_song_seconds,
                title=title,
                player=config.player,
                on_progress=on_progress,
            )
        return Separated(
            made.stems,
            made.seconds,
            made.sample_rate,
            made.channels,
            made.codec,
            made.gain_db,
            _notices(made.notices),
            made.residual_db,
            made.player,
        )

    def analyse(
        self,
        song: Path,
        stems: Mapping[str, Path],
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: _Report,
    ) -> Mapping[Path, str | None]:
        """See ``stempipe.rules.sound.Sound``."""
        wanted = _analysis(config)
        with _unusable():
            found = analyse(
                song,
                stems,
                notes=wanted.notes,
                frame_rate=wanted.fps,
                max_seconds=self._settings.max_song_seconds,
                on_progress=on_progress,
            )
        return write_files(found, destination, title)

    def analyse_stems(
        self,
        stems: Mapping[str, Path],
        destination: Path,
        config: JobConfig,
        title: str | None,
        on_progress: _Report,
    ) -> Heard:
        """See ``stempipe.rules.sound.Sound``."""
        wanted = _analysis(config)
        with _unusable():
            heard = analyse_stems(
                stems,
                destination,
                notes=wanted.notes,
                frame_rate=wanted.fps,
                player=config.player,
                max_seconds=self._settings.max_song_seconds,
                on_progress=on_progress,
            )
        files = write_files(heard.analysis, destination, title)
        return Heard(
            files, heard.analysis.duration, heard.analysis.sample_rate, _notices(heard.notices), heard.player
        )

    def analyse_midi(
        self, midi: Path, destination: Path, config: JobConfig, title: str, on_progress: _Report
    ) -> Heard:
        """See ``stempipe.rules.sound.Sound``."""
        options = config.midi.model_dump() if config.midi else {}
        with _unusable():
            found = read_midi(
                midi,
                MidiOptions(**options, frame_rate=_analysis(config).fps),
                self._settings.max_song_seconds,
            )
        on_progress(0.5)
        return Heard(write_files(found, destination, title), found.duration)


def _analysis(config: JobConfig) -> AnalysisConfig:
    if config.analysis is None:
        raise ValueError("No analysis was asked for.")
    return config.analysis


def _notices(notices: Sequence[MediaNotice]) -> list[Notice]:
    return [Notice(**asdict(notice)) for notice in notices]


@contextmanager
def _unusable() -> Iterator[None]:
    """Faults of what was sent, and of models, as the rules know them."""
    try:
        yield
    except (MediaError, MidiError) as error:
        raise UnusableMedia(error.code, str(error)) from error
    except ModelError as error:
        raise ModelUnavailable(error.code, str(error)) from error
