"""Listens to a song and its stems, from files to an Analysis."""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Self

import numpy as np

from analysis.beats import Rhythm
from analysis.events import Analysis
from analysis.key import find_key
from analysis.listening import Ear, Heard
from analysis.names import MIX, file_names
from analysis.roles import role_named
from downloads.directory import models_directory
from media.audio_input import AudioInput
from media.errors import MediaError
from media.isolated_input import IsolatedInput
from media.notices import Notice, Notices
from media.player import PlayerFiles, PlayerWriter
from media.samples import CHANNELS, SAMPLE_RATE, Samples
from media.side_by_side import side_by_side

Report = Callable[[float], None]

_BLOCK = 1 << 17  # samples of a mix that are read at a time
# Of the time: when a song and its stems are heard, notes, beats and files still to be made of that.
_HEARD = 0.89
# And where a mix is made of the stems: when they are heard, when their notes are found, when it is heard.
_STEMS_HEARD, _STEMS_FINISHED, _MIX_HEARD = 0.76, 0.82, 0.93


@dataclass(frozen=True)
class AnalysedStems:
    """What was found in stems that somebody made.

    Attributes
    ----------
    analysis : Analysis
    notices : tuple of Notice
        What of the stems was filled or left out.
    player : dict
        What a page plays and draws them from, each file with its stem; none unless it was asked for.
    """

    analysis: Analysis
    notices: tuple[Notice, ...]
    player: dict[Path, str]


def analyse(
    song: Path,
    stems: Mapping[str, Path],
    *,
    notes: bool,
    frame_rate: int,
    max_seconds: float,
    models: Path | None = None,
    on_progress: Report | None = None,
) -> Analysis:
    """Listen to a song and the stems that were separated from it.

    Parameters
    ----------
    song : Path
        In any supported container, by whomever.
    stems : mapping of str to Path
        By name; files of our own.
    notes : bool
        Whether to find notes and pitch, which takes most of the time.
    frame_rate : {24, 25, 30, 50, 60}
        Of the curves.
    max_seconds : float
        Longer songs are refused.
    models : Path, optional
        Where the networks are; by default as `models_directory` says.
    on_progress : callable, optional
        Called in this thread with the fraction done, 0 to 1, the end left to writing what was found. It may
        raise to abort.

    Raises
    ------
    MediaError
        A subclass that names what is wrong with the song.
    ModelError
        If a network is not there or damaged.
    """
    models = models or models_directory()
    report = on_progress or (lambda fraction: None)
    tracks = {name: _Track(name, frame_rate, models, notes=notes) for name in (MIX, *stems)}
    with ExitStack() as cleanup:
        mix = cleanup.enter_context(IsolatedInput(song, max_seconds))
        sources: dict[str, AudioInput | IsolatedInput] = {MIX: mix}
        for name, path in stems.items():
            sources[name] = cleanup.enter_context(AudioInput(path, max_seconds + 1))
        works = [
            cleanup.enter_context(closing(tracks[name].listen(source))) for name, source in sources.items()
        ]
        for fraction in cleanup.enter_context(closing(side_by_side(works, _threads()))):
            report(_HEARD * fraction)
    return _together(tracks, mix.seconds, separated=True)


def analyse_stems(
    stems: Mapping[str, Path],
    destination: Path,
    *,
    notes: bool,
    frame_rate: int,
    max_seconds: float,
    player: bool = False,
    models: Path | None = None,
    on_progress: Report | None = None,
) -> AnalysedStems:
    """Listen to stems that somebody made; those that end early are silent from there on.

    Parameters
    ----------
    stems : mapping of str to Path
        By name; by whomever, of any lengths, rates and channels.
    destination : Path
        An existing folder, for what a page plays, and for their mix while it is made.
    player : bool
        Whether to make what a page plays and draws them from.

    The others are `analyse`'s.

    Raises
    ------
    MediaError
        As `analyse` does; its message begins with the stem's name.
    ModelError
        If a network is not there or damaged.
    """
    models = models or models_directory()
    report = on_progress or (lambda fraction: None)
    file_of = file_names(stems)
    with ExitStack() as cleanup:
        mix = cleanup.enter_context(_Mix(destination))
        tracks = {}
        works = []
        for name, path in stems.items():
            writer = None
            if player:
                files = PlayerFiles.of_stem(destination, file_of[name])
                writer = cleanup.enter_context(PlayerWriter(files, SAMPLE_RATE))
            tracks[name] = _Track(name, frame_rate, models, notes=notes, mix=mix, player=writer)
            works.append(cleanup.enter_context(closing(tracks[name].listen_to_file(path, max_seconds))))
        for fraction in cleanup.enter_context(closing(side_by_side(works, _threads()))):
            report(_STEMS_HEARD * fraction)
        notices = Notices()
        for done, (name, track) in enumerate(tracks.items(), 1):
            for notice in track.notices:
                notices.add(notice.code, f"{name}: {notice.message}", notice.seconds)
            if missing := mix.samples - track.samples:
                seconds = missing / SAMPLE_RATE
                notices.add("padded", f"{name}: it ends {seconds:.2f} s before the longest.", seconds)
            track.finish(missing)
            report(_STEMS_HEARD + (_STEMS_FINISHED - _STEMS_HEARD) * done / len(tracks))
        whole = _Track(MIX, frame_rate, models, notes=notes)
        for fraction in whole.hear(mix.blocks(), mix.samples):
            report(_STEMS_FINISHED + (_MIX_HEARD - _STEMS_FINISHED) * fraction)
        whole.finish(0)
    tracks = {MIX: whole, **tracks}
    made = {
        path: name for name in stems for path in PlayerFiles.of_stem(destination, file_of[name]) if player
    }
    analysis = _together(tracks, mix.samples / SAMPLE_RATE, separated=False)
    return AnalysedStems(analysis, notices.all(), made)


