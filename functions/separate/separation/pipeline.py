"""Separates one song: decode -> spectrum -> networks -> masks -> inverse -> encode, as a stream of segments.

Three kinds of threads work side by side, one segment apart, so memory does not grow with the song:

    reader: decode, spectrum  ->  caller: networks, progress  ->  one per stem: mask, inverse, encode
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from separation.audio_input import AudioInput
from separation.audio_output import AudioOutput, AudioWriter
from separation.engine import Engine
from separation.masks import Magnitude, MaskExtension, extend, soft_mask, total_power
from separation.spectrum import SAMPLE_RATE, Inverse, Segment, segments


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
    """

    stems: dict[str, Path]
    seconds: float
    channels: int
    sample_rate: int
    codec: str


def separate(
    source: Path,
    destination: Path,
    engine: Engine,
    *,
    stems: Collection[str],
    mask_extension: MaskExtension,
    output: AudioOutput,
    max_seconds: float,
    on_progress: Callable[[float], None] | None = None,
) -> Separated:
    """Separate a song and write the stems asked for to `destination/{stem}.{format}`.

    Parameters
    ----------
    source : Path
        The song, in any supported container.
    destination : Path
        An existing folder.
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
    on_progress : callable, optional
        Called in this thread with the fraction done, 0 to 1, after each segment and at the end. It may raise
        to abort.

    Raises
    ------
    SeparationError
        A subclass that names what is wrong with the song.

    Notes
    -----
    On any error nothing is left behind: no file, no thread.
    """
    unknown = set(stems) - set(engine.stems)
    if unknown or not stems:
        raise ValueError(f"The engine has the stems {engine.stems}; asked for {sorted(stems)}.")
    paths = {stem: destination / f"{stem}.{output.format}" for stem in engine.stems if stem in stems}

    with ExitStack() as cleanup:
        song = cleanup.enter_context(AudioInput(source, max_seconds))
        tracks = [
            cleanup.enter_context(_Track(path, output, engine.stems.index(stem), mask_extension))
            for stem, path in paths.items()
        ]
        pool = cleanup.enter_context(ThreadPoolExecutor(len(tracks), "stem"))
        under_way: list[Future[None]] = []
        seconds_done = 0.0
        for segment in cleanup.enter_context(closing(_read_ahead(segments(song.blocks())))):
            magnitude = np.abs(segment.spectrum[:, :, : engine.bins])
            estimates = engine.estimate(magnitude.transpose(1, 2, 0))
            total = total_power(estimates)
            _wait_for(under_way)
            under_way = [pool.submit(track.add, segment, estimates, total) for track in tracks]
            seconds_done += segment.length / SAMPLE_RATE
            if on_progress:
                on_progress(min(1.0, seconds_done / song.expected_seconds))
        _wait_for(under_way)
        _wait_for([pool.submit(track.finish) for track in tracks])
        if on_progress:
            on_progress(1.0)
    return Separated(paths, song.seconds, song.channels, song.sample_rate, song.codec)


class _Track:
    """One stem on its way to its file. Leaves no file behind if it is left by an error."""

    def __init__(self, path: Path, output: AudioOutput, stem: int, mask_extension: MaskExtension) -> None:
        self._path = path
        self._stem = stem
        self._mask_extension = mask_extension
        self._inverse = Inverse()
        self._writer = AudioWriter(path, output)

    def add(self, segment: Segment, estimates: Magnitude, total: Magnitude) -> None:
        mask = soft_mask(estimates[self._stem], total, len(estimates)).transpose(2, 0, 1)
        self._writer.write(self._inverse.add(segment, mask, extend(mask, self._mask_extension)))

    def finish(self) -> None:
        self._writer.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.close()
        finally:
            if kind is not None:
                self._path.unlink(missing_ok=True)


def _read_ahead(items: Iterator[Segment]) -> Generator[Segment]:
    """Make the next item in another thread while the last one is in use."""
    with ThreadPoolExecutor(1, "reader") as reader:
        upcoming = reader.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = reader.submit(next, items, None)
            yield item


def _wait_for(futures: Iterable[Future[None]]) -> None:
    for future in futures:
        future.result()
