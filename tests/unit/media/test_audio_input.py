import wave
from pathlib import Path

import av
import numpy as np
import pytest

from media import MediaError
from media.audio_input import AudioInput
from media.errors import (
    CorruptMediaError,
    EmptyFileError,
    NoAudioError,
    TooLongError,
    UnsupportedMediaError,
)
from tests.unit.media.songs import KINDS, Samples, noise, tone, write, write_video

EIGHTHS = range(1, 8)


def decode(path: Path, max_seconds: float = 60) -> Samples:
    with AudioInput(path, max_seconds) as song:
        return np.concatenate(list(song.blocks()), axis=1)


def code_of(path: Path) -> str | None:
    """The error that decoding ends with."""
    try:
        decode(path)
    except MediaError as error:
        return error.code
    return None


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_is_decoded_whole(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    song = tone(2, sample_rate=kind.sample_rate)
    path = write(tmp_path / f"song.{kind.ending}", song, kind)
    with AudioInput(path, 60) as opened:
        found = np.concatenate(list(opened.blocks()), axis=1)
        assert opened.seconds == pytest.approx(2, abs=0.06)  # AAC and headerless MP3 keep their padding
        assert opened.expected_seconds == pytest.approx(opened.seconds, abs=0.06)
        assert (opened.channels, opened.sample_rate) == (2, kind.sample_rate)
        assert opened.codec in kind.codec
    assert found.shape[0] == 2
    assert found.dtype == np.float32
    assert np.abs(found[:, 20_000:60_000]).max() == pytest.approx(0.5, abs=0.03)  # LAME turns down a little


@pytest.mark.parametrize("name", KINDS)
def test_a_song_just_as_long_as_allowed_is_taken(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = write(tmp_path / f"song.{kind.ending}", noise(3, sample_rate=kind.sample_rate), kind)
    assert decode(path, max_seconds=3).shape[1] == pytest.approx(3 * 44_100, abs=4410)


def test_a_headerless_mp3_cut_between_frames_is_a_shorter_song(tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3", noise(2), KINDS["mp3 without a header"])
    whole = path.read_bytes()
    with av.open(path) as container:
        positions = [packet.pos for packet in container.demux(audio=0) if packet.pos is not None]
    path.write_bytes(whole[: positions[len(positions) // 2]])
    assert decode(path).shape[1] == pytest.approx(44_100, abs=3_000)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0xFFFF_FFDB])
def test_a_streamed_wav_with_an_unknown_size_is_whole(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "song.wav", noise(1), KINDS["wav"])
    data = bytearray(path.read_bytes())
    position = data.index(b"data")
    data[position + 4 : position + 8] = size.to_bytes(4, "little")
    data[4:8] = size.to_bytes(4, "little")
    path.write_bytes(data)
    assert decode(path).shape[1] == 44_100


def test_a_title_that_is_not_utf8_is_no_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "song.wav", noise(1), KINDS["wav"])
    title = b"LIST\x10\0\0\0INFOINAM\x04\0\0\0\xe9t\xe9\0"
    data = path.read_bytes()
    assert data[12:16] == b"fmt "
    path.write_bytes(data[:12] + title + data[12:])
    assert decode(path).shape[1] == 44_100


def test_cover_art_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(path, "w") as container:
        sound = container.add_stream("libmp3lame", 44_100, layout="stereo")
        cover = container.add_stream("png", 1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")))
        frame = av.AudioFrame.from_ndarray(tone(1), "fltp", "stereo")
        frame.sample_rate = 44_100
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    with av.open(path) as container:
        assert len(container.streams) == 2
    assert decode(path).shape == (2, 44_100)


def test_mono_is_duplicated_at_its_own_level(tmp_path: Path) -> None:
    song = noise(0.5, channels=1)
    found = decode(write(tmp_path / "song.wav", song))
    assert np.array_equal(found, np.repeat(song, 2, axis=0))


def test_the_centre_of_six_channels_survives_without_clipping(tmp_path: Path) -> None:
    song = np.full((6, 44_100), 0.999, np.float32) * tone(1)[:1] * 2
    everything = decode(write(tmp_path / "all.wav", song))
    assert np.abs(everything).max() <= 1
    song[[0, 1, 3, 4, 5]] = 0  # FL FR LFE BL BR
    centre = decode(write(tmp_path / "centre.wav", song))
    assert centre.shape == (2, 44_100)
    assert np.abs(centre).max() > 0.2
    assert np.array_equal(centre[0], centre[1])


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 48_000, 96_000])
def test_other_sample_rates_are_converted(tmp_path: Path, sample_rate: int) -> None:
    kind = KINDS["wav of float"]._replace(sample_rate=sample_rate)
    found = decode(write(tmp_path / "song.wav", tone(2, sample_rate=sample_rate), kind))
    expected = tone(2)
    assert abs(found.shape[1] - 88_200) <= 1
    middle = slice(5_000, 80_000)
    assert np.abs(found[:, middle] - expected[:, middle]).max() < 2e-3


def test_samples_that_are_no_sound_become_silence(tmp_path: Path) -> None:
    song = noise(0.2)
    clean = song.copy()
    song[0, 10:13] = np.nan, np.inf, -np.inf
    clean[0, 10:13] = 0
    song[1, 20:23] = 3e38, -70_000, 65_536
    clean[1, 20:23] = 0, 0, 65_536
    assert np.array_equal(decode(write(tmp_path / "song.wav", song)), clean)


def test_a_song_longer_than_allowed_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "song.wav", noise(2))
    with pytest.raises(TooLongError, match="1 s"):
        AudioInput(path, 1)
    assert decode(path, 2).shape[1] == 88_200


def test_a_song_that_declares_no_duration_is_refused_while_it_is_decoded(tmp_path: Path) -> None:
    kind = KINDS["webm, live"]
    path = write(tmp_path / f"song.{kind.ending}", noise(3, sample_rate=kind.sample_rate), kind)
    with AudioInput(path, 2.5) as song:
        with pytest.raises(TooLongError):
            list(song.blocks())
        assert 2.6 < song.seconds < 2.7


def test_a_flac_that_declares_too_little_is_refused_while_it_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac", noise(3), KINDS["flac"])
    data = bytearray(path.read_bytes())
    data[22:26] = (44_100).to_bytes(4)  # the low bits of STREAMINFO's total samples
    path.write_bytes(data)
    with AudioInput(path, 2) as song, pytest.raises(TooLongError):
        list(song.blocks())


def test_a_song_that_slows_down_midway_is_as_long_as_it_takes(tmp_path: Path) -> None:
    fast = write(
        tmp_path / "fast.aac", noise(1, sample_rate=96_000), KINDS["aac"]._replace(sample_rate=96_000)
    )
    slow = write(tmp_path / "slow.aac", noise(4, sample_rate=8_000), KINDS["aac"]._replace(sample_rate=8_000))
    path = tmp_path / "song.aac"
    path.write_bytes(fast.read_bytes() + slow.read_bytes())
    with AudioInput(path, 60) as song:
        samples = sum(block.shape[1] for block in song.blocks())
        assert song.seconds == pytest.approx(samples / 44_100, abs=0.01)
        assert song.seconds > 4.9
    with pytest.raises(TooLongError):
        AudioInput(path, 3)


def test_a_table_beyond_any_memory_is_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "song.m4a", noise(0.2), KINDS["m4a"])
    data = path.read_bytes()
    count = data.index(b"stts") + 8
    path.write_bytes(data[:count] + b"\x1f\xff\xff\xff" + data[count + 4 :])
    assert code_of(path) == "corrupt_media"


