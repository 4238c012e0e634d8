"""Files that no honest song is, made on the spot, each with the outcomes that are right for it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.unit.media.songs import KINDS, Samples, noise, write, write_video

STEMS = "stems"
NO_MEDIA, CORRUPT, TOO_LONG, EMPTY = "unsupported_media", "corrupt_media", "too_long", "empty_file"
MAX_SONG_SECONDS = 600
TAGS = 150_000  # quadratic in FFmpeg: minutes


class Case(NamedTuple):
    """A file, and how it may end: with `STEMS`, or in one of these error codes."""

    data: bytes
    ends: tuple[str, ...]


# ---- chunks, boxes, pages, elements -----------------------------------------------------------


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
    body = b"WAVE" + _chunk(b"fmt ", header) + before_data + b"data" + struct.pack("<I", length) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data


def box(name: bytes, *content: bytes) -> bytes:
    """A box of MP4."""
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), name) + data


def _full_box(name: bytes, *content: bytes, flags: int = 0) -> bytes:
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
    reference = reference or _full_box(b"url ", flags=1)
    entry = box(codec, bytes(6), struct.pack(">HHHIHHHHI", 1, 0, 0, 0, 2, 16, 0, 0, 44_100 << 16))
    head = box(b"ftyp", b"qt  \0\0\0\0qt  ")

    def index(position: int) -> bytes:
        table = box(
            b"stbl",
            _full_box(b"stsd", struct.pack(">I", 1), entry),
            _full_box(b"stts", struct.pack(">III", 1, count, 1)),
            _full_box(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
            _full_box(b"stsz", struct.pack(">II", 4, count)),
            _full_box(b"stco", struct.pack(">II", 1, position)),
        )
        sources = box(b"dinf", _full_box(b"dref", struct.pack(">I", 1), reference))
        media = box(
            b"mdia",
            _full_box(b"mdhd", struct.pack(">IIIIHH", 0, 0, scale, count, 0, 0)),
            _full_box(b"hdlr", b"mhlr", handler, bytes(13)),
            box(b"minf", _full_box(b"smhd", bytes(4)), sources, table),
        )
        track = box(b"trak", _full_box(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, count), bytes(60)), media)
        movie = _full_box(b"mvhd", struct.pack(">IIII", 0, 0, 1000, 1000), bytes(80))
        return box(b"moov", movie, track, user_data)

    return head + index(len(head) + len(index(0)) + 8) + box(b"mdat", samples)


def _url(address: str) -> bytes:
    return _full_box(b"url ", address.encode() + b"\0")


def _alias(path: str) -> bytes:
    """An alias of the Macintosh, whose record of type 18 has the path; see FFmpeg's mov_read_dref."""
    name = Path(path).name.encode()[:63]
    record = struct.pack(">hh", 18, len(path)) + path.encode() + b"\0" * (len(path) % 2)
    record += struct.pack(">hh", 2, len(path)) + path.encode() + b"\0" * (len(path) % 2)
    fixed = bytes(10) + bytes([1]) + b"v".ljust(27, b"\0") + bytes(12) + bytes([len(name)])
    fixed += name.ljust(63, b"\0") + bytes(16) + struct.pack(">hh", -1, -1) + bytes(16)
    return _full_box(b"alis", fixed + record + struct.pack(">hh", -1, 0))


def _syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3(frames: Iterable[tuple[bytes, bytes]]) -> bytes:
    """An ID3v2.4 tag."""
    data = b"".join(name + _syncsafe(len(body)) + b"\0\0" + body for name, body in frames)
    return b"ID3\x04\0\0" + _syncsafe(len(data)) + data


def _cover(picture: bytes, mime: bytes = b"image/jpeg") -> tuple[bytes, bytes]:
    return b"APIC", b"\0" + mime + b"\0\3\0" + picture


