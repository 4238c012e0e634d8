"""Containers of media, byte by byte, with whatever in their headers: chunks, boxes, pages, elements."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path


def wav(
    samples: bytes,
    *,
    tag: int = 1,
    channels: int = 2,
    rate: int = 44_100,
    bits: int = 16,
    align: int | None = None,
    size: int | None = None,
    before_data: bytes = b"",
    more_format: bytes = b"",
) -> bytes:
    """A WAV file with any header; `size` is what it says of its samples."""
    align = channels * bits // 8 & 0xFFFF if align is None else align
    rate_bytes = rate * align & 0xFFFF_FFFF
    header = struct.pack("<HHIIHH", tag, channels, rate, rate_bytes, align, bits) + more_format
    length = len(samples) if size is None else size
    body = b"WAVE" + chunk(b"fmt ", header) + before_data + b"data" + struct.pack("<I", length) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of WAV."""
    return name + struct.pack("<I", len(data)) + data


def box(name: bytes, *content: bytes) -> bytes:
    """A box of MP4."""
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), name) + data


def full_box(name: bytes, *content: bytes, flags: int = 0) -> bytes:
    """A box of MP4 with a version, which is 0, and flags."""
    return box(name, struct.pack(">I", flags), *content)


def mov(
    samples: bytes,
    *,
    count: int,
    codec: bytes = b"sowt",
    handler: bytes = b"soun",
    scale: int = 44_100,
    reference: bytes | None = None,
    user_data: bytes = b"",
) -> bytes:
    """A QuickTime file of 16-bit stereo, which says that it has `count` samples; where they are, `reference`
    says, a box of the data references."""
    reference = reference or full_box(b"url ", flags=1)
    entry = box(codec, bytes(6), struct.pack(">HHHIHHHHI", 1, 0, 0, 0, 2, 16, 0, 0, 44_100 << 16))
    head = box(b"ftyp", b"qt  \0\0\0\0qt  ")

    def index(position: int) -> bytes:
        table = box(
            b"stbl",
            full_box(b"stsd", struct.pack(">I", 1), entry),
            full_box(b"stts", struct.pack(">III", 1, count, 1)),
            full_box(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
            full_box(b"stsz", struct.pack(">II", 4, count)),
            full_box(b"stco", struct.pack(">II", 1, position)),
        )
        sources = box(b"dinf", full_box(b"dref", struct.pack(">I", 1), reference))
        media = box(
            b"mdia",
            full_box(b"mdhd", struct.pack(">IIIIHH", 0, 0, scale, count, 0, 0)),
            full_box(b"hdlr", b"mhlr", handler, bytes(13)),
            box(b"minf", full_box(b"smhd", bytes(4)), sources, table),
        )
        track = box(b"trak", full_box(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, count), bytes(60)), media)
        movie = full_box(b"mvhd", struct.pack(">IIII", 0, 0, 1000, 1000), bytes(80))
        return box(b"moov", movie, track, user_data)

    return head + index(len(head) + len(index(0)) + 8) + box(b"mdat", samples)


def url_box(address: str) -> bytes:
    """A data reference by address."""
    return full_box(b"url ", address.encode() + b"\0")


def alias_box(path: str) -> bytes:
    """An alias of the Macintosh, whose record of type 18 has the path; see FFmpeg's mov_read_dref."""
    name = Path(path).name.encode()[:63]
    record = struct.pack(">hh", 18, len(path)) + path.encode() + b"\0" * (len(path) % 2)
    record += struct.pack(">hh", 2, len(path)) + path.encode() + b"\0" * (len(path) % 2)
    fixed = bytes(10) + bytes([1]) + b"v".ljust(27, b"\0") + bytes(12) + bytes([len(name)])
    fixed += name.ljust(63, b"\0") + bytes(16) + struct.pack(">hh", -1, -1) + bytes(16)
    return full_box(b"alis", fixed + record + struct.pack(">hh", -1, 0))


