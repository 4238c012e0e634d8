"""Songs that are nothing but frames, MPEG audio and ADTS: where frames are, and what else is among them.

Such a file has no index and no time stamps, and FFmpeg passes over what is no frame without a word. Here each
frame is found by the length of the one before it. Where that leads to no other, or a header is damaged, the
next few are searched for that lead to each other.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from media.mpeg import Frame, read_frame

_MPEG = re.compile(rb"\xff(?=[\xe2-\xff][\x10-\xef])")
_ADTS = re.compile(rb"\xff(?=[\xf0\xf1\xf8\xf9])")
_HEAD = 7
_HEADERS = 64  # with side information
_SURE = 3  # so many headers that lead from one to the next are no chance
_CHUNK = 1 << 16
_MOST_TRIES = 1 << 20  # for headers
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")
_TAG_WITHIN = re.compile(rb"ID3[\2-\4]\0|APETAGEX")
_COUNTERS = (b"Xing", b"Info", b"VBRI")  # in a frame without sound
_SMALLEST = 16  # bytes of a frame
_MOST_AT_EDGES = 20  # frames; that a larger number of them fits is chance
_EVEN = 4  # bytes by which frames of one bit rate differ at most
_PADDING = b"\0\r\n\t "


class Gap(NamedTuple):
    """Bytes that are no whole frame: behind how many bytes of frames, and how many frames they were."""

    position: int
    bytes: int
    frames: int
    seconds: float  # of these frames
    is_known: bool  # to be a tag or padding


class Frames:
    """What a file's frames are, found by reading all of it once.

    Attributes
    ----------
    runs : list of (int, int)
        Where runs of frames begin and end in the file, with nothing between the frames of one.
    gaps : list of Gap
        What is before, between and behind the runs.
    seconds : float
        Of all frames.
    cut_seconds : float
        What the last frame lacks of its length; all of it of ADTS, where FFmpeg takes whole frames alone.
    """

    def __init__(self, file: BinaryIO, start: int, end: int, max_seconds: float, *, is_adts: bool) -> None:
        """Find the frames between `start` and `end`, as far as they are not longer than `max_seconds`."""
        self.runs: list[tuple[int, int]] = []
        self.seconds = 0.0
        self.cut_seconds = 0.0
        self._file, self._end = file, end
        self._pattern = _ADTS if is_adts else _MPEG
        self._kind: tuple[int, int] | None = None
        self._buffer, self._buffer_start = b"", 0
        self._tries = 0
        self._count, self._length, self._shortest, self._longest = 0, 0, end, 0
        self._walk(start, max_seconds)
        self.gaps = list(self._gaps(start, end)) if self.runs else []

    def _walk(self, position: int, max_seconds: float) -> None:
        if not (self._has_count(position) or self._leads_on(position, sure=2)):
            position = self._find(position)
        while position < self._end and self.seconds <= max_seconds:
            frame = self._frame(position)
            assert frame is not None
            behind = position + frame.bytes
            following = self._frame(behind)
            if behind >= self._end or (
                following and (following.kind == frame.kind or self._leads_on(behind))
            ):
                found = behind
            else:
                found = self._find(position + 1)
            is_parted = found > behind and _TAG_WITHIN.search(self._bytes(position, frame.bytes))
            if found >= behind and not is_parted:  # else bytes are missing from it
                self._add(position, frame)
            position = found

    def _add(self, position: int, frame: Frame) -> None:
        behind = min(position + frame.bytes, self._end)
        if self.runs and self.runs[-1][1] == position:
            self.runs[-1] = self.runs[-1][0], behind
        else:
            self.runs.append((position, behind))
        self._kind = frame.kind
        self._count, self._length = self._count + 1, self._length + frame.bytes
        if self._count > 1 or not self._has_count(position):
            self._shortest, self._longest = min(self._shortest, frame.bytes), max(self._longest, frame.bytes)
        self.seconds += frame.seconds
        there = (behind - position) / frame.bytes
        self.cut_seconds = frame.seconds * (1 - (int(there) if self._pattern is _ADTS else there))

    def _has_count(self, position: int) -> bool:
        return self._frame(position) is not None and _says_count(self._bytes(position, _HEADERS))

    def _leads_on(self, position: int, sure: int = _SURE) -> bool:
        """Whether there is a frame that leads to others, or to the end."""
        first, count = self._frame(position), 0
        frame = first
        while first and frame and frame.kind == first.kind:
            count, position = count + 1, position + frame.bytes
            if count == sure:
                return True
            if position == self._end:
                return count > 1 or frame.kind == self._kind
            frame = self._frame(position)
        return False

    def _find(self, position: int) -> int:
        """The next frame that leads on; the end if there is none."""
        while position < self._end:
            data = self._bytes(position, _CHUNK)
            for found in self._pattern.finditer(data):
                self._tries += 1
                if self._tries < _MOST_TRIES and self._leads_on(position + found.start()):
                    return position + found.start()
            position += max(1, len(data) - 2)  # a header may begin there
        return self._end

    def _gaps(self, start: int, end: int) -> Iterator[Gap]:
        position, last = 0, start
        for begin, behind in (*self.runs, (end, end)):
            if last < begin:
                frames = self._frames_in(last, begin, is_edge=last == start or begin == end)
                head = self._bytes(last, min(begin - last, _CHUNK))
                is_tag = begin - last < _SMALLEST or head.startswith(_TAGS)
                frames = 0 if is_tag else frames
                is_known = is_tag or not head.strip(_PADDING)
                yield Gap(position, begin - last, frames, frames * self.seconds / self._count, is_known)
            position, last = position + behind - begin, behind

    def _frames_in(self, start: int, end: int, *, is_edge: bool) -> int:
        tag = _TAG_WITHIN.search(self._bytes(start, min(end - start, _CHUNK)))
        size = tag.start() if tag else end - start
        usual = round(size * self._count / self._length)
        frame = self._frame(start)
        begins_well = frame is not None and frame.kind == self._kind
        fewest, most = -(-size // max(1, self._longest)), size // self._shortest
        frames = 0  # what begins with no frame, and is not as long as some, has been put there
        if fewest <= most:
            frames = min(max(usual, fewest), most)
        elif begins_well:  # bytes are missing from it
            frames = max(usual, 1)
        if is_edge:
            is_even = self._longest - self._shortest <= _EVEN
            likely = _MOST_AT_EDGES if is_even or begins_well else min(usual, 1)
            frames = frames if frames <= likely else 0
            frames -= bool(frames) and _says_count(self._bytes(start, _HEADERS))
        return frames

    def _frame(self, position: int) -> Frame | None:
        return read_frame(self._bytes(position, _HEAD)) if position < self._end else None

    def _bytes(self, position: int, count: int) -> bytes:
        count = min(count, self._end - position)
        at = position - self._buffer_start
        if not 0 <= at <= len(self._buffer) - count:
            self._file.seek(position)
            self._buffer, self._buffer_start, at = self._file.read(max(count, _CHUNK)), position, 0
        return self._buffer[at : at + count]


def _says_count(head: bytes) -> bool:
    return any(name in head for name in _COUNTERS)
