"""Separates one song: decode -> spectrum -> networks -> masks -> inverse, then encode.

Three kinds of threads work side by side, one segment apart, so memory does not grow with the song:

    reader: decode, spectrum  ->  caller: networks, masks, progress  ->  one per stem: inverse, spool

A stem can be louder than its song. So stems wait on disk until the last of their samples is there, are turned
down together if one of them would clip, and are encoded, each in a thread of its own.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from media.audio_output import AudioOutput, AudioWriter, Format
from media.isolated_input import IsolatedInput
from media.notices import Notice
from media.player import PlayerFiles, PlayerWriter
from media.samples import SAMPLE_RATE, Samples
from media.side_by_side import side_by_side
from media.spool import Spool
from separation.engine import Engine
from separation.masks import Magnitude, MaskExtension
from separation.residual import Residual
from separation.spectrum import Inverse, Segment, Transform, segments

_Result = TypeVar("_Result")

# How long encoding takes, compared with all that comes before it, when all stems are kept.
_ENCODING: Mapping[Format, float] = {"wav": 0.03, "flac": 0.2, "mp3": 1.0}


@dataclass(frozen=True)
class Separated:
    """What came of a song.

    Attributes
    ----------
    stems : dict
        The file of each stem.
    seconds : float
        The source's duration.
    channels, sample_rate : int
        Of the source; the rate in Hz.
    codec : str
        Of the source, as FFmpeg names it.
    gain_db : float
        What all stems were turned down by, so that none clips, as a negative number; 0 if none would.
    notices : tuple of Notice
        What of the song was filled or left out.
    residual_db : float or None
        What is left of the song when all stems are taken away, against the song; see
        `residual.Residual`. None where not all stems are kept, and of a silent song.
    player : dict
        What a page plays and draws the stems from, each file with its stem; see `media.player`. None unless
        it was asked for.
    """

    stems: dict[str, Path]
    seconds: float
    channels: int
    sample_rate: int
    codec: str
    gain_db: float
    notices: tuple[Notice, ...]
    residual_db: float | None = None
    player: dict[Path, str] = field(default_factory=dict)


def separate(
    source: Path,
    destination: Path,
    engine: Engine,
    *,
    stems: Collection[str],
    mask_extension: MaskExtension,
    output: AudioOutput,
    max_seconds: float,
    title: str = "",
    player: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Separated:
    """Separate a song and write the stems asked for to `destination/{stem}.{format}`.

    Parameters
    ----------
    source : Path
        The song, in any supported container.
    destination : Path
        An existing folder, which also takes the stems as float samples until they are encoded.
    engine : Engine
        The loaded networks.
    stems : collection of str
        Which of the engine's stems to keep.
    mask_extension : {"average", "zeros"}
        What happens above the networks' highest bin; see `masks.extend`.
    output : AudioOutput
        Format of the files.
    max_seconds : float
        Longer songs are refused.
    title : str, optional
        Of the song, if it does not say so itself, for the tags of its stems.
    player : bool, optional
        Whether to make, beside the stems, what a page plays them from.
    on_progress : callable, optional
        Called in this thread with the fraction of the time done, 0 to 1, after each piece of work and at the
        end. It may raise to abort.

    Raises
    ------
    MediaError
        A subclass that names what is wrong with the song.
    OSError
        A file cannot be written; the disk is full, for one.

    Notes
    -----
    On any error nothing is left behind: no file, no thread.
    """
    unknown = set(stems) - set(engine.stems)
    if unknown or not stems:
        raise ValueError(f"The engine has the stems {engine.stems}; asked for {sorted(stems)}.")
    paths = {stem: destination / f"{stem}.{output.format}" for stem in engine.stems if stem in stems}
    player_files = {stem: PlayerFiles.of_stem(destination, stem) for stem in paths} if player else {}
    report = on_progress or (lambda fraction: None)
    encoding = _ENCODING[output.format] + (_ENCODING["flac"] if player else 0)
    separating = 1 / (1 + encoding * len(paths) / len(engine.stems))

    with ExitStack() as cleanup:
        song = cleanup.enter_context(IsolatedInput(source, max_seconds))
        tracks = [
            cleanup.enter_context(
                _Track(
                    path,
                    output,
                    engine.stems.index(stem),
                    mask_extension,
                    player_files.get(stem),
                    engine.transform,
                )
            )
            for stem, path in paths.items()
        ]
        # Without a stem that is left out, what is left would be that stem.
        residual = Residual() if len(tracks) == len(engine.stems) else None
        for fraction in cleanup.enter_context(closing(_separate(song, engine, tracks, residual))):
            report(separating * fraction)
        peak = max(track.peak for track in tracks)
        gain_db = output.gain_db(peak)
        # A page's samples are of 16 bits, in which those of a float file may clip.
        player_gain_db = min(gain_db, replace(output, bit_depth=16).gain_db(peak))
        encodings = [
            cleanup.enter_context(
                closing(track.encode(gain_db, player_gain_db, song.tags.of_stem(stem, title)))
            )
            for stem, track in zip(paths, tracks, strict=True)
        ]
        for fraction in cleanup.enter_context(closing(side_by_side(encodings))):
            report(separating + (1 - separating) * fraction)
        report(1.0)
    return Separated(
        paths,
        song.seconds,
        song.channels,
        song.sample_rate,
        song.codec,
        gain_db,
        song.notices,
        residual.decibels if residual else None,
        {path: stem for stem, files in player_files.items() for path in files},
    )


class _Track:
    """One stem on its way to its file. Leaves no file behind if it is left by an error."""

    def __init__(
        self,
        path: Path,
        output: AudioOutput,
        stem: int,
        mask_extension: MaskExtension,
        player_files: PlayerFiles | None,
        transform: Transform,
    ) -> None:
        self._path = path
        self._player_files = player_files
        self._output = output
        self._stem = stem
        self._mask_extension = mask_extension
        self._inverse = Inverse(transform)
        self._spool = Spool(path.parent, output.sample_rate)

    @property
    def peak(self) -> float:
        return self._spool.peak

    def add(self, segment: Segment, masks: Magnitude) -> Samples:
        """Append a segment; gives the stem's samples of it."""
        samples = self._inverse.add(segment, masks[self._stem], self._mask_extension)
        self._spool.write(samples)
        return samples

    def finish(self) -> None:
        self._spool.finish()

    def encode(self, gain_db: float, player_gain_db: float, tags: Mapping[str, str]) -> Generator[float]:
        """Write the files piece by piece; yields the fraction that is written."""
        written = 0
        with ExitStack() as writers:
            stem = writers.enter_context(AudioWriter(self._path, self._output, gain_db, tags))
            player = None
            if self._player_files:
                player = writers.enter_context(
                    PlayerWriter(self._player_files, self._output.sample_rate, player_gain_db)
                )
            for block in self._spool.blocks():
                stem.write(block)
                if player:
                    player.write(block)
                written += len(block)
                yield written / self._spool.samples
            stem.finish()
            if player:
                player.finish()
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()
        if kind is not None:
            for path in (self._path, *(self._player_files or ())):
                path.unlink(missing_ok=True)


