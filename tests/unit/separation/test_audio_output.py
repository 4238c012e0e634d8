from pathlib import Path

import numpy as np
import pytest

from separation.audio_output import AudioOutput, AudioWriter, to_int16
from tests.unit.separation.songs import Samples, describe, noise, read, tone


def write(path: Path, output: AudioOutput, song: Samples, block: int = 50_001) -> Path:
    writer = AudioWriter(path, output)
    for start in range(0, song.shape[1], block):
        writer.write(song[:, start : start + block])
    writer.finish()
    return path


@pytest.mark.parametrize("samples", [1, 1023, 44_100, 300_001])
@pytest.mark.parametrize("name", ["wav", "flac"])
def test_lossless_files_hold_the_rounded_samples(tmp_path: Path, name: str, samples: int) -> None:
    song = noise(samples / 44_100)
    path = write(tmp_path / f"stem.{name}", AudioOutput(name), song)  # type: ignore[arg-type]
    assert np.array_equal(read(path), np.rint(song.astype(np.float64) * 32_768) / 32_768)
    assert describe(path)[:2] == ({"wav": "pcm_s16le"}.get(name, name), 44_100)


def test_samples_are_rounded_and_saturate() -> None:
    scale = 1 / 32_768
    song = np.array([[0, 0.4 * scale, 0.6 * scale, -0.6 * scale, 1.0, 1.7, -1.0, -1.7, 40.0]], np.float32)
    assert to_int16(song).tolist() == [[0, 0, 1, -1, 32_767, 32_767, -32_768, -32_768, 32_767]]


@pytest.mark.parametrize("samples", [1, 2, 147, 1023, 44_100, 44_101, 300_007])
@pytest.mark.parametrize("name", ["wav", "flac"])
def test_48_khz_is_as_long_as_the_song_to_the_sample(tmp_path: Path, name: str, samples: int) -> None:
    output = AudioOutput(name, 48_000)  # type: ignore[arg-type]
    path = write(tmp_path / f"stem.{name}", output, noise(samples / 44_100))
    assert read(path).shape == (2, round(samples * 48_000 / 44_100))
    assert describe(path)[1] == 48_000


def test_48_khz_is_the_same_sound_in_time(tmp_path: Path) -> None:
    found = read(write(tmp_path / "stem.wav", AudioOutput("wav", 48_000), tone(2)))
    expected = tone(2, sample_rate=48_000)
    middle = slice(1_000, -1_000)
    assert np.abs(found[:, middle] - expected[:, middle]).max() < 1e-3


@pytest.mark.parametrize("bitrate", [64, 128, 192, 320])
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_mp3_has_its_bitrate_and_its_length(tmp_path: Path, bitrate: int, sample_rate: int) -> None:
    output = AudioOutput("mp3", sample_rate, bitrate)
    path = write(tmp_path / "stem.mp3", output, tone(3))
    assert describe(path) == ("mp3", sample_rate, bitrate * 1000)
    found = read(path)
    assert found.shape == (2, 3 * sample_rate)
    expected = tone(3, sample_rate=sample_rate)
    middle = slice(5_000, -5_000)
    gain = np.vdot(found[:, middle], expected[:, middle]) / np.vdot(expected[:, middle], expected[:, middle])
    assert gain == pytest.approx(1, abs=0.06)  # LAME turns down a little, so that its own noise cannot clip
    assert np.abs(found[:, middle] - gain * expected[:, middle]).max() < 0.02


def test_a_file_of_no_samples_can_be_finished(tmp_path: Path) -> None:
    write(tmp_path / "stem.wav", AudioOutput(), noise(0))
