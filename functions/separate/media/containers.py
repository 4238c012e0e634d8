"""What a file's own headers promise, read before it is decoded: where does it end, and how long is it?

FFmpeg decodes a cut file as far as it goes and says nothing; so the sizes that containers record are compared
with the bytes present. A format that records none (MP3 or AAC frames without a header, streamed WAV) promises
nothing. What lies behind the sound (an index for seeking, covers, tags, a camera's own blocks) is none of it.
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from media.errors import TruncatedError
from media.mpeg import read_header

_UNKNOWN_32 = (
    0x7FFF_0000  # streaming writers put 0 or one of several values near 2^31 or 2^32 for "not known yet"
)
_UNKNOWN_64 = 1 << 62
CUT = "The file ends too early: before its sound, or amid what says where that is. Send the whole file again."
_OGG_PAGE_BYTES = 65_307  # the largest page
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_TAGS = (b"ID3", b"APETAGEX")
_MOST_PADDING = 1 << 16
_PADDING = re.compile(rb"[\0\s\xef\xbb\xbf]*")


@dataclass(frozen=True)
class Promise:
    """How much audio the headers promise.

    Attributes
    ----------
    start : int or None
        Where the sound begins in the file, if it is one piece.
    bytes, missing_bytes : int
        How many bytes the sound has, by the container, and how many of them are beyond the end of the file.
    samples : int or None
        Samples per channel, where the format records them and FFmpeg does not check (FLAC).
    frames : int or None
        Frames of the codec, for MP3 with a Xing or VBRI header.
    frame_seconds : float
        What each of `frames` lasts.
    position : int or None
        Where the sound ends, in Ogg's units, of a file that ends amid a page, or in one that is damaged.
    is_end_damaged : bool
        Whether that page is there.
    """

    start: int | None = None
    bytes: int = 0
    missing_bytes: int = 0
    samples: int | None = None
    frames: int | None = None
    frame_seconds: float = 0.0
    position: int | None = None
    is_end_damaged: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether the file ends where it should not."""
        return bool(self.missing_bytes) or (self.position is not None and not self.is_end_damaged)

    @property
    def seconds(self) -> float | None:
        """What `frames` last."""
        return self.frames * self.frame_seconds if self.frames is not None else None


def read_promise(file: BinaryIO, start: int, size: int) -> Promise:
    """Check the structure of a media file, which begins at `start` and ends at `size`, and read its promise.

    Raises
    ------
    TruncatedError
        If the file ends before its sound begins, or what says where that is.
    """
    head = _read(file, start, 16)
    for matches, check in _CHECKS:
        if matches(head):
            return check(file, start, size)
    return Promise()


def behind_padding(file: BinaryIO, start: int) -> int:
    """Where the media begins, behind zeros, line breaks and the like that no tag counts."""
    head = _read(file, start, _MOST_PADDING)
    padding = _PADDING.match(head)
    end = padding.end() if padding else 0
    # The size that begins a box of MP4 may have begun with zeros, too.
    for first in (0, *range(max(0, end - 4), end + 1)):
        begin = head[first : first + 16]
        if begin.startswith(_TAGS) or any(matches(begin) for matches, _ in _CHECKS):
            return int(start + first)
    return start


def window(file: BinaryIO, start: int, end: int, size: int, *, id3_end: int) -> tuple[int, int]:
    """What FFmpeg is to read of a file whose media is from `start` to `end`, between tags.

    It knows ID3 tags around formats that are nothing but frames, and takes title and artist from them. Other
    tags it takes for damage, or for sound.

    Parameters
    ----------
    id3_end : int
        Where the ID3v2 tags end that the file begins with.
    """
    head = _read(file, start, 16)
    check = next((check for matches, check in _CHECKS if matches(head)), _check_mp3)
    is_bare = check in (_check_mp3, _check_flac)
    return 0 if is_bare and start == id3_end else start, size if check is _check_mp3 else end


def truncated(there: float, promised: float) -> TruncatedError:
    """The error of a file that has so many of so many seconds."""
    return TruncatedError(
        f"The file ends too early: it has {there:.2f} s of {promised:.2f} s. Send the whole file again."
    )


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _require(complete: bool) -> None:
    if not complete:
        raise TruncatedError(CUT)


