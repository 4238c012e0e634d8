"""What the worker has done to sound, by whoever knows sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Notice

Report = Callable[[float], None]
"""Is told the share that is done, 0 to 1. What it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Separated:
    """What separation made of a song.

    Parameters
    ----------
    stems
        File of each kept stem.
    seconds, sample_rate, channels, codec
        Of the song, as decoded.
    gain_db
        What all stems were turned down by, so that none clips: negative, or 0.
    notices
        What of the song was filled or left out.
    residual_db
        What all stems together lack of the song, in energy against the song's; None where that says nothing.
    player
        Files that a page plays and draws the stems from, each with its stem; none unless they were asked for.
    """

    stems: Mapping[str, Path]
    seconds: float
    sample_rate: int
    channels: int
    codec: str
    gain_db: float
    notices: Sequence[Notice] = ()
    residual_db: float | None = None
    player: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found where nothing was separated.

    Parameters
    ----------
    files
        What was found, each file with the stem that it is of; None is the song's own.
    seconds
        Of the longest stem.
    sample_rate
        Of the stems; None of MIDI, and where they differ.
    notices
        What of the stems was filled or left out.
    player
        As ``Separated``'s.
    """

    files: Mapping[Path, str | None]
    seconds: float
    sample_rate: int | None = None
    notices: Sequence[Notice] = ()
    player: Mapping[Path, str] = field(default_factory=dict)


class Sound(Protocol):
    """Separates and listens. Files are written to ``destination``, and named after ``title`` inside.

    Each raises ``UnusableMedia`` for what nothing can be made of, however often it is tried.
    """

    def separate(
        self, song: Path, destination: Path, config: JobConfig, title: str, on_progress: Report
    ) -> Separated:
        """Make stems of a song."""

    def stop(self) -> None:
        """From another thread: end what waits for a song's decoding, with any error. Safe to repeat."""

    def analyse(
        self,
        song: Path,
        stems: Mapping[str, Path],
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: Report,
    ) -> Mapping[Path, str | None]:
        """Find what there is to hear in a song and the stems that were made of it; gives the files, each
        with the stem that it is of, as `Heard`'s."""

    def analyse_stems(
        self,
        stems: Mapping[str, Path],
        destination: Path,
        config: JobConfig,
        title: str | None,
        on_progress: Report,
    ) -> Heard:
        """Find what there is to hear in stems that somebody else made, of a song that may have no title."""

    def analyse_midi(
        self, midi: Path, destination: Path, config: JobConfig, title: str, on_progress: Report
    ) -> Heard:
        """Find what there is in MIDI."""
