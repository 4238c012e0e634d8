import hashlib
import io
import struct
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt
import pytest

from media.audio_output import AudioOutput, AudioWriter
from media.player import PlayerFiles, PlayerWriter
from media.samples import Samples
from tests.unit.media.faults import limited_files
from tests.unit.media.songs import noise

Words = npt.NDArray[np.int32]


class Index(NamedTuple):
    """An index as docs/player.md describes it."""

    sample_rate: int
    frame_samples: int
    samples: int
    offsets: tuple[int, ...]
    head: bytes


def write(
    folder: Path, song: Samples, sample_rate: int = 44_100, block: int = 50_001, **more: Any
) -> PlayerFiles:
    """Write samples of shape (2, any)."""
    files = PlayerFiles.of_stem(folder, "stem")
    with PlayerWriter(files, sample_rate, **more) as writer:
        for start in range(0, song.shape[1], block):
            writer.write(song[:, start : start + block].T)
        writer.finish()
    return files


def read_index(path: Path) -> Index:
    data = path.read_bytes()
    version, sample_rate, frame_samples, samples = struct.unpack_from("<4I", data)
    assert version == 1
    count = -(-samples // frame_samples) + 1
    return Index(
        sample_rate,
        frame_samples,
        samples,
        struct.unpack_from(f"<{count}I", data, 16),
        data[16 + 4 * count :],
    )


def decode(flac: bytes) -> Words:
    """Samples of a FLAC file, shape (any, 2), of 16 bits."""
    with av.open(io.BytesIO(flac), "r", format="flac") as container:
        frames = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
        assert container.streams.audio[0].codec_context.format.name == "s32"
    words = np.concatenate([np.empty((0, 2), np.int32), *frames])
    assert not (words & 0xFFFF).any()
    return words >> 16


def of_the_wav(folder: Path, song: Samples, sample_rate: int = 44_100, gain_db: float = 0.0) -> Words:
    """Samples of the WAV of 16 bits that a stem is by default, shape (any, 2)."""
    with AudioWriter(folder / "stem.wav", AudioOutput("wav", sample_rate), gain_db) as writer:
        writer.write(song.T)
        writer.finish()
    with av.open(folder / "stem.wav") as container:
        frames = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.int32)


