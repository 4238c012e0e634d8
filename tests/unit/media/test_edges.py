"""Where a song begins and ends in its file: tags around it, blocks behind it, and ends that are cut."""

from pathlib import Path

import numpy as np
import pytest

from media import MediaError
from media.audio_input import AudioInput
from media.errors import TruncatedError
from tests.unit.media.songs import KINDS, Samples, noise, write

EIGHTHS = range(1, 8)
COVER = np.random.default_rng(1).bytes(200_000)
ITEM = (5).to_bytes(4, "little") + bytes(4) + b"Title\0Hello"
# Streamed and raw files promise no length: cut, they are shorter songs, and say that their last frame is cut.
PROMISE_NOTHING = {"mp3 without a header", "aac", "webm, live", "mp4, in fragments"}


def play(path: Path) -> tuple[Samples, list[str]]:
    with AudioInput(path, 60) as song:
        samples = np.concatenate(list(song.blocks()), axis=1)
        return samples, [notice.code for notice in song.notices]


def end_of(path: Path) -> str | None:
    try:
        play(path)
    except MediaError as error:
        return error.code
    return None


def made(folder: Path, name: str) -> Path:
    kind = KINDS[name]
    return write(folder / f"made.{kind.ending}", noise(3, sample_rate=kind.sample_rate), kind)


def ape(*, is_header: bool, bytes_: int = 0) -> bytes:
    flags = (0xA000_0000 if is_header else 0x8000_0000).to_bytes(4, "little")
    return (
        b"APETAGEX"
        + (2_000).to_bytes(4, "little")
        + (32 + (bytes_ or len(ITEM))).to_bytes(4, "little")
        + (1).to_bytes(4, "little")
        + flags
        + bytes(8)
    )


APE = ape(is_header=True) + ITEM + ape(is_header=False)
APE_COVER = COVER + ape(is_header=False, bytes_=len(COVER))[:20] + b"\0\0\0\0" + bytes(8)
ID3V1 = b"TAG" + b"a title".ljust(125, b"\0")
ID3V2 = b"ID3\x03\0\0\0\0\x07\x68" + bytes(1_000)
LYRICS = b"LYRICSBEGIN" + b"IND00002" + b"10" + b"000021LYRICS200" + ID3V1


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "tag",
    [pytest.param(APE, id="ape"), pytest.param(ID3V1, id="id3v1"), pytest.param(LYRICS, id="lyrics")],
)
def test_a_tag_behind_any_song_is_no_sound_and_no_cut(tmp_path: Path, name: str, tag: bytes) -> None:
    path = made(tmp_path, name)
    plain, _ = play(path)
    path.write_bytes(path.read_bytes() + tag)
    samples, notices = play(path)
    assert np.array_equal(samples, plain)
    assert notices == []


@pytest.mark.parametrize("name", KINDS)
def test_a_large_tag_behind_any_song_is_no_damage(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    plain, _ = play(path)
    path.write_bytes(path.read_bytes() + APE_COVER)
    samples, notices = play(path)
    # Of MP3, FFmpeg leaves the padding at the end on.
    assert samples.shape[1] - plain.shape[1] in ((0,) if name != "mp3" else range(1_152))
    assert np.array_equal(samples[:, : plain.shape[1]], plain)
    assert notices == []


@pytest.mark.parametrize("junk", [b"\0", b"\0\0\0\0\0\0", b"\xff" * 5])
def test_a_few_bytes_behind_frames_are_no_damage(tmp_path: Path, junk: bytes) -> None:
    path = made(tmp_path, "aac")
    plain, _ = play(path)
    path.write_bytes(path.read_bytes() + junk)
    samples, notices = play(path)
    assert np.array_equal(samples, plain)
    assert notices == []


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "tag",
    [
        pytest.param(APE, id="ape"),
        pytest.param(ID3V2, id="id3v2"),
        pytest.param(ID3V2 * 2, id="two id3v2"),
        pytest.param(ID3V2 + APE, id="id3v2 and ape"),
        pytest.param(ID3V2 + bytes(777), id="id3v2 and more padding than it says"),
        pytest.param(ID3V1, id="id3v1"),
        pytest.param(b"\xef\xbb\xbf\r\n", id="line break"),
    ],
)
def test_a_tag_before_any_song_is_no_sound_and_no_cut(tmp_path: Path, name: str, tag: bytes) -> None:
    path = made(tmp_path, name)
    plain, _ = play(path)
    path.write_bytes(tag + path.read_bytes())
    samples, notices = play(path)
    assert np.array_equal(samples, plain)
    assert notices == []


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in KINDS
        if KINDS[name].ending in ("wav", "w64", "aiff", "caf", "m4a", "mp4", "mov", "mkv", "webm")
    ],
)
@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"SEFH" + bytes(range(256)) * 40 + b"SEFT", id="with a name of its own"),
        pytest.param(bytes(10_000), id="zeros"),
        pytest.param(b"\xff\xff\xff\xff" + b"insv" * 2_000, id="large size"),
    ],
)
def test_what_a_camera_puts_behind_a_song_is_no_cut(tmp_path: Path, name: str, block: bytes) -> None:
    path = made(tmp_path, name)
    plain, _ = play(path)
    path.write_bytes(path.read_bytes() + block)
    samples, notices = play(path)
    assert np.array_equal(samples[:, : plain.shape[1]], plain)
    assert samples.shape[1] - plain.shape[1] < 4_410
    assert notices == []


