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
import numpy as np

from tests.hostile import corpus
from tests.hostile.corpus import Songs
from tests.unit.media.songs import KINDS, noise, write

MAX_SONG_SECONDS = 10
FOLDER = TemporaryDirectory()
SONG = Path(FOLDER.name) / "song"


def one(data: bytes) -> None:
    SONG.write_bytes(data)
    try:
        with AudioInput(SONG, MAX_SONG_SECONDS) as song:
            for block in song.blocks():
                assert block.shape[0] == 2
                assert block.dtype == np.float32
                assert np.abs(block).max(initial=0) <= 65_536
            assert 0 < song.seconds <= MAX_SONG_SECONDS + 0.1
            assert song.expected_seconds > 0
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
    for case in cases.values():
        yield case.data[:4_000]


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