def _flac_block(flac: bytes, kind: int, data: bytes) -> bytes:
    """Put a block of metadata after STREAMINFO, which ends 42 bytes in."""
    return flac[:42] + bytes([kind]) + len(data).to_bytes(3) + data + flac[42:]


def _flac_of(flac: bytes, samples: int) -> bytes:
    """Have STREAMINFO say so many samples."""
    total = (flac[21] & 0xF0) << 32 | samples
    return flac[:21] + total.to_bytes(5) + flac[26:]


def _flac_picture(picture: bytes, mime: bytes) -> bytes:
    head = struct.pack(">II", 3, len(mime)) + mime
    return head + struct.pack(">IIIIII", 0, 16, 16, 24, 0, len(picture)) + picture


@cache
def _silence(seconds: int) -> bytes:
    """Frames of FLAC, mono: 14 bytes for each second and a half."""
    frames = []
    for number in range(seconds * 44_100 // 65_535):
        header = b"\xff\xf8\x70\x02" + chr(number).encode(errors="surrogatepass") + b"\xff\xfe"
        frame = header + bytes([_crc(header, 0x07, 8)]) + b"\0\0"
        frames.append(frame + struct.pack(">H", _crc(frame, 0x8005, 16)))
    return b"".join(frames)


def flac_of_silence(seconds: int, *, says_samples: int) -> bytes:
    """A FLAC file, whatever its header says of it."""
    info = struct.pack(">HH", 65_535, 65_535) + bytes(6)
    info += (44_100 << 44 | 7 << 36 | says_samples).to_bytes(8) + bytes(16)
    return b"fLaC\x80" + len(info).to_bytes(3) + info + _silence(seconds)


def _crc(data: bytes, polynomial: int, bits: int) -> int:
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


def _vorbis_comments(count: int) -> bytes:
    fields = (b"K%d=v" % number for number in range(count))
    comments = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return struct.pack("<I", 1) + b"x" + struct.pack("<I", count) + comments


def _ogg_pages(ogg: bytes) -> list[bytes]:
    pages = []
    while ogg:
        end = 27 + ogg[26] + sum(ogg[27 : 27 + ogg[26]])
        pages.append(ogg[:end])
        ogg = ogg[end:]
    return pages


def _ogg_page(page: bytes, *, position: int | None = None) -> bytes:
    """A page with its checksum mended, and perhaps moved in time."""
    if position is not None:
        page = page[:6] + struct.pack("<q", position) + page[14:]
    page = page[:22] + bytes(4) + page[26:]
    return page[:22] + struct.pack("<I", _crc(page, 0x04C1_1DB7, 32)) + page[26:]


def _ogg_packet(packet: bytes, serial: bytes) -> bytes:
    """A packet on as many pages as it takes."""
    laces = [255] * (len(packet) // 255) + [len(packet) % 255]
    pages, taken = [], 0
    for number, first in enumerate(range(0, len(laces), 255)):
        part = laces[first : first + 255]
        position = -1 if first + 255 < len(laces) else 0
        head = b"OggS\0" + bytes([bool(number)]) + struct.pack("<q", position) + serial
        head += struct.pack("<II", number + 1, 0) + bytes([len(part)]) + bytes(part)
        pages.append(_ogg_page(head + packet[taken : taken + sum(part)]))
        taken += sum(part)
    return b"".join(pages)


def _element(name: str, *content: bytes) -> bytes:
    """An element of Matroska, its length in eight bytes."""
    data = b"".join(content)
    return bytes.fromhex(name) + (1 << 56 | len(data)).to_bytes(8) + data


def _into_segment(matroska: bytes, element: bytes) -> bytes:
    """Put an element first in the segment."""
    start = matroska.index(bytes.fromhex("18538067")) + 4
    content = start + 9 - matroska[start].bit_length()
    return matroska[: start - 4] + _element("18538067", element, matroska[content:])


@cache
def png(width: int, height: int) -> bytes:
    """A black picture: a thousandth of its size in memory."""

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(height)) + packer.flush()
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", size) + part(b"IDAT", rows) + part(b"IEND", b"")


def _zip(size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.wav", bytes(size))
    return packed.getvalue()


# ---- the corpus -------------------------------------------------------------------------------


class Songs:
    """Honest songs of two seconds, in the containers that the corpus abuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pcm = (noise(1).T * 32_767).astype("<i2").tobytes()

    def __getitem__(self, name: str) -> bytes:
        return self.of(name, noise(2, sample_rate=KINDS[name].sample_rate))

    def of(self, name: str, samples: Samples, sample_rate: int | None = None) -> bytes:
        kind = KINDS[name]
        kind = kind._replace(sample_rate=sample_rate or kind.sample_rate)
        return write(self._folder / f"made.{kind.ending}", samples, kind).read_bytes()

    def film(self, ending: str) -> bytes:
        return write_video(self._folder / f"film.{ending}").read_bytes()


def no_media(songs: Songs) -> dict[str, Case]:
    """What is no song, whatever its name says."""
    gif = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff"
    gif += 3 * b"!\xf9\4\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0" + b";"
    files = {
        "one byte": b"\0",
        "text": b"Dear all, please find attached\n" * 200,
        "web page": b"<!doctype html><title>404</title><p>Not found.\n" * 50,
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\n" * 50,
        "zip": _zip(1_000),
        "zip bomb": _zip(30_000_000),
        "png": png(16, 16),
        "png bomb": png(12_000, 12_000),
        "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
        + b"\xff\xdb\0\x43"
        + bytes(4_000)
        + b"\xff\xd9",
        "animated gif": gif,
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>" * 20,
        "program": b"\x7fELF\2\1\1" + bytes(5_000),
        "zeros": bytes(100_000),
    }
    cases = {name: Case(data, (NO_MEDIA, CORRUPT)) for name, data in files.items()}
    cases["film without sound"] = Case(songs.film("mp4"), ("no_audio",))
    return cases


def headers_that_lie(songs: Songs) -> dict[str, Case]:
    """Formats at and beyond the edge of what there is."""
    pcm = songs.pcm
    cases = {
        f"wav of {rate} Hz": Case(wav(pcm, rate=rate), ends)
        for rate, ends in {
            0: (NO_MEDIA,),
            1: (TOO_LONG,),
            8: (TOO_LONG,),
            384_000: (STEMS,),
            44_089: (STEMS,),
            100_000_000: (NO_MEDIA,),
            0x7FFF_FFFF: (NO_MEDIA,),
            0xFFFF_FFFF: (NO_MEDIA,),
        }.items()
    }
    cases["wav of 8 Hz, short"] = Case(wav(pcm[:8_000], rate=8), (NO_MEDIA,))
    cases |= {
        f"wav of {channels} channels": Case(wav(pcm * 2, channels=channels), ends)
        for channels, ends in {
            0: (CORRUPT,),
            3: (STEMS,),
            8: (STEMS,),
            64: (NO_MEDIA,),
            65_535: (NO_MEDIA, CORRUPT),
        }.items()
    }
    # 1 to 7 bits lie in a byte each.
    cases |= {
        f"wav of {bits} bits": Case(wav(pcm, channels=1, bits=bits, align=-(-bits // 8) & 0xFFFF), ends)
        for bits, ends in {
            0: (NO_MEDIA,),
            1: (STEMS,),
            3: (STEMS,),
            8: (STEMS,),
            12: (STEMS,),
            20: (STEMS,),
            65_535: (NO_MEDIA,),
        }.items()
    }
    cases |= {
        f"wav with frames of {align} bytes": Case(wav(pcm, align=align), (STEMS,)) for align in (0, 1, 65_535)
    }
    cases |= {
        f"wav of {value:g}": Case(wav(np.full((44_100, 2), value, "<f4").tobytes(), tag=3, bits=32), (STEMS,))
        for value in (np.nan, np.inf, 1e30)
    }
    cases["wav of 1e300"] = Case(
        wav(np.full((44_100, 2), 1e300, "<f8").tobytes(), tag=3, bits=64, rate=48_000), (STEMS,)
    )
    cases["wav of unknown size"] = Case(wav(pcm, size=0xFFFF_FFFF), (STEMS,))
    extension = struct.pack("<HHI", 22, 16, 3) + bytes.fromhex("0100000000001000800000aa00389b71")
    cases["wav, extensible"] = Case(wav(pcm, tag=0xFFFE, more_format=extension), (STEMS,))
    cases["wav of Atrac"] = Case(
        wav(pcm, tag=0x270, align=384, more_format=struct.pack("<HHIHHHH", 14, 1, 4096, 0, 0, 1, 0)),
        (NO_MEDIA,),
    )
    cases["wav without a format"] = Case(
        b"RIFF\0\0\0\0WAVEdata" + struct.pack("<I", len(pcm)) + pcm, (NO_MEDIA,)
    )
    flac = songs["flac"]
    cases["flac of 0 samples"] = Case(_flac_of(flac, 0), (STEMS,))
    cases["flac of one sample"] = Case(_flac_of(flac, 1), (STEMS,))
    cases["flac of 2^36 samples"] = Case(_flac_of(flac, (1 << 36) - 1), (TOO_LONG,))
    for samples in (86_400 * 44_100, 0, 44_100):
        silence = flac_of_silence(86_400, says_samples=samples)
        cases[f"flac of 24 hours that says {samples}"] = Case(silence, (TOO_LONG,))
    mp3 = songs["mp3"]
    frames = mp3.index(b"Info") + 8
    for count, end in {1: STEMS, 1 << 31: TOO_LONG}.items():
        lying = mp3[:frames] + struct.pack(">I", count) + mp3[frames + 4 :]
        cases[f"mp3 of {count} frames"] = Case(lying, (end,))
    mov_samples = len(pcm) // 4
    cases["mov"] = Case(mov(pcm, count=mov_samples), (STEMS,))
    cases["mov without a time scale"] = Case(mov(pcm, count=mov_samples, scale=0), (TOO_LONG, CORRUPT))
    cases["mov of 100 million samples"] = Case(mov(pcm, count=10**8), (STEMS, CORRUPT, TOO_LONG))
    return cases


def streams_that_change(songs: Songs) -> dict[str, Case]:
    """Time that jumps, formats that change."""
    opus = songs["ogg opus"]
    pages = _ogg_pages(opus)
    later = [
        _ogg_page(page, position=struct.unpack_from("<q", page, 6)[0] + 48_000 * 86_400) for page in pages[3:]
    ]
    mono = songs.of("ogg flac", noise(2, channels=1, sample_rate=22_050), 22_050)
    low = songs.of("aac", noise(2, channels=1, sample_rate=8_000), 8_000)
    low_mp3 = songs.of("mp3 without a header", noise(2, channels=1, sample_rate=8_000), 8_000)
    return {
        "ogg, a day's jump": Case(b"".join(pages[:3] + later), (TOO_LONG, CORRUPT)),
        "ogg, back in time": Case(b"".join(pages[:-1]) + _ogg_page(pages[-1], position=-5), (CORRUPT, STEMS)),
        "ogg, until the end of time": Case(
            b"".join(pages[:-1]) + _ogg_page(pages[-1], position=1 << 62), (TOO_LONG, CORRUPT)
        ),
        "ogg, chained": Case(opus * 3, (STEMS,)),
        "ogg, chained, of another rate and channels": Case(songs["ogg flac"] + mono, (STEMS,)),
        "ogg, chained, of another codec": Case(opus + mono, (CORRUPT,)),
        "aac of two rates": Case(songs["aac"] + low, (STEMS,)),
        "aac that changes all the time": Case((songs["aac"][:2_000] + low[:500]) * 100, (CORRUPT, STEMS)),
        "mp3 of two rates": Case(songs["mp3 without a header"] + low_mp3, (STEMS,)),
        "flac twice": Case(songs["flac"] * 2, (STEMS,)),
        "mp3 after a playlist": Case(b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n" + songs["mp3"], (STEMS,)),
    }


def large_tags(songs: Songs) -> dict[str, Case]:
    """Much beside the music, and nothing wrong with it."""
    mp3, flac, pcm = songs["mp3"], songs["flac"], songs.pcm
    jpeg = b"\xff\xd8\xff\xe0"
    bomb = png(12_000, 12_000)
    inflated = zlib.compress(bytes(100_000_000), 9)
    packed = b"TIT2" + _syncsafe(len(inflated) + 4) + b"\0\x09" + _syncsafe(100_000_000) + inflated
    title = _chunk(b"LIST", b"INFO" + _chunk(b"INAM", b"a" * 20_000_000))
    return {
        "mp3 with a cover of 50 MB": Case(id3([_cover(jpeg + bytes(50_000_000))]) + mp3, (STEMS,)),
        "mp3 with a title of 20 MB": Case(id3([(b"TIT2", b"\3" + b"a" * 20_000_000)]) + mp3, (STEMS,)),
        "mp3 with a cover that is a bomb": Case(id3([_cover(bomb, b"image/png")]) + mp3, (STEMS,)),
        "mp3 with a title that is a bomb": Case(
            b"ID3\x04\0\0" + _syncsafe(len(packed)) + packed + mp3, (STEMS,)
        ),
        "mp3 with a playlist for a title": Case(
            id3([(b"TIT2", b"\3#EXTM3U\n#EXTINF:9,\n/etc/passwd\n")]) + mp3, (STEMS,)
        ),
        "mp3 with 100,000 tags": Case(id3([]) * 100_000 + mp3, (STEMS,)),
        "mp3 with a tag of more than there is": Case(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + mp3, ("truncated",)),
        "flac with a cover of 16 MB": Case(
            _flac_block(flac, 6, _flac_picture(jpeg + bytes(16_000_000), b"image/jpeg")), (STEMS,)
        ),
        "flac with a cover that is a bomb": Case(
            _flac_block(flac, 6, _flac_picture(bomb, b"image/png")), (STEMS,)
        ),
        "wav with a title of 20 MB": Case(wav(pcm, before_data=title), (STEMS,)),
        "wav with 100,000 empty chunks": Case(wav(pcm, before_data=_chunk(b"JUNK", b"") * 100_000), (STEMS,)),
    }


def tag_bombs(songs: Songs) -> dict[str, bytes]:
    """Songs of a few megabytes with so many tags that FFmpeg works on them for minutes."""
    numbers = range(TAGS)
    opus = _ogg_pages(songs["ogg opus"])
    comments = _ogg_packet(b"OpusTags" + _vorbis_comments(TAGS), opus[0][14:18])
    names = (bytes([65 + n % 26, 65 + n // 26 % 26, 97 + n // 676 % 26, 97 + n // 17_576]) for n in numbers)
    info = b"INFO" + b"".join(_chunk(name, b"v\0") for name in names)
    fields = (
        box(
            b"----",
            _full_box(b"mean", b"com"),
            _full_box(b"name", b"%d" % number),
            _full_box(b"data", bytes(4), b"v", flags=1),
        )
        for number in numbers
    )
    item_list = box(b"ilst", *fields)
    handler = _full_box(b"hdlr", bytes(4), b"mdirappl", bytes(9))
    user_data = box(b"udta", _full_box(b"meta", handler, item_list))
    simple = (
        _element("67C8", _element("45A3", b"K%d" % number), _element("4487", b"v")) for number in numbers
    )
    tags = _element("1254C367", _element("7373", _element("63C0"), *simple))
    caf = songs["caf"]
    data = caf.index(b"data")
    strings = struct.pack(">I", TAGS) + b"".join(b"K%d\0v\0" % number for number in numbers)
    strings = b"info" + struct.pack(">q", len(strings)) + strings
    return {
        "mp3": id3([(b"TXXX", b"\3k%d\0v" % number) for number in numbers]) + songs["mp3"],
        "flac": _flac_block(songs["flac"], 4, _vorbis_comments(TAGS)),
        "ogg": opus[0] + comments + b"".join(opus[2:]),
        "wav": wav(songs.pcm, before_data=_chunk(b"LIST", info)),
        "caf": caf[:data] + strings + caf[data:],
        "mov": mov(songs.pcm, count=44_100, user_data=user_data),
        "matroska": _into_segment(songs["matroska"], tags),
    }


def index_bomb(songs: Songs) -> bytes:
    """A track of 80 million pictures, of which FFmpeg would make an index of 2.8 GB."""
    return mov(songs.pcm, count=80_000_000, codec=b"mp4v", handler=b"vide")


def references(songs: Songs, file: Path, address: str) -> dict[str, Case]:
    """What tells a player to open something else: a file of this machine, an address of the network.

    The first word of a name is the ending that such files have.
    """
    cases: dict[str, Case] = {}
    for kind, target in {"a file": str(file), "a file's url": file.as_uri(), "an address": address}.items():
        playlists = {
            "m3u": target,
            "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST",
            "m3u8 of m3u8": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1280000\n{target}",
            "m3u8 with a key": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:9,\n{target}',
            "ffconcat": f"ffconcat version 1.0\nfile '{target}'",
            "concat": f"concat:{target}|{target}",
            "pls": f"[playlist]\nFile1={target}\nNumberOfEntries=1\nVersion=2",
            "xspf": '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>'
            f"<track><location>{target}</location></track></trackList></playlist>",
            "smil": f'<smil><body><seq><audio src="{target}"/></seq></body></smil>',
            "asx": f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>',
            "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
            ' mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="audio/mp4">'
            f'<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL><SegmentBase/>'
            "</Representation></AdaptationSet></Period></MPD>",
            "cue": f'FILE "{target}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00',
            "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
            f"a=control:{target}",
            "asf": f"[Reference]\nRef1={target}",
            "url": f"[InternetShortcut]\nURL={target}",
            "txt": target,
        }
        cases |= {
            f"{name}, {kind}": Case(text.encode() + b"\n" * 200, (NO_MEDIA, CORRUPT))
            for name, text in playlists.items()
        }
        # What lies in the file itself may be played, and is silent; what it points to may not.
        silence, count = bytes(len(songs.pcm)), len(songs.pcm) // 4
        ends = (STEMS, EMPTY, CORRUPT)
        cases[f"mov by url, {kind}"] = Case(mov(silence, count=count, reference=_url(target)), ends)
        cases[f"mov by alias, {kind}"] = Case(mov(silence, count=count, reference=_alias(target)), ends)
        pointer = _full_box(b"rdrf", b"url ", struct.pack(">I", len(target) + 1), target.encode() + b"\0")
        movie = box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"rmra", box(b"rmda", pointer)))
        cases[f"mov of movies, {kind}"] = Case(movie, (NO_MEDIA, CORRUPT, "no_audio"))
        links = id3([(b"WXXX", b"\3\0" + target.encode()), (b"LINK", b"APIC" + target.encode() + b"\0")])
        cases[f"mp3 with links, {kind}"] = Case(links + songs["mp3"], (STEMS,))
        cover = _flac_picture(target.encode(), b"-->")
        cases[f"flac with a cover elsewhere, {kind}"] = Case(_flac_block(songs["flac"], 6, cover), (STEMS,))
    return cases