def test_a_size_beyond_any_file_is_a_cut_file(tmp_path: Path) -> None:
    path = write(tmp_path / "song.w64", noise(0.1), KINDS["w64"])
    data = path.read_bytes()
    size = data.index(b"fmt ") + 16
    path.write_bytes(data[:size] + (0xF800_0000_0000_0000).to_bytes(8, "little") + data[size + 8 :])
    assert code_of(path) == "truncated"


def test_a_file_of_no_bytes_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.touch()
    with pytest.raises(EmptyFileError):
        AudioInput(path, 60)


def test_a_file_of_no_samples_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
    with pytest.raises(EmptyFileError, match="0 samples"):
        decode(path)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_film_without_sound_has_no_audio(tmp_path: Path, ending: str) -> None:
    with pytest.raises(NoAudioError):
        AudioInput(write_video(tmp_path / f"film.{ending}"), 60)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"Dear all, please find attached\n" * 200, id="text"),
        pytest.param(b"The free encyclopedia that any box parser would trip over\n" * 50, id="text of a box"),
        pytest.param(
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x40meta" + b"\0" * 56, id="picture in boxes"
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0" * 3000, id="picture"),
        pytest.param(b"PK\3\4" + bytes(range(256)) * 20, id="archive"),
        pytest.param(b"\0" * 5000, id="zeros"),
        pytest.param(b"x", id="one byte"),
        pytest.param(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n", id="hls"),
        pytest.param(b"ffconcat version 1.0\nfile '{other}'\n", id="concat"),
        pytest.param(b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>", id="dash"),
        pytest.param(b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 96\n", id="sdp"),
    ],
)
def test_what_is_no_audio_is_refused_and_no_other_file_is_opened(tmp_path: Path, content: bytes) -> None:
    other = write(tmp_path / "other.wav", tone(1))
    path = tmp_path / "song.mp3"
    path.write_bytes(content.replace(b"{other}", str(other).encode()))
    with pytest.raises(UnsupportedMediaError, match="Send WAV"):
        AudioInput(path, 60)


def test_noise_is_no_song(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(np.random.default_rng(0).bytes(100_000))
    assert code_of(path) in ("unsupported_media", "corrupt_media")


def test_a_mov_that_points_to_another_file_is_not_followed(tmp_path: Path) -> None:
    """An external data reference must not let a song read a file of the machine."""
    secret = write(tmp_path / "secret.wav", tone(1))
    path = write(tmp_path / "song.mov", noise(1), KINDS["mov"])
    data = path.read_bytes()
    target = str(secret).encode() + b"\0"
    assert b"url " in data
    changed = data.replace(b"url \0\0\0\1", b"url \0\0\0\0")  # no longer "in this file"
    path.write_bytes(changed + target)
    found = code_of(path)
    assert found in (None, "truncated", "unsupported_media", "corrupt_media")
    if found is None:
        assert not np.allclose(decode(path)[:, :40_000], tone(1)[:, :40_000], atol=0.01)


@pytest.mark.parametrize("tag", [b"drms", b"enca"])
def test_a_protected_file_is_refused_with_the_reason(tmp_path: Path, tag: bytes) -> None:
    path = write(tmp_path / "song.m4a", tone(1), KINDS["m4a"])
    path.write_bytes(path.read_bytes().replace(b"mp4a", tag))
    with pytest.raises(UnsupportedMediaError, match="protected"):
        AudioInput(path, 60)


@pytest.mark.parametrize("name", ["flac", "m4a", "mp3", "ogg flac"])
def test_a_file_damaged_in_its_middle_is_corrupt(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = write(tmp_path / f"song.{kind.ending}", noise(4), kind)
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = np.random.default_rng(1).bytes(third)
    path.write_bytes(data)
    with pytest.raises(CorruptMediaError, match="damaged"):
        decode(path)


@pytest.mark.parametrize("name", KINDS)
def test_no_damage_escapes_as_another_error(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = write(tmp_path / f"song.{kind.ending}", noise(0.5, sample_rate=kind.sample_rate), kind)
    whole = path.read_bytes()
    random = np.random.default_rng(2)
    for _ in range(25):
        data = bytearray(whole)
        for position in random.integers(0, min(len(data), 2_000), 8):
            data[position] = random.integers(256)
        path.write_bytes(data)
        code_of(path)