def require_bytes(promised: int, size: int) -> None:
    """Refuse a file of fewer bytes than what says where its sound is should have."""
    if promised > size:
        raise TruncatedError(
            f"The file ends too early: it has {size:,} bytes of at least {promised:,}. "
            "Send the whole file again."
        )


def _of_bytes(start: int, length: int, size: int) -> Promise:
    """Sound that begins at `start`, and should be so long."""
    return Promise(start=start, bytes=length, missing_bytes=max(0, start + length - size))


def _check_riff(file: BinaryIO, offset: int, size: int) -> Promise:
    """WAV, and RF64 with its 64-bit sizes."""
    position, long_size = offset + 12, None
    while True:
        header = _read(file, position, 8)
        _require(len(header) == 8)
        name, length = header[:4], struct.unpack("<I", header[4:])[0]
        if name == b"ds64":
            long_size = struct.unpack("<Q", _read(file, position + 16, 8).ljust(8, b"\0"))[0]
        if name == b"data":
            if length == 0xFFFF_FFFF and long_size:
                length = long_size
            elif length >= _UNKNOWN_32 or length == 0:
                return Promise()
            return _of_bytes(position + 8, length, size)
        position += 8 + length + length % 2


def _check_aiff(file: BinaryIO, offset: int, size: int) -> Promise:
    position = offset + 12
    while True:
        header = _read(file, position, 8)
        _require(len(header) == 8)
        length = struct.unpack(">I", header[4:])[0]
        if header[:4] == b"SSND":
            return Promise() if length >= _UNKNOWN_32 else _of_bytes(position + 8, length, size)
        position += 8 + length + length % 2


def _check_caf(file: BinaryIO, offset: int, size: int) -> Promise:
    position = offset + 8
    while True:
        header = _read(file, position, 12)
        _require(len(header) == 12)
        length = struct.unpack(">q", header[4:])[0]
        if length < 0:  # up to the end of the file
            return Promise()
        if header[:4] == b"data":
            return _of_bytes(position + 12, length, size)
        position += 12 + length
        require_bytes(position, size)


def _check_w64(file: BinaryIO, offset: int, size: int) -> Promise:
    position = offset + 40
    while True:
        header = _read(file, position, 24)
        _require(len(header) == 24)
        length = struct.unpack("<Q", header[16:])[0]
        if header[:4] == b"data":
            known = 24 < length < _UNKNOWN_64
            return _of_bytes(position + 24, length - 24, size) if known else Promise()
        _require(length >= 24)
        position += (length + 7) // 8 * 8
        require_bytes(position, size)


def _check_flac(file: BinaryIO, offset: int, size: int) -> Promise:
    position, samples = offset + 4, 0
    while True:
        header = _read(file, position, 22)
        _require(len(header) >= 4)
        if header[0] & 0x7F == 0:  # STREAMINFO: 36 bits of total samples end 18 bytes in
            _require(len(header) == 22)
            samples = int.from_bytes(header[17:22]) & 0xF_FFFF_FFFF
        position += 4 + int.from_bytes(header[1:4])
        require_bytes(position, size)
        if header[0] & 0x80:
            return Promise(samples=samples or None)


def _check_ogg(file: BinaryIO, offset: int, size: int) -> Promise:
    """Look at the last page; the pages before it are FFmpeg's to check."""
    start = max(offset, size - _OGG_PAGE_BYTES - 4)
    tail = _read(file, start, size - start)
    page = tail.rfind(b"OggS")
    if page < 0:  # so much is behind it that is no page
        return Promise()
    _require(len(tail) >= page + 27)
    segments = tail[page + 27 : page + 27 + tail[page + 26]]
    end = page + 27 + tail[page + 26] + sum(segments)
    position = int.from_bytes(tail[page + 6 : page + 14], "little", signed=True)
    if len(segments) < tail[page + 26] or end > len(tail):
        _require(position >= 0)
        return Promise(position=position)
    if position >= 0 and not _is_page_whole(tail[page:end]):
        return Promise(position=position, is_end_damaged=True)
    rest = tail[end:]
    _require(not rest or not b"OggS".startswith(rest))
    return Promise()


