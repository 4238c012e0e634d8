"""Songs that are nothing but frames: what is damaged in them is silence, and what is no frame is left out."""

from pathlib import Path

import numpy as np
import pytest

from media.audio_input import AudioInput
from media.errors import TooLongError, TruncatedError
from media.frames import Frames
from media.mpeg import read_frame
from tests.unit.media.songs import KINDS, Kind, Samples, beats, beats_in, noise, write

RAW = {
    "mp3": KINDS["mp3"],
    "mp3 without a header": KINDS["mp3 without a header"],
    "mp2": Kind("mp2", "mp2", "mp2"),
    "aac": KINDS["aac"],
    "mp3 in wav": Kind("wav", "libmp3lame", "wav"),
    "mp2 in w64": Kind("w64", "mp2", "w64"),
}
COUNTED = ("mp3",)  # says how many frames it has
EVEN = ("mp3 without a header", "mp2")  # of one bit rate, so that bytes say how many frames they were
NOISE = np.random.default_rng(1).bytes(700_000)
JUNK = {
    "7 KB": NOISE[:7_000],
    "700 KB": NOISE,
    "ones": b"\xff" * 7_000,
    "an error page": b"<html><body>404 not found</body></html>\r\n" * 200,
    "a picture": b"\xff\xd8\xff\xe0\0\x10JFIF" + NOISE[:20_000] + b"\xff\xd9",
}


def play(path: Path) -> tuple[Samples, list[str]]:
    with AudioInput(path, 60) as song:
        samples = np.concatenate(list(song.blocks()), axis=1)
        assert song.seconds == pytest.approx(samples.shape[1] / 44_100, abs=0.001)
        return samples, [notice.code for notice in song.notices]


def made(folder: Path, name: str) -> Path:
    return write(folder / f"made.{RAW[name].ending}", beats(6), RAW[name])


def frames_of(path: Path) -> list[tuple[int, int]]:
    """Where each frame begins, and its length."""
    data = path.read_bytes()
    start = {b"RIFF": data.find(b"data") + 8, b"riff": data.find(b"data") + 24}.get(data[:4], 0)
    if data[:3] == b"ID3":
        start = 10 + (data[8] << 7 | data[9])
    frames = []
    while frame := read_frame(data[start : start + 7]):
        frames.append((start, frame.bytes))
        start += frame.bytes
    return frames


def spoil(path: Path, *numbers: int) -> None:
    """Overwrite the headers of frames."""
    data, frames = bytearray(path.read_bytes()), frames_of(path)
    for number in numbers:
        data[frames[number][0] : frames[number][0] + 4] = bytes(4)
    path.write_bytes(data)


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("numbers", [(60,), (60, 61), (50, 60, 90)])
def test_frames_without_a_header_are_silence(tmp_path: Path, name: str, numbers: tuple[int, ...]) -> None:
    path = made(tmp_path, name)
    whole, _ = play(path)
    spoil(path, *numbers)
    samples, notices = play(path)
    # Where a frame is lost, FFmpeg does not know which samples at the end are padding.
    assert samples.shape[1] - whole.shape[1] in ((0,) if name not in COUNTED else range(1_152))
    assert beats_in(samples) == pytest.approx(beats_in(whole), abs=0.001)
    assert set(notices) == {"damaged"}


@pytest.mark.parametrize("name", [*EVEN, "aac"])
@pytest.mark.parametrize("numbers", [(0,), (1,), (2,)])
def test_the_first_frame_counts_too(tmp_path: Path, name: str, numbers: tuple[int, ...]) -> None:
    path = made(tmp_path, name)
    whole, _ = play(path)
    spoil(path, *numbers)
    samples, notices = play(path)
    assert samples.shape == whole.shape
    assert beats_in(samples)[-4:] == pytest.approx(beats_in(whole)[-4:], abs=0.001)
    assert notices == ["damaged"]


