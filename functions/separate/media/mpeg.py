"""The headers of frames of MPEG audio, and of AAC in ADTS."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

_HEAD = 7
_ADTS_RATES = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000),
    *(24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)


class Frame(NamedTuple):
    """A frame's length in bytes and in seconds, and what all frames of a stream have in common."""

    bytes: int
    seconds: float
    kind: tuple[int, int]


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


def read_frame(head: bytes) -> Frame | None:
    """Read a frame's first seven bytes: MPEG audio or ADTS (ISO 13818-7, 6.2); None if they are no header."""
    if len(head) < _HEAD or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 != 0xF0:  # ADTS: layer bits are zero
        return _mpeg_frame(head[:4])
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    rate_index = head[2] >> 2 & 0xF
    if length <= _HEAD or rate_index >= len(_ADTS_RATES):
        return None
    blocks = (head[6] & 3) + 1
    return Frame(length, 1024 * blocks / _ADTS_RATES[rate_index], (head[1] & 0xFE, head[2] & 0xFC))


@cache
def _mpeg_frame(head: bytes) -> Frame | None:
    header = read_header(head)
    if header is None:
        return None
    return Frame(header.bytes, header.samples / header.sample_rate, (head[1] & 0xFE, head[2] & 0x0C))