class _Mix:
    """The sum of stems as they come, on disk."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115 - closed when it is left
        self._lock = Lock()
        self.samples = 0

    def add(self, start: int, samples: Samples) -> None:
        """Add samples, shape (any, 2), from the sample `start` on."""
        with self._lock:
            place = start * CHANNELS * samples.itemsize
            self._file.seek(place)
            there = np.frombuffer(self._file.read(samples.nbytes), np.float32)
            there = np.pad(there, (0, samples.size - there.size)).reshape(samples.shape)
            self._file.seek(place)
            self._file.write((there + samples).tobytes())
            self.samples = max(self.samples, start + len(samples))

    def blocks(self) -> Generator[Samples]:
        """All of it, in blocks of shape (any, 2)."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK * CHANNELS * 4):
            yield np.frombuffer(block, np.float32).reshape(-1, CHANNELS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Track:
    """A track being listened to."""

    def __init__(
        self,
        name: str,
        frame_rate: int,
        models: Path,
        *,
        notes: bool,
        mix: _Mix | None = None,
        player: PlayerWriter | None = None,
    ) -> None:
        self._name = name
        self.ear = Ear("mix" if name == MIX else role_named(name), frame_rate, models, notes=notes)
        self._mix = mix
        self._player = player
        self._heard: Heard | None = None
        self.samples = 0
        self.sample_rate: int | None = None
        self.notices: tuple[Notice, ...] = ()

    @property
    def heard(self) -> Heard:
        """What was found, once it is finished."""
        if self._heard is None:
            raise RuntimeError("It is not finished.")
        return self._heard

    def listen(self, source: AudioInput | IsolatedInput) -> Generator[float]:
        """Hear all of a source, and finish; yields the fraction that is heard."""
        yield from self._hear_source(source)
        self.finish(0)
        yield 1.0

    def listen_to_file(self, path: Path, max_seconds: float) -> Generator[float]:
        """Hear a stem that somebody sent; how long it is to be is not known yet."""
        try:
            with IsolatedInput(path, max_seconds) as source:
                yield from self._hear_source(source)
                self.notices = source.notices
        except MediaError as error:
            raise type(error)(f"{self._name}: {error}") from error

    def _hear_source(self, source: AudioInput | IsolatedInput) -> Generator[float]:
        self.sample_rate = source.sample_rate
        yield from self.hear(_by_the_second(source), round(source.expected_seconds * SAMPLE_RATE))

    def hear(self, blocks: "Generator[Samples]", expected: int) -> Generator[float]:
        """Hear blocks of shape (any, 2); yields the fraction of the samples expected."""
        for block in blocks:
            if self._mix:
                self._mix.add(self.samples, block)
            self._take(block)
            yield min(1.0, self.samples / max(1, expected))

    def finish(self, missing: int) -> None:
        """Hear the silence that is missing, and find what there is to find."""
        while missing:
            silence = np.zeros((min(missing, _BLOCK), CHANNELS), np.float32)
            self._take(silence)
            missing -= len(silence)
        if self._player:
            self._player.finish()
        self._heard = self.ear.finish()

    def _take(self, block: Samples) -> None:
        self.samples += len(block)
        self.ear.add(block)
        if self._player:
            self._player.write(block)


def _by_the_second(source: AudioInput | IsolatedInput) -> Generator[Samples]:
    """A source's samples in blocks of shape (any, 2), a second or more each but for the last.

    A codec's frames are short, and what is done for each block of whatever length adds up.
    """
    waiting: list[Samples] = []
    for block in source.blocks():
        waiting.append(block.T)
        if sum(map(len, waiting)) >= SAMPLE_RATE:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _together(tracks: Mapping[str, _Track], seconds: float, *, separated: bool) -> Analysis:
    """What was found in each track, as one."""
    heard = {name: track.heard for name, track in tracks.items()}
    mix = heard.pop(MIX)
    drums = next((found for found in heard.values() if found.hits), mix)
    beats = tracks[MIX].ear.beats
    rhythm = beats.finish(drums.onsets.onsets) if beats else Rhythm(None, 4, ())
    levels = mix.levels if separated else None
    rates = {track.sample_rate for name, track in tracks.items() if name != MIX}
    return Analysis(
        duration=seconds,
        sample_rate=rates.pop() if len(rates) == 1 else None,
        tempo=rhythm.tempo,
        meter=rhythm.meter,
        key=find_key([note for found in heard.values() for note in found.notes or ()]),
        beats=rhythm.beats,
        mix=mix.stem(seconds, None),
        stems={name: found.stem(seconds, levels) for name, found in heard.items()},
    )


def _threads() -> int:
    return len(os.sched_getaffinity(0))
