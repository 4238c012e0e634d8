"""What lies around the media in a file: tags that programs put before or behind anything."""

import io
from bisect import bisect_right
from itertools import accumulate
from typing import BinaryIO

_ID3V1_BYTES, _APE_BYTES = 128, 32
_APE_HAS_HEADER = 1 << 31
_MOST_TAGS = 1_000


def front(file: BinaryIO, size: int, start: int = 0) -> int:
    """Where the media begins, behind ID3 and APE tags at `start`; beyond `size` if a tag says so."""
    offset = start
    while offset < size:
        tag = _read(file, offset, _APE_BYTES)
        if tag[:3] == b"ID3":
            end = id3v2_end(file, size, offset)
            if end == offset:
                break
            offset = end
        elif tag[:8] == b"APETAGEX" and len(tag) == _APE_BYTES:
            offset += _APE_BYTES + int.from_bytes(tag[12:16], "little")
        elif tag[:3] == b"TAG" and offset + _ID3V1_BYTES < size:
            offset += _ID3V1_BYTES
        else:
            break
    return offset


def id3v2_end(file: BinaryIO, size: int, start: int = 0) -> int:
    """Where the ID3v2 tags end that are at `start`, one behind the other."""
    while start < size:
        tag = _read(file, start, 10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            break
        length = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
        start += 10 + length + (10 if tag[5] & 0x10 else 0)
    return start


def back(file: BinaryIO, start: int, size: int) -> int:
    """Where the media ends at the latest, before ID3v1, APE and Lyrics3 tags."""
    end = size
    for _ in range(_MOST_TAGS):
        length = _tag_before(file, end)
        if not length or end - length <= start:
            break
        end -= length
    return end


def _tag_before(file: BinaryIO, end: int) -> int:
    """Bytes of the tag that ends there; 0 if there is none."""
    if end >= _ID3V1_BYTES and _read(file, end - _ID3V1_BYTES, 3) == b"TAG":
        return _ID3V1_BYTES
    footer = _read(file, max(0, end - _APE_BYTES), min(end, _APE_BYTES))
    if footer[:8] == b"APETAGEX":
        flags = int.from_bytes(footer[20:24], "little")
        return int.from_bytes(footer[12:16], "little") + (_APE_BYTES if flags & _APE_HAS_HEADER else 0)
    if footer[-9:] == b"LYRICS200" and footer[-15:-9].isdigit():
        return int(footer[-15:-9]) + 15
    if footer[-10:-7] == b"3DI":
        length = footer[-4] << 21 | footer[-3] << 14 | footer[-2] << 7 | footer[-1]
        return length + 20
    return 0


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


class Window:
    """Parts of a file, one behind the other, as a file to read.

    Parameters
    ----------
    parts : (int, int)
        Where each begins and ends. None is empty.
    """

    def __init__(self, file: BinaryIO, *parts: tuple[int, int]) -> None:
        self._file = file
        self._parts = parts
        # Where each part begins in here.
        self._begins = list(accumulate((end - start for start, end in parts), initial=0))
        self._length = self._begins.pop()
        self._position = 0

    def read(self, count: int) -> bytes:
        data = self.peek(self._position, count)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            offset += self._length
        # Not beyond the end: a size that is none may be more than a file can have.
        self._position = min(max(offset, 0), self._length)
        return self._position

    def tell(self) -> int:
        return self._position

    def peek(self, position: int, count: int) -> bytes:
        """Read elsewhere; where this is stays."""
        data = b""
        while count > len(data) and position < self._length:
            number = bisect_right(self._begins, position) - 1
            start, end = self._parts[number]
            start += position - self._begins[number]
            read = _read(self._file, start, min(count - len(data), end - start))
            if not read:
                break
            data, position = data + read, position + len(read)
        return data
