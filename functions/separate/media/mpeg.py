"""The headers of frames of MPEG audio, and of AAC in ADTS."""

import re
from dataclasses import dataclass

# What may begin a header, and overlaps with none before it.
_HEADER = re.compile(rb"\xff(?=[\xe2-\xff][\x10-\xef])")
_SMALLEST = 16  # bytes of a frame
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")


@dataclass(frozen=True)
class Header:
    """A frame of MPEG audio: its length, what it holds, and how long its side information is (layer III)."""

    bytes: int
    samples: int
    sample_rate: int
    side_info_bytes: int


_MPEG1_KBITS = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # layer III
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),  # layer II
    3: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),  # layer I
}
_MPEG2_KBITS = {
    1: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
}


def read_header(header: bytes) -> Header | None:
    """Read a frame's first four bytes, as ISO 11172-3, 2.4.2.3, has them; None if they are no header."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate_index, sample_rate_index = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 0 or rate_index in (0, 15) or sample_rate_index == 3:
        return None
    mpeg1 = version == 3
    kbits = (_MPEG1_KBITS if mpeg1 else _MPEG2_KBITS)[layer][rate_index - 1]
    sample_rate = (44_100, 48_000, 32_000)[sample_rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    padding = header[2] >> 1 & 1
    mono = header[3] >> 6 == 3
    if layer == 3:
        return Header((12_000 * kbits // sample_rate + padding) * 4, 384, sample_rate, 0)
    samples = 1152 if mpeg1 or layer == 2 else 576
    side_info = (17 if mono else 32) if mpeg1 else (9 if mono else 17)
    return Header(samples // 8 * 1000 * kbits // sample_rate + padding, samples, sample_rate, side_info)


def frame_bytes(header: bytes) -> int | None:
    """Length of an MPEG audio or ADTS frame, from its first bytes; None if this is no such header."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    if header[1] & 0xF6 == 0xF0:  # ADTS: layer bits are zero
        return (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    frame = read_header(header)
    return frame.bytes if frame else None


def frame_within(packet: bytes) -> tuple[int, int] | None:
    """Where the frame in a packet of FFmpeg's begins, and its length by its header; None if there is none.

    What stands between frames, a tag or a frame whose header is damaged, FFmpeg gives out with the frame
    before it or behind it.
    """
    if length := frame_bytes(packet[:7]):
        return 0, length
    for found in _HEADER.finditer(packet):
        start = found.start()
        length = frame_bytes(packet[start : start + 7])
        if length and start + length == len(packet):
            return start, length
    return None


def frames_lost(between: bytes, length: int) -> int:
    """How many frames of such a length the bytes between two others were; none if they are a tag."""
    if len(between) < _SMALLEST or between.startswith(_TAGS):
        return 0
    return max(1, round(len(between) / length))