def _is_page_whole(page: bytes) -> bool:
    """Whether a page of Ogg has its checksum, zlib's but for the order of bits."""
    bare = page[:22] + bytes(4) + page[26:]
    crc = zlib.crc32(bare.translate(_MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return page[22:26] == crc.to_bytes(4).translate(_MIRRORED)


# Where sound is, and that more of it comes.
_MP4_INDICES = (b"moov", b"meta", b"moof", b"sidx", b"styp")


def _check_mp4(file: BinaryIO, offset: int, size: int) -> Promise:
    position, has_index, media = offset, False, 0
    while position + 8 <= size:
        header = _read(file, position, 16)
        length, name = struct.unpack(">I4s", header[:8])
        head = 8
        if length == 1 and len(header) == 16:
            length, head = struct.unpack(">Q", header[8:])[0], 16
        if length == 0 and name == b"mdat":  # up to the end of the file
            break
        if length < head:  # no box: padding, or what is not of this format
            break
        end = position + length
        if name == b"mdat":
            media += length - head
            if end > size and has_index:
                return Promise(bytes=media, missing_bytes=end - size)
            require_bytes(end, size)
        elif name in _MP4_INDICES:
            if end > size and name == b"moov":  # which may be enough of it
                return Promise(bytes=end - offset, missing_bytes=end - size)
            require_bytes(end, size)
            has_index = has_index or name in (b"moov", b"meta")  # "meta" makes it a picture
        position = end
    _require(has_index)
    return Promise()


_EBML_SEGMENT, _EBML_CLUSTER = 0x18538067, 0x1F43B675
_EBML_BLOCKS = (0xA0, 0xA3)


def _check_matroska(file: BinaryIO, offset: int, size: int) -> Promise:
    """Walk to the end, or to the element that is cut, and into the segment and clusters on the way there."""
    position, sound, is_inside = offset, 0, False
    while position < size:
        header = _read(file, position, 12)
        name, name_bytes = _ebml_number(header, keep_marker=True)
        length, length_bytes = _ebml_number(header[name_bytes:], keep_marker=False)
        position += name_bytes + length_bytes
        if not (name_bytes and length_bytes):
            break
        is_unknown = length == (1 << 7 * length_bytes) - 1
        end = position + length
        is_inside = is_inside or (name == _EBML_SEGMENT and (is_unknown or end > size))
        if name in (_EBML_SEGMENT, _EBML_CLUSTER):
            sound = sound or position
            if is_unknown or (name == _EBML_SEGMENT and end > size):
                continue
        if is_inside and end > size and name in (_EBML_CLUSTER, *_EBML_BLOCKS):
            return Promise(bytes=end - sound, missing_bytes=end - size)
        if end > size:
            break
        position = end
    _require(bool(sound))
    return Promise()


def _ebml_number(data: bytes, *, keep_marker: bool) -> tuple[int, int]:
    """A number and how many bytes it took, which is 0 if it is cut."""
    if not data or not data[0]:
        return 0, 0
    count = 9 - data[0].bit_length()
    if len(data) < count:
        return 0, 0
    value = int.from_bytes(data[:count])
    return (value if keep_marker else value & ((1 << 7 * count) - 1)), count


def _check_mp3(file: BinaryIO, offset: int, size: int) -> Promise:
    data = _read(file, offset, 256)
    header = read_header(data)
    if header is None:
        return Promise()
    xing = data[4 + header.side_info_bytes :]
    frames = 0
    if xing[:4] in (b"Xing", b"Info") and len(xing) >= 12 and xing[7] & 1:
        frames = struct.unpack(">I", xing[8:12])[0]
    vbri = data[36:]
    if vbri[:4] == b"VBRI" and len(vbri) >= 18:
        frames = struct.unpack(">I", vbri[14:18])[0]
    if not frames:
        return Promise()
    return Promise(frames=frames, frame_seconds=header.samples / header.sample_rate)


_CHECKS: list[tuple[Callable[[bytes], bool], Callable[[BinaryIO, int, int], Promise]]] = [
    (lambda head: head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE", _check_riff),
    (lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"), _check_aiff),
    (lambda head: head[:4] == b"caff", _check_caf),
    (lambda head: head[:16] == b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", _check_w64),
    (lambda head: head[:4] == b"fLaC", _check_flac),
    (lambda head: head[:4] == b"OggS", _check_ogg),
    (lambda head: head[4:8] in (b"moov", b"mdat"), _check_mp4),
    (lambda head: head[:2] == b"\0\0" and head[4:8] in (b"ftyp", b"wide", b"free", b"skip"), _check_mp4),
    (lambda head: head[:4] == b"\x1a\x45\xdf\xa3", _check_matroska),
    (lambda head: len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0, _check_mp3),
]