def _separate(
    song: IsolatedInput, engine: Engine, tracks: Sequence[_Track], residual: Residual | None
) -> Generator[float]:
    """Fill the tracks segment by segment; yields the fraction that is done."""
    seconds_done = 0.0
    with (
        ThreadPoolExecutor(len(tracks), "stem") as pool,
        closing(_read_ahead(segments(song.blocks(), engine.transform, engine.bins))) as ahead,
    ):
        under_way: list[Future[Samples]] = []
        heard: Samples | None = None  # what they are made of
        for segment in ahead:
            masks = engine.transform.masks(engine.estimate(segment.magnitude))
            stems = _results(under_way)
            under_way = [pool.submit(track.add, segment, masks) for track in tracks]
            if residual and heard is not None:
                residual.add(heard, stems)
            heard = segment.song
            del stems  # as large as they are
            seconds_done += segment.length / SAMPLE_RATE
            yield min(1.0, seconds_done / song.expected_seconds)
        stems = _results(under_way)
        if residual and heard is not None:
            residual.add(heard, stems)
        _results([pool.submit(track.finish) for track in tracks])


def _read_ahead(items: Iterator[Segment]) -> Generator[Segment]:
    """Make the next item in another thread while the last one is in use."""
    with ThreadPoolExecutor(1, "reader") as reader:
        upcoming = reader.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = reader.submit(next, items, None)
            yield item


def _results(futures: Iterable[Future[_Result]]) -> list[_Result]:
    return [future.result() for future in futures]
