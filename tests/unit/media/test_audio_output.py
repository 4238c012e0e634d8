from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio_output import AudioOutput, AudioWriter, quantize
from tests.unit.media.faults import limited_files
from tests.unit.media.songs import Samples, describe, noise, read, tags, tone

LOSSLESS = [
    AudioOutput("wav", bit_depth=16),
    AudioOutput("wav", bit_depth=24),
    AudioOutput("flac", bit_depth=16),
    AudioOutput("flac", bit_depth=24),
]
CODECS = {("wav", 16): "pcm_s16le", ("wav", 24): "pcm_s24le", ("wav", 32): "pcm_f32le"}


def write(path: Path, output: AudioOutput, song: Samples, block: int = 50_001, **more: Any) -> Path:
    """Write samples of shape (2, any)."""
    with AudioWriter(path, output, **more) as writer:
        for start in range(0, song.shape[1], block):
            writer.write(song[:, start : start + block].T)
        writer.finish()
    return path


@pytest.mark.parametrize("samples", [1, 1023, 44_100, 300_001])
@pytest.mark.parametrize("output", LOSSLESS)
def test_lossless_files_hold_the_rounded_samples(tmp_path: Path, output: AudioOutput, samples: int) -> None:
    song = noise(samples / 44_100)
    path = write(tmp_path / f"stem.{output.format}", output, song)
    steps = 2 ** (output.bit_depth - 1)
    assert np.array_equal(read(path), np.rint(song.astype(np.float64) * steps) / steps)
    assert describe(path)[:2] == (CODECS.get((output.format, output.bit_depth), "flac"), 44_100)


def test_float_files_hold_the_samples_whatever_they_are(tmp_path: Path) -> None:
    song = noise(1) * np.float32(7)
    path = write(tmp_path / "stem.wav", AudioOutput("wav", 48_000, bit_depth=32), song)
    assert np.array_equal(read(path), song)
    assert describe(path)[:2] == ("pcm_f32le", 48_000)


@pytest.mark.parametrize("bits", [16, 24])
def test_samples_are_rounded_to_the_nearest_and_do_not_wrap_around(bits: Literal[16, 24]) -> None:
    steps = 2 ** (bits - 1)
    inside = np.array([[0, 0.4, 0.6, -0.6, 1000.4, -1000.6]], np.float32) / np.float32(steps)
    outside = np.array([[1.0, 1.7, -1.0, -1.7, 40.0]], np.float32)
    below = quantize(np.concatenate([inside, outside], axis=1), bits) >> (0 if bits == 16 else 8)
    assert below.tolist() == [[0, 0, 1, -1, 1000, -1001, steps - 1, steps - 1, -steps, -steps, steps - 1]]


@given(peak=st.floats(0, 1000, width=32), bits=st.sampled_from([16, 24]))
def test_stems_are_turned_down_only_if_one_would_clip_and_then_none_does(
    peak: float, bits: Literal[16, 24]
) -> None:
    gain_db = AudioOutput(bit_depth=bits).gain_db(peak)
    steps = 2 ** (bits - 1)
    assert (gain_db < 0) == (round(peak * steps) > steps - 1)
    loudest = np.array([[peak, -peak]], np.float32)
    found = quantize(loudest, bits, 10 ** (gain_db / 20)) >> (0 if bits == 16 else 8)
    assert np.abs(found).max() <= steps - 1
    if gain_db:
        assert np.abs(found).min() >= steps - 3  # and no further than needed


def test_float_is_never_turned_down() -> None:
    assert AudioOutput(bit_depth=32).gain_db(40.0) == 0


def test_mp3_is_turned_down_like_16_bits() -> None:
    assert AudioOutput("mp3", bitrate=192).gain_db(2.0) == AudioOutput().gain_db(2.0) < -6


def test_the_writer_turns_down(tmp_path: Path) -> None:
    song = noise(1) * np.float32(4)
    path = write(tmp_path / "stem.flac", AudioOutput("flac", bit_depth=24), song, gain_db=-12.5)
    assert np.abs(read(path) - 10 ** (-12.5 / 20) * song).max() < 1e-6


@pytest.mark.parametrize("bitrate", [64, 128, 192, 320])
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_mp3_has_its_bitrate_and_its_length(tmp_path: Path, bitrate: int, sample_rate: int) -> None:
    output = AudioOutput("mp3", sample_rate, bitrate)
    song = tone(3, sample_rate=sample_rate)
    path = write(tmp_path / "stem.mp3", output, song)
    assert describe(path) == ("mp3", sample_rate, bitrate * 1000)
    assert path.stat().st_size == pytest.approx(3 * bitrate * 125, rel=0.03)
    found = read(path)
    assert found.shape == song.shape
    middle = slice(5_000, -5_000)
    gain = np.vdot(found[:, middle], song[:, middle]) / np.vdot(song[:, middle], song[:, middle])
    assert gain == pytest.approx(1, abs=0.07)  # LAME turns down a little, so that its own noise cannot clip
    assert np.abs(found[:, middle] - gain * song[:, middle]).max() < 0.02


@pytest.mark.parametrize("samples", [1, 1151, 1152, 1153, 20_000, 44_101])
def test_an_mp3_is_as_long_as_the_song_to_the_sample(tmp_path: Path, samples: int) -> None:
    path = write(tmp_path / "stem.mp3", AudioOutput("mp3", bitrate=192), noise(samples / 44_100), 7_777)
    assert read(path).shape == (2, samples)


@pytest.mark.parametrize("name", ["wav", "flac", "mp3"])
def test_tags_are_written(tmp_path: Path, name: Literal["wav", "flac", "mp3"]) -> None:
    wanted = {"title": "Überall \U0001f3b5 (vocals)", "artist": "Ä & B", "album": "x" * 200}
    path = write(tmp_path / f"stem.{name}", AudioOutput(name), noise(1), tags=wanted)
    assert wanted.items() <= tags(path).items()


def test_a_wav_file_can_grow_beyond_4_gb(tmp_path: Path) -> None:
    # FFmpeg keeps room for the sizes of RF64, and makes the file one when it needs them.
    header = write(tmp_path / "stem.wav", AudioOutput(), noise(0.1)).read_bytes()[:80]
    assert header.startswith(b"RIFF")
    assert b"JUNK\x1c\0\0\0" in header


@pytest.mark.parametrize("missing", [1, 100, 20_000])
@pytest.mark.parametrize("name", ["wav", "flac", "mp3"])
def test_a_full_disk_is_an_error(tmp_path: Path, name: Literal["wav", "flac", "mp3"], missing: int) -> None:
    song, output = noise(2), AudioOutput(name, bitrate=192 if name == "mp3" else None)
    size = write(tmp_path / "whole", output, song).stat().st_size
    with limited_files(size - missing), pytest.raises(OSError, match="too large"):
        write(tmp_path / "cut", output, song)


@pytest.mark.parametrize("name", ["wav", "flac", "mp3"])
def test_a_file_of_no_samples_can_be_finished(tmp_path: Path, name: Literal["wav", "flac", "mp3"]) -> None:
    write(tmp_path / f"stem.{name}", AudioOutput(name), noise(0))