def syncsafe(number: int) -> bytes:
    """A number as ID3 writes it: seven bits in each of four bytes."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3(frames: Iterable[tuple[bytes, bytes]]) -> bytes:
    """An ID3v2.4 tag."""
    data = b"".join(name + syncsafe(len(body)) + b"\0\0" + body for name, body in frames)
    return b"ID3\x04\0\0" + syncsafe(len(data)) + data


def id3_cover(picture: bytes, mime: bytes = b"image/jpeg") -> tuple[bytes, bytes]:
    """A frame of ID3 with a picture."""
    return b"APIC", b"\0" + mime + b"\0\3\0" + picture


def flac_block(flac: bytes, kind: int, data: bytes) -> bytes:
    """Put a block of metadata after STREAMINFO, which ends 42 bytes in."""
    return flac[:42] + bytes([kind]) + len(data).to_bytes(3) + data + flac[42:]


def flac_of(flac: bytes, samples: int) -> bytes:
    """Have STREAMINFO say so many samples."""
    total = (flac[21] & 0xF0) << 32 | samples
    return flac[:21] + total.to_bytes(5) + flac[26:]


def flac_picture(picture: bytes, mime: bytes) -> bytes:
    """What a block of FLAC has of a picture, block type 6."""
    head = struct.pack(">II", 3, len(mime)) + mime
    return head + struct.pack(">IIIIII", 0, 16, 16, 24, 0, len(picture)) + picture


@cache
def _silence(seconds: int) -> bytes:
    """Frames of FLAC, mono: 14 bytes for each second and a half."""
    frames = []
    for number in range(seconds * 44_100 // 65_535):
        header = b"\xff\xf8\x70\x02" + chr(number).encode(errors="surrogatepass") + b"\xff\xfe"
        frame = header + bytes([crc_of(header, 0x07, 8)]) + b"\0\0"
        frames.append(frame + struct.pack(">H", crc_of(frame, 0x8005, 16)))
    return b"".join(frames)


def flac_of_silence(seconds: int, *, says_samples: int) -> bytes:
    """A FLAC file, whatever its header says of it."""
    info = struct.pack(">HH", 65_535, 65_535) + bytes(6)
    info += (44_100 << 44 | 7 << 36 | says_samples).to_bytes(8) + bytes(16)
    return b"fLaC\x80" + len(info).to_bytes(3) + info + _silence(seconds)


def crc_of(data: bytes, polynomial: int, bits: int) -> int:
    table, crc = _crc_table(polynomial, bits), 0
    for byte in data:
        crc = (crc << 8 ^ table[crc >> bits - 8 ^ byte]) & (1 << bits) - 1
    return crc


@cache
def _crc_table(polynomial: int, bits: int) -> list[int]:
    table = []
    for crc in range(256):
        crc <<= bits - 8
        for _ in range(8):
            crc = crc << 1 ^ polynomial if crc >> bits - 1 & 1 else crc << 1
        table.append(crc & (1 << bits) - 1)
    return table


def vorbis_comments(count: int) -> bytes:
    """So many comments, as FLAC and Ogg have them."""
    fields = (b"K%d=v" % number for number in range(count))
    comments = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return struct.pack("<I", 1) + b"x" + struct.pack("<I", count) + comments


def ogg_pages(ogg: bytes) -> list[bytes]:
    """A file of Ogg, page by page."""
    pages = []
    while ogg:
        end = 27 + ogg[26] + sum(ogg[27 : 27 + ogg[26]])
        pages.append(ogg[:end])
        ogg = ogg[end:]
    return pages


def ogg_page(page: bytes, *, position: int | None = None) -> bytes:
    """A page with its checksum mended, and perhaps moved in time."""
    if position is not None:
        page = page[:6] + struct.pack("<q", position) + page[14:]
    page = page[:22] + bytes(4) + page[26:]
    return page[:22] + struct.pack("<I", crc_of(page, 0x04C1_1DB7, 32)) + page[26:]


def ogg_packet(packet: bytes, serial: bytes) -> bytes:
    """A packet on as many pages as it takes."""
    laces = [255] * (len(packet) // 255) + [len(packet) % 255]
    pages, taken = [], 0
    for number, first in enumerate(range(0, len(laces), 255)):
        part = laces[first : first + 255]
        position = -1 if first + 255 < len(laces) else 0
        head = b"OggS\0" + bytes([bool(number)]) + struct.pack("<q", position) + serial
        head += struct.pack("<II", number + 1, 0) + bytes([len(part)]) + bytes(part)
        pages.append(ogg_page(head + packet[taken : taken + sum(part)]))
        taken += sum(part)
    return b"".join(pages)


def element(name: str, *content: bytes) -> bytes:
    """An element of Matroska, its length in eight bytes."""
    data = b"".join(content)
    return bytes.fromhex(name) + (1 << 56 | len(data)).to_bytes(8) + data


def number(value: int) -> bytes:
    """A number as Matroska has it."""
    return value.to_bytes(max(1, -(-value.bit_length() // 8)))


def matroska_of(blocks: Iterable[tuple[int, bytes]], seconds: float | None = None) -> bytes:
    """Matroska of 16-bit stereo, each block with the time in milliseconds that it says it has."""
    head = element("1A45DFA3", element("4282", b"matroska"))
    info = element("2AD7B1", number(1_000_000))
    if seconds is not None:
        info += element("4489", struct.pack(">d", 1_000 * seconds))
    audio = element(
        "E1", element("B5", struct.pack(">d", 44_100)), element("9F", b"\2"), element("6264", b"\x10")
    )
    track = element("AE", element("D7", b"\1"), element("73C5", b"\1"), element("83", b"\2"))
    track = element("AE", track[9:], element("86", b"A_PCM/INT/LIT"), audio)
    clusters = (
        element("1F43B675", element("E7", number(time)), element("A3", b"\x81\0\0\x80" + data))
        for time, data in blocks
    )
    return head + element("18538067", element("1549A966", info), element("1654AE6B", track), *clusters)


def into_segment(matroska: bytes, added: bytes) -> bytes:
    """Put an element first in the segment."""
    start = matroska.index(bytes.fromhex("18538067")) + 4
    content = start + 9 - matroska[start].bit_length()
    return matroska[: start - 4] + element("18538067", added, matroska[content:])


@cache
def png(width: int, height: int) -> bytes:
    """A black picture: a thousandth of its size in memory."""

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(height)) + packer.flush()
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", size) + part(b"IDAT", rows) + part(b"IEND", b"")


def zip_of(size: int) -> bytes:
    """An archive of one file of zeros, of so many bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.wav", bytes(size))
    return packed.getvalue()
