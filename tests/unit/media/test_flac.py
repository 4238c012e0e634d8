"""What the headers of frames of FLAC say of where they are."""

from pathlib import Path

import av
import pytest

from media.flac import FlacFrames
from tests.hostile.containers import crc_of
from tests.unit.media.songs import KINDS, noise, write


def frames_of(path: Path) -> list[tuple[bytes, int]]:
    with av.open(path) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(bytes(packet), packet.pts or 0) for packet in packets]


def variable(number: bytes, block: bytes = b"\x77") -> bytes:
    """The header of a frame of a stream of any lengths: its number, and a length of 8 or 16 bits."""
    header = b"\xff\xf9" + (b"\x69" if len(block) == 1 else b"\x79") + b"\x18" + number + block
    return header + bytes([crc_of(header, 0x07, 8)]) + bytes(10)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 22_050, 11_025, 12_345])
def test_frames_are_where_ffmpeg_has_them(tmp_path: Path, sample_rate: int) -> None:
    kind = KINDS["flac"]._replace(sample_rate=sample_rate)
    frames = frames_of(write(tmp_path / "song.flac", noise(20, sample_rate=sample_rate), kind))
    found = FlacFrames()
    assert len(frames) > 40
    for frame, stamp in frames:
        assert found.first_sample(frame) == stamp


@pytest.mark.parametrize(
    ("number", "sample"),
    [
        (b"\x05", 5),
        (b"\xc3\xa9", 0xE9),
        (b"\xe2\x82\xac", 0x20AC),
        (b"\xf0\x9f\x98\x80", 0x1F600),
        (b"\xfe\x83\xbf\xbf\xbf\xbf\xbf", 0xFFFF_FFFF),
    ],
)
@pytest.mark.parametrize("block", [b"\x77", b"\x07\x77"])
def test_frames_of_any_length_count_samples(number: bytes, sample: int, block: bytes) -> None:
    assert FlacFrames().first_sample(variable(number, block)) == sample


def test_a_header_that_is_damaged_says_nothing() -> None:
    frame = variable(b"\x05")
    assert FlacFrames().first_sample(frame) == 5
    for at in range(7):
        spoilt = bytearray(frame)
        spoilt[at] ^= 0x10
        assert FlacFrames().first_sample(bytes(spoilt)) is None
    for count in range(7):
        assert FlacFrames().first_sample(frame[:count]) is None
