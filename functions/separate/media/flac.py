"""The headers of frames of FLAC, which number their samples: RFC 9639, 9.1."""

_BLOCKS = {1: 192} | {n: 144 << n for n in range(2, 6)} | {n: 1 << n for n in range(8, 16)}
_CRC_8 = 0x07


class FlacFrames:
    """Says of each frame of a stream at which sample it begins.

    In Ogg, FFmpeg counts frames from one page to the next, and is wrong behind a page that is lost.
    """

    def __init__(self) -> None:
        self._block = 0  # samples of each frame but the last, where frames are counted

    def begin_anew(self) -> None:
        """What comes is another stream."""
        self._block = 0

    def first_sample(self, frame: bytes) -> int | None:
        """Where a frame begins in its stream, in samples; None if its header is damaged."""
        if len(frame) < 6 or frame[0] != 0xFF or frame[1] & 0xFE != 0xF8:
            return None
        ones = 8 - (frame[4] ^ 0xFF).bit_length()
        end = 4 + max(1, ones)
        number = frame[4] & 0xFF >> ones + 1 if ones else frame[4]
        for byte in frame[5:end]:
            number = number << 6 | byte & 0x3F
        block_code, rate_code = frame[2] >> 4, frame[2] & 0xF
        block_end = end + {6: 1, 7: 2}.get(block_code, 0)
        block = _BLOCKS.get(block_code) or int.from_bytes(frame[end:block_end]) + 1
        header_end = block_end + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
        if ones in (1, 8) or _crc_8(frame[: header_end + 1]):
            return None
        self._block = max(self._block, block)
        return number if frame[1] & 1 else number * self._block


def _crc_8(data: bytes) -> int:
    """0 of bytes that end in their own."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ _CRC_8 if crc & 0x80 else crc << 1) & 0xFF
    return crc
