"""Measures stems where the truth is known, ours, Spleeter's own, and false ones; and what is heard in stems.

python -m tests.quality, which `make quality` calls. Prints tables in Markdown.
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from local.demo import example_song
from separation import load_engine
from separation.engine import Bandwidth, Precision
from separation.masks import MaskExtension
from tests.quality.analysis_tables import print_tables
from tests.quality.known_song import KnownSong, known_song
from tests.quality.measures import quality, sdr
from tests.quality.stems import Stems, officially_separated, separated, separated_file, write_mix

_HEADER = """\
| {title} | vocals, SDR | over the mix | accompaniment, SDR | over the mix | silence | below 120 Hz | onsets |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""
_BANDWIDTHS: tuple[Bandwidth, ...] = ("11khz", "16khz")
_PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
_EXTENSIONS: tuple[MaskExtension, ...] = ("average", "zeros")
_VOICE_GAINS = (-9, -3, 3, 9)
_STATE = Path(__file__).parents[2] / ".local"


def main() -> None:
    """Print tables of ways of making stems, of levels of the voice, of bfloat16, and of analysis."""
    song = known_song()
    print(_HEADER.format(title="stems"))
    for name, make in _ways(song):
        with TemporaryDirectory() as folder:
            _print_row(name, song, make(Path(folder)))

    print("\n" + _HEADER.format(title="voice"))
    exact = load_engine("2stems", "11khz")
    for gain in _VOICE_GAINS:
        other = known_song(gain)
        with TemporaryDirectory() as folder:
            _print_row(f"{gain:+} dB", other, separated(other, exact, "average", Path(folder)))

    print("\n| bfloat16 against float32 | vocals | accompaniment |\n| --- | ---: | ---: |")
    fast = load_engine("2stems", "11khz", precision="bfloat16")
    with TemporaryDirectory() as folder:
        for source in (write_mix(song, Path(folder)), example_song(_STATE)):
            stems = (separated_file(source, engine, "average", Path(folder)) for engine in (exact, fast))
            print(
                f"| {source.stem} | {' | '.join(f'{sdr(*pair):.1f}' for pair in zip(*stems, strict=True))} |"
            )

    print_tables(exact)


def _ways(song: KnownSong) -> Iterator[tuple[str, Callable[[Path], Stems]]]:
    for bandwidth in _BANDWIDTHS:
        for precision in _PRECISIONS:
            engine = load_engine("2stems", bandwidth, precision=precision)
            for extension in _EXTENSIONS:
                yield f"{bandwidth}, {extension}, {precision}", partial(separated, song, engine, extension)
    for configuration in ("spleeter:2stems", "spleeter:2stems-16kHz"):
        yield configuration, partial(officially_separated, song, configuration)
    yield "half the mix for each", lambda _: Stems(song.mix / 2, song.mix / 2)
    yield "the parts, swapped", lambda _: Stems(song.accompaniment, song.vocals)


def _print_row(name: str, song: KnownSong, stems: Stems) -> None:
    found = quality(song, stems.vocals, stems.accompaniment)
    *decibels, onsets = astuple(found)
    print(
        f"| {name} | {' | '.join(f'{round(value, 1) + 0.0:.1f}' for value in decibels)} | {onsets:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
