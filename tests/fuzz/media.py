"""Fuzzes the decoder: any bytes end in samples that are good, or in an error of media's own.

What reads containers is Python and guides the fuzzer; FFmpeg is not instrumented, and starts from songs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["media"]):
    from media.audio_input import AudioInput
    from media.errors import MediaError
    from media.samples import SAMPLE_RATE
import numpy as np

from tests.hostile import corpus, timelines
from tests.hostile.containers import matroska_of
from tests.hostile.corpus import Songs
from tests.unit.media.songs import KINDS, noise, write

MAX_SONG_SECONDS = 10
LEEWAY = 0.5  # seconds; of rates that change with every frame, each is rounded
FOLDER = TemporaryDirectory()
SONG = Path(FOLDER.name) / "song"


def one(data: bytes) -> None:
    SONG.write_bytes(data)
    try:
        with AudioInput(SONG, MAX_SONG_SECONDS) as song:
            samples = 0
            for block in song.blocks():
                samples += block.shape[1]
                assert block.shape[0] == 2
                assert block.dtype == np.float32
                assert np.abs(block).max(initial=0) <= 65_536
            assert 0 < song.seconds <= MAX_SONG_SECONDS + 0.1
            assert abs(song.seconds - samples / SAMPLE_RATE) < LEEWAY
            assert song.expected_seconds > 0
            assert len(song.notices) <= 30
            assert all(0 <= notice.seconds <= MAX_SONG_SECONDS for notice in song.notices)
            assert song.codec
            assert song.channels
    except MediaError as error:
        assert str(error)


def seeds() -> Iterator[bytes]:
    for kind in KINDS.values():
        path = Path(FOLDER.name) / f"seed.{kind.ending}"
        yield write(path, noise(0.05, sample_rate=kind.sample_rate), kind).read_bytes()
    songs = Songs(Path(FOLDER.name))
    cases = corpus.headers_that_lie(songs) | corpus.references(songs, path, "http://127.0.0.1:9/")
    cases |= timelines.tags_and_ends(songs)
    for case in cases.values():
        yield case.data[:4_000]
    for case in timelines.odd_but_whole(songs, 0.3).values():
        yield case.data[:12_000]
    for step in (10, 200, -10):  # milliseconds
        yield matroska_of((1_000 + step * number, songs.pcm[:1_764]) for number in range(5))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