@pytest.mark.parametrize("name", [name for name in KINDS if name not in PROMISE_NOTHING])
def test_a_file_cut_at_any_eighth_is_refused_with_what_is_there(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    whole = path.read_bytes()
    for eighth in EIGHTHS:
        path.write_bytes(whole[: len(whole) * eighth // 8])
        with pytest.raises(
            TruncatedError, match=r"too early: (it has [\d.,]+ (s|bytes) of|before its sound)"
        ):
            play(path)


@pytest.mark.parametrize("tag", [APE, ID3V1])
@pytest.mark.parametrize("name", ["wav", "m4a", "flac", "ogg vorbis", "matroska"])
def test_a_cut_file_with_a_tag_behind_it_is_cut(tmp_path: Path, name: str, tag: bytes) -> None:
    path = made(tmp_path, name)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + tag)
    assert end_of(path) == "truncated"


@pytest.mark.parametrize("name", ["matroska", "webm"])
def test_how_much_of_matroska_is_there_is_said(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = write(tmp_path / "song.mkv", noise(12, sample_rate=kind.sample_rate), kind)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    with pytest.raises(TruncatedError, match=r"it has (3\.9|4\.0)\d s of 12\.0\d s"):
        play(path)


def test_how_much_is_there_and_how_much_was_promised_is_said(tmp_path: Path) -> None:
    path = made(tmp_path, "wav")
    path.write_bytes(path.read_bytes()[: 44 + 44_100 * 4])
    with pytest.raises(TruncatedError, match=r"it has 1\.00 s of 3\.00 s"):
        play(path)


@pytest.mark.parametrize("name", sorted(PROMISE_NOTHING))
def test_a_file_that_promises_no_length_is_as_long_as_it_is(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    whole = path.read_bytes()
    for eighth in EIGHTHS:
        path.write_bytes(whole[: len(whole) * eighth // 8])
        try:
            samples, _ = play(path)
        except TruncatedError:  # the element or fragment that is cut says how much it should have
            assert KINDS[name].ending in ("webm", "mp4")
        else:
            assert samples.shape[1] / 44_100 == pytest.approx(3 * eighth / 8, abs=0.2)


@pytest.mark.parametrize("name", KINDS)
def test_the_last_byte_is_missed_only_where_much_depends_on_it(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    plain, _ = play(path)
    path.write_bytes(path.read_bytes()[:-1])
    if name in ("ogg vorbis", "ogg flac", "mov"):  # the last page; the index
        assert end_of(path) == "truncated"
    else:
        samples, _ = play(path)
        assert abs(samples.shape[1] - plain.shape[1]) < 4_410


@pytest.mark.parametrize("name", ["mp3", "mp3 without a header", "aac", "flac", "mp4, index first"])
def test_an_end_amid_a_frame_is_told_of(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    plain, _ = play(path)
    path.write_bytes(path.read_bytes()[:-100])
    samples, notices = play(path)
    assert abs(samples.shape[1] - plain.shape[1]) < 4_410
    assert notices in (["cut_end"], ["damaged"], ["damaged", "cut_end"])


@pytest.mark.parametrize("more", [1, 8, 44, 4_000])
@pytest.mark.parametrize("name", ["wav", "aiff", "caf", "w64"])
def test_a_length_that_is_a_little_too_large_is_no_cut(tmp_path: Path, name: str, more: int) -> None:
    path = made(tmp_path, name)
    plain, _ = play(path)
    data = bytearray(path.read_bytes())
    field, order = {"wav": (4, "little"), "aiff": (4, "big"), "caf": (8, "big"), "w64": (8, "little")}[name]
    at = data.index(b"SSND" if name == "aiff" else b"data") + (16 if name == "w64" else 4)
    length = int.from_bytes(data[at : at + field], order) + more  # type: ignore[arg-type]
    data[at : at + field] = length.to_bytes(field, order)  # type: ignore[arg-type]
    path.write_bytes(data)
    assert np.array_equal(play(path)[0], plain)
