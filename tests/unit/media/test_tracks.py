"""Which track is the song, how long it is, and which of its channels are heard."""

import struct
from pathlib import Path

import numpy as np
import pytest

from media.audio_input import AudioInput
from media.errors import CorruptMediaError, TooLongError, UnsupportedMediaError
from media.isolated_input import IsolatedInput
from media.notices import Notice
from tests.hostile.containers import wav
from tests.unit.media.songs import KINDS, Samples, noise, tone, two_tracks, with_subtitles, write

PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")


def play(path: Path) -> tuple[Samples, tuple[Notice, ...]]:
    with AudioInput(path, 60) as song:
        return np.concatenate(list(song.blocks()), axis=1), song.notices


@pytest.mark.parametrize("unknown", [b"apac", b"drms", b"enca"])
def test_a_track_that_cannot_be_decoded_leaves_the_one_that_can(tmp_path: Path, unknown: bytes) -> None:
    """Telephones write spatial sound, which nobody else reads, beside AAC."""
    path = two_tracks(tmp_path / "film.mp4", tone(2), noise(2), (96_000, 256_000))
    plain, _ = play(path)
    data = bytearray(path.read_bytes())
    track = data.rindex(b"trak")
    entry = data.index(b"mp4a", track)
    data[entry : entry + 4] = unknown
    if unknown == b"apac":
        esds = data.index(b"esds", track)
        data[esds : esds + 4] = b"dapa"
    path.write_bytes(data)
    samples, notices = play(path)
    assert samples.shape[1] == pytest.approx(2 * 44_100, abs=2_100)
    middle = slice(20_000, 60_000)
    assert np.abs(samples[:, middle]).max() == pytest.approx(0.5, abs=0.03)
    assert np.abs(plain[:, middle] - samples[:, middle]).max() > 0.1
    assert [notice.code for notice in notices] == ["track_left_out"]


def test_where_no_track_can_be_decoded_that_is_said(tmp_path: Path) -> None:
    path = two_tracks(tmp_path / "film.mov", tone(1), noise(1), (96_000, 256_000))
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"enca"))
    with pytest.raises(UnsupportedMediaError, match="protected"):
        play(path)


@pytest.mark.parametrize("name", ["flac", "m4a", "mp3"])
@pytest.mark.parametrize("last", [30, 13 * 3_600])
def test_a_late_subtitle_makes_no_song_longer(tmp_path: Path, name: str, last: float) -> None:
    path = with_subtitles(tmp_path / "film.mkv", 3, last, name)
    with AudioInput(path, 60) as song:
        blocks = list(song.blocks())
        assert song.expected_seconds == pytest.approx(3, abs=0.1)
    assert sum(block.shape[1] for block in blocks) == pytest.approx(3 * 44_100, abs=2_100)


def test_a_song_that_is_too_long_is_refused_at_once_in_any_container(tmp_path: Path) -> None:
    path = with_subtitles(tmp_path / "film.mkv", 12, 20)
    with pytest.raises(TooLongError):
        AudioInput(path, 10)


def extensible(mask: int, channels: int = 2) -> bytes:
    samples = (noise(1, channels=channels).T * 32_767).astype("<i2").tobytes()
    return wav(
        samples, tag=0xFFFE, channels=channels, more_format=struct.pack("<HHI", 22, 16, mask) + PCM_GUID
    )


@pytest.mark.parametrize("mask", [0, 0x3, 0x30, 0xC, 0x600, 0x6, 0x9, 0x60000000, 0x1, 0xFFFF, 0x80000000])
@pytest.mark.parametrize("name", ["wav", "48 kHz"])
def test_two_channels_are_left_and_right_whatever_the_mask_says(tmp_path: Path, mask: int, name: str) -> None:
    path = tmp_path / "song.wav"
    data = bytearray(extensible(0x3))
    if name == "48 kHz":
        data[24:28] = (48_000).to_bytes(4, "little")
    path.write_bytes(data)
    plain, _ = play(path)
    data[40:44] = mask.to_bytes(4, "little")
    path.write_bytes(data)
    assert np.array_equal(play(path)[0], plain)
    assert not np.array_equal(plain[0], plain[1])


@pytest.mark.parametrize("mask", [0x4, 0x8, 0x1, 0x100])
def test_one_channel_is_mono_whatever_the_mask_says(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(extensible(mask, 1))
    samples, _ = play(path)
    assert np.abs(samples - noise(1, channels=1)).max() < 2 / 32_768


@pytest.mark.parametrize("labels", [(1, 2), (2, 1), (3, 3), (5, 6), (42, 42)])
def test_two_channels_of_any_description_are_left_and_right(tmp_path: Path, labels: tuple[int, int]) -> None:
    path = write(tmp_path / "song.caf", noise(1), KINDS["caf"])
    plain, _ = play(path)
    data = path.read_bytes()
    at = data.index(b"chan")
    body = struct.pack(">III", 0, 0, 2) + b"".join(
        struct.pack(">IIfff", label, 0, 0, 0, 0) for label in labels
    )
    path.write_bytes(data[:at] + b"chan" + struct.pack(">q", len(body)) + body + data[at + 24 :])
    assert np.array_equal(play(path)[0], plain)


@pytest.mark.parametrize("labels", [(1, 2, 3, 4, 10, 11, 5, 6), (3, 1, 2, 5, 6, 4)])
def test_channels_in_an_order_of_their_own_are_refused_with_that_reason(
    tmp_path: Path, labels: tuple[int, ...]
) -> None:
    """In a process of its own, for this is where PyAV frees memory twice."""
    path = write(tmp_path / "song.caf", noise(1, channels=6), KINDS["caf"])
    data = bytearray(path.read_bytes())
    at = data.index(b"chan")
    length = int.from_bytes(data[at + 4 : at + 12], "big")
    body = struct.pack(">III", 0, 0, len(labels)) + b"".join(
        struct.pack(">IIfff", label, 0, 0, 0, 0) for label in labels
    )
    desc = data.index(b"desc") + 12
    data[desc + 16 : desc + 28] = struct.pack(">III", 2 * len(labels), 1, len(labels))
    path.write_bytes(data[:at] + b"chan" + struct.pack(">q", len(body)) + body + data[at + 12 + length :])
    for _ in range(5):
        with pytest.raises(
            UnsupportedMediaError, match=f"{len(labels)} channels in an order.*in WAV or FLAC"
        ):
            IsolatedInput(path, 60)


@pytest.mark.parametrize("channels", [9, 11, 22, 60])
def test_channels_that_nobody_can_name_are_refused_before_the_work(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(wav(bytes(2 * channels * 44_100), channels=channels))
    with pytest.raises(UnsupportedMediaError, match=f"{channels} channels.*surround of up to 8"):
        AudioInput(path, 60)


@pytest.mark.parametrize("channels", [3, 4, 5, 6, 7, 8, 16])
def test_channels_of_a_usual_number_are_mixed_down(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(wav((noise(1, channels=channels).T * 32_767).astype("<i2").tobytes(), channels=channels))
    samples, _ = play(path)
    assert samples.shape == (2, 44_100)
    assert 0.05 < np.abs(samples).max() <= 1


def test_a_damaged_song_is_refused_whichever_track_it_is(tmp_path: Path) -> None:
    path = with_subtitles(tmp_path / "film.mkv", 3, 13 * 3_600)
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = np.random.default_rng(1).bytes(third)
    path.write_bytes(data)
    with pytest.raises(CorruptMediaError):
        play(path)