@pytest.mark.parametrize("gain_db", [0.0, -3.7, 12.0])
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_the_flac_holds_the_samples_of_the_wav(tmp_path: Path, sample_rate: int, gain_db: float) -> None:
    song = noise(2.345, sample_rate=sample_rate) * np.float32(2)  # some are beyond full scale
    files = write(tmp_path, song, sample_rate, gain_db=gain_db)
    found = decode(files.audio.read_bytes())
    assert np.array_equal(found, of_the_wav(tmp_path, song, sample_rate, gain_db))


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_any_run_of_frames_behind_the_head_is_a_flac_of_those_samples(
    tmp_path: Path, sample_rate: int
) -> None:
    song = noise(3.21, sample_rate=sample_rate)
    files = write(tmp_path, song, sample_rate)
    audio, index, whole = files.audio.read_bytes(), read_index(files.byte_index), of_the_wav(tmp_path, song)
    frame, frames = sample_rate // 10, len(index.offsets) - 1
    chance = np.random.default_rng(7)
    runs = [sorted(map(int, chance.choice(frames + 1, 2, replace=False))) for _ in range(60)]
    for first, last in [[0, 1], [frames - 1, frames], [0, frames], *runs]:
        run = audio[index.offsets[first] : index.offsets[last]]
        assert np.array_equal(decode(index.head + run), whole[first * frame : last * frame])


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
@pytest.mark.parametrize("samples", [1, 15, 441, 4_409, 4_410, 4_411, 4_800, 88_200, 96_001])
def test_the_index_agrees_with_the_file(tmp_path: Path, samples: int, sample_rate: int) -> None:
    song = noise(samples / sample_rate, sample_rate=sample_rate)
    files = write(tmp_path, song, sample_rate)
    audio, index = files.audio.read_bytes(), read_index(files.byte_index)
    assert index[:3] == (sample_rate, sample_rate // 10, samples)
    assert audio.startswith(index.head)
    assert index.offsets[0] == len(index.head)
    assert index.offsets[-1] == len(audio)
    # Each frame begins with the mark of a stream of fixed frames, and says which one it is.
    numbers = [audio[offset + 4 : offset + 5] for offset in index.offsets[:-1]]
    assert {audio[offset : offset + 2] for offset in index.offsets[:-1]} == {b"\xff\xf8"}
    assert numbers == [bytes([number]) for number in range(len(numbers))]
    assert np.array_equal(decode(audio), of_the_wav(tmp_path, song))


@pytest.mark.parametrize("block", [1, 7, 440, 4_410, 4_411, 100_000])
def test_blocks_may_be_of_any_length(tmp_path: Path, block: int) -> None:
    (tmp_path / "other").mkdir()
    song = noise(0.2345)
    for one, other in zip(write(tmp_path, song, block=block), write(tmp_path / "other", song), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_blocks_of_nothing_do_no_harm(tmp_path: Path) -> None:
    song, files = noise(0.15), PlayerFiles.of_stem(tmp_path, "stem")
    with PlayerWriter(files, 44_100) as writer:
        for block in (song[:, :0], song[:, :5_000], song[:, 5_000:5_000], song[:, 5_000:]):
            writer.write(block.T)
        writer.finish()
    assert np.array_equal(decode(files.audio.read_bytes()), of_the_wav(tmp_path, song))


def test_the_head_says_all_of_the_stream(tmp_path: Path) -> None:
    song = noise(1.23)
    index = read_index(write(tmp_path, song).byte_index)
    assert index.head[:8] == b"fLaC\0\0\0\x22"
    assert len(index.head) < 100  # no padding
    info = index.head[8:42]
    assert struct.unpack_from(">HH", info) == (4_410, 4_410)
    sizes = np.diff(index.offsets)
    smallest, largest = (int.from_bytes(info[start : start + 3], "big") for start in (4, 7))
    assert (smallest, largest) == (sizes.min(), sizes.max())
    fields = int.from_bytes(info[10:18], "big")
    rate, channels, bits, samples = fields >> 44, fields >> 41 & 7, fields >> 36 & 31, fields & (1 << 36) - 1
    assert (rate, channels + 1, bits + 1, samples) == (44_100, 2, 24, song.shape[1])
    of_24_bits = (of_the_wav(tmp_path, song).astype("<i4") << 8).reshape(-1, 1).view(np.uint8)[:, :3]
    assert info[18:] == hashlib.md5(of_24_bits.tobytes(), usedforsecurity=False).digest()


def test_silence_is_small(tmp_path: Path) -> None:
    song = np.zeros((2, 60 * 44_100), np.float32)
    files = write(tmp_path, song)
    audio, index = files.audio.read_bytes(), read_index(files.byte_index)
    assert len(audio) < 20_000
    assert not decode(audio).any()
    assert np.array_equal(decode(index.head + audio[index.offsets[300] :]), np.zeros((30 * 44_100, 2)))
    assert not any(files.peaks.read_bytes()[24:])


def test_a_stem_of_no_samples_can_be_finished(tmp_path: Path) -> None:
    files = write(tmp_path, noise(0))
    index = read_index(files.byte_index)
    assert index.offsets == (files.audio.stat().st_size,)
    assert len(decode(files.audio.read_bytes())) == 0
    assert len(files.peaks.read_bytes()) == 24


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
@pytest.mark.parametrize("samples", [1, 440, 441, 480, 481, 30_007])
def test_peaks_are_the_least_and_the_greatest_of_each_hundredth_of_a_second(
    tmp_path: Path, samples: int, sample_rate: int
) -> None:
    song = noise(samples / sample_rate, sample_rate=sample_rate)
    song[1] *= 0.3
    data = write(tmp_path, song, sample_rate, block=1_000).peaks.read_bytes()
    pixel = sample_rate // 100
    length = -(-samples // pixel)
    assert struct.unpack_from("<iIiiIi", data) == (2, 1, sample_rate, pixel, length, 2)
    found = np.frombuffer(data, np.int8, offset=24).reshape(length, 2, 2)
    words = of_the_wav(tmp_path, song, sample_rate)
    for number, pairs in enumerate(found):
        here = words[number * pixel : (number + 1) * pixel]
        expected = np.stack([here.min(axis=0), here.max(axis=0)], axis=1) / 256
        assert np.array_equal(pairs, np.fix(expected))


def test_peaks_reach_full_scale(tmp_path: Path) -> None:
    song = np.array([[1.5], [-1.5]], np.float32)
    data = write(tmp_path, song, 48_000).peaks.read_bytes()
    assert np.frombuffer(data, np.int8, offset=24).tolist() == [127, 127, -128, -128]


@pytest.mark.parametrize("seconds", [0, 1])
def test_an_error_leaves_no_file_behind(tmp_path: Path, seconds: int) -> None:
    def write_and_fail() -> None:
        with PlayerWriter(PlayerFiles.of_stem(tmp_path, "stem"), 44_100) as writer:
            writer.write(noise(seconds).T)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_finished_is_no_file(tmp_path: Path) -> None:
    with PlayerWriter(PlayerFiles.of_stem(tmp_path, "stem"), 44_100) as writer:
        writer.write(noise(1).T)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", [1, 100, 20_000])
def test_a_full_disk_is_an_error_and_leaves_no_file_behind(tmp_path: Path, missing: int) -> None:
    song = noise(2)
    (tmp_path / "whole").mkdir()
    size = write(tmp_path / "whole", song).audio.stat().st_size
    (tmp_path / "cut").mkdir()
    with limited_files(size - missing), pytest.raises(OSError, match="too large"):
        write(tmp_path / "cut", song)
    assert list((tmp_path / "cut").iterdir()) == []


@pytest.mark.parametrize("which", ["byte_index", "peaks"])
def test_a_disk_that_is_full_in_the_end_leaves_no_file_behind(tmp_path: Path, which: str) -> None:
    files = PlayerFiles.of_stem(tmp_path, "stem")
    getattr(files, which).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, noise(1))
    assert list(tmp_path.iterdir()) == []