@pytest.mark.parametrize("name", EVEN)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("end", ["first", "last"])
@pytest.mark.parametrize("filler", [bytes(5_000), NOISE])
def test_frames_of_which_nothing_is_left_are_counted_by_their_bytes(
    tmp_path: Path, name: str, count: int, end: str, filler: bytes
) -> None:
    path = made(tmp_path, name)
    whole, _ = play(path)
    data, frames = path.read_bytes(), frames_of(path)
    if end == "first":
        kept = frames[count][0]
        path.write_bytes(filler[: kept - frames[0][0]] + data[kept:])
    else:
        kept = frames[-count][0]
        path.write_bytes(data[:kept] + filler[: len(data) - kept])
    samples, notices = play(path)
    assert samples.shape == whole.shape
    assert beats_in(samples)[-4:] == pytest.approx(beats_in(whole)[-4:], abs=0.001)
    assert notices == ["damaged"]


@pytest.mark.parametrize("name", ["mp3", *EVEN, "aac"])
@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("where", ["before", "behind"])
def test_junk_at_the_ends_is_left_out_and_told_of(tmp_path: Path, name: str, junk: str, where: str) -> None:
    path = made(tmp_path, name)
    whole, _ = play(path)
    data = path.read_bytes()
    path.write_bytes(JUNK[junk] + data if where == "before" else data + JUNK[junk])
    samples, notices = play(path)
    assert np.array_equal(samples, whole)
    assert notices == ["left_out"]


@pytest.mark.parametrize("name", EVEN)
@pytest.mark.parametrize("size", [100, 3_000])
def test_junk_between_frames_of_one_bit_rate_moves_nothing(tmp_path: Path, name: str, size: int) -> None:
    path = made(tmp_path, name)
    whole, _ = play(path)
    data, middle = path.read_bytes(), frames_of(path)[60][0]
    path.write_bytes(data[:middle] + NOISE[:size] + data[middle:])
    samples, notices = play(path)
    assert np.array_equal(samples, whole)
    assert notices == ["left_out"]


@pytest.mark.parametrize("name", ["mp3 without a header", "mp2", "aac"])
def test_a_tag_amid_a_frame_is_that_frame(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    whole, _ = play(path)
    data, middle = path.read_bytes(), frames_of(path)[60][0] + 200
    tag = b"ID3\3\0\0\0\1\0\0" + NOISE[: 1 << 14]
    path.write_bytes(data[:middle] + tag + data[middle:])
    samples, notices = play(path)
    assert samples.shape == whole.shape
    assert beats_in(samples) == pytest.approx(beats_in(whole), abs=0.001)
    assert notices == ["damaged"]


@pytest.mark.parametrize("name", [name for name in RAW if " in " not in name])
def test_bytes_missing_from_a_frame_are_that_frame(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    whole, _ = play(path)
    data, middle = path.read_bytes(), frames_of(path)[60][0]
    path.write_bytes(data[: middle + 100] + data[middle + 200 :])
    samples, notices = play(path)
    assert beats_in(samples) == pytest.approx(beats_in(whole), abs=0.001)
    assert notices == ["damaged"]


def test_frames_taken_out_are_missed_where_the_file_counts_them(tmp_path: Path) -> None:
    path = made(tmp_path, "mp3")
    data, frames = path.read_bytes(), frames_of(path)
    path.write_bytes(data[: frames[60][0]] + data[frames[63][0] :])
    with AudioInput(path, 60) as song:
        list(song.blocks())
        (notice,) = song.notices
    assert notice.code == "cut_end"
    assert "nobody knows where: 78 ms" in notice.message
    path.write_bytes(data[: frames[60][0]] + data[frames[80][0] :])
    with pytest.raises(TruncatedError):
        play(path)


@pytest.mark.parametrize("name", ["mp3 without a header", "aac"])
def test_how_long_frames_are_is_known_before_they_are_decoded(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "song", noise(3), RAW[name])
    with AudioInput(path, 60) as song:
        assert song.expected_seconds == pytest.approx(3.04, abs=0.03)
    with pytest.raises(TooLongError):
        AudioInput(path, 2.5)


def test_no_more_is_searched_than_the_longest_song_has(tmp_path: Path) -> None:
    path = made(tmp_path, "mp2")
    path.write_bytes(path.read_bytes() * 50)
    with path.open("rb") as file:
        frames = Frames(file, 0, path.stat().st_size, 10, is_adts=False)
    assert 10 < frames.seconds < 10.1


def test_what_begins_as_a_frame_often_and_never_is_one_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(b"\xff\xfb\x90\0" * 50_000)
    with path.open("rb") as file:
        frames = Frames(file, 0, path.stat().st_size, 600, is_adts=False)
    assert (frames.runs, frames.gaps) == ([], [])
