"""A separation that cannot go on: its error says why, and it leaves no file and no thread."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

import pytest

from media import AudioOutput, MediaError
from separation import separate
from separation.masks import Magnitude
from tests.unit.media.faults import limited_files
from tests.unit.media.songs import KINDS, noise, write
from tests.unit.separation.engines import HalvingEngine
from tests.unit.separation.runs import STEMS, Run


class StopItError(Exception):
    pass


@pytest.mark.parametrize("after", [1, 2, 5, 12])  # from the fifth call on, while it encodes
@pytest.mark.parametrize(
    "output", [AudioOutput("wav"), AudioOutput("flac", 48_000), AudioOutput("mp3", 44_100, 192)]
)
def test_an_abort_leaves_no_file_and_no_thread(run: Run, output: AudioOutput, after: int) -> None:
    calls = []

    def stop(fraction: float) -> None:
        calls.append(fraction)
        if len(calls) == after:
            raise StopItError

    before = set(threading.enumerate())
    with pytest.raises(StopItError):
        run(noise(40), output=output, on_progress=stop)
    assert run.files() == []
    assert set(threading.enumerate()) == before


def test_a_song_found_to_be_damaged_midway_leaves_nothing(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac", noise(30), KINDS["flac"])
    path.write_bytes(path.read_bytes()[:-50_000])
    run.folder.mkdir()
    before = set(threading.enumerate())
    with pytest.raises(MediaError) as raised:
        separate(
            path,
            run.folder,
            run.engine,
            stems=STEMS,
            mask_extension="zeros",
            output=AudioOutput(),
            max_seconds=60,
        )
    assert raised.value.code == "truncated"
    assert run.files() == []
    assert set(threading.enumerate()) == before


class FailingEngine(HalvingEngine):
    def estimate(self, magnitude: Magnitude) -> Magnitude:
        if len(self.shapes) == 1:
            raise RuntimeError("out of memory")
        return super().estimate(magnitude)


def test_an_engine_that_fails_leaves_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "stems", FailingEngine())
    with pytest.raises(RuntimeError, match="out of memory"):
        run(noise(30))
    assert run.files() == []


@pytest.mark.parametrize("name", ["wav", "flac", "mp3"])
def test_a_full_disk_is_an_error_and_leaves_nothing(run: Run, name: Literal["wav", "flac", "mp3"]) -> None:
    run.folder.mkdir()
    (run.folder / f"accompaniment.{name}").symlink_to("/dev/full")
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="No space left"):
        run(noise(30), output=AudioOutput(name))
    assert run.files() == []
    assert set(threading.enumerate()) == before


def test_a_disk_that_is_full_before_anything_is_encoded_is_an_error_and_leaves_nothing(
    run: Run, tmp_path: Path
) -> None:
    song = write(tmp_path / "song.wav", noise(30))
    run.folder.mkdir()
    before = set(threading.enumerate())
    with limited_files(8_000_000), pytest.raises(OSError, match="too large"):
        separate(
            song,
            run.folder,
            run.engine,
            stems=STEMS,
            mask_extension="zeros",
            output=AudioOutput("mp3", bitrate=64),
            max_seconds=60,
        )
    assert run.files() == []
    assert set(threading.enumerate()) == before


def test_a_folder_that_is_not_there_is_an_error_and_no_thread(tmp_path: Path, engine: HalvingEngine) -> None:
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="No such file"):
        separate(
            write(tmp_path / "song.wav", noise(1)),
            tmp_path / "nowhere",
            engine,
            stems=STEMS,
            mask_extension="zeros",
            output=AudioOutput(),
            max_seconds=60,
        )
    assert set(threading.enumerate()) == before
