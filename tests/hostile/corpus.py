"""Files that no honest song is, made on the spot, each with the outcomes that are right for it."""

import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.hostile.containers import (
    alias_box,
    box,
    chunk,
    element,
    flac_block,
    flac_of,
    flac_of_silence,
    flac_picture,
    full_box,
    id3,
    id3_cover,
    into_segment,
    mov,
    ogg_packet,
    ogg_page,
    ogg_pages,
    png,
    syncsafe,
    url_box,
    vorbis_comments,
    wav,
    zip_of,
)
from tests.unit.media.songs import KINDS, Samples, noise, write, write_video

STEMS = "stems"
NO_MEDIA, CORRUPT, TOO_LONG, EMPTY = "unsupported_media", "corrupt_media", "too_long", "empty_file"
MAX_SONG_SECONDS = 600
TAGS = 150_000  # quadratic in FFmpeg: minutes


class Case(NamedTuple):
    """A file, and how it may end: with `STEMS`, or in one of these error codes."""

    data: bytes
    ends: tuple[str, ...]


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

    def path(self, name: str, seconds: float) -> Path:
        kind = KINDS[name]
        sound = noise(seconds, sample_rate=kind.sample_rate)
        return write(self._folder / f"{name}.{kind.ending}", sound, kind)

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
        "zip": zip_of(1_000),
        "zip bomb": zip_of(30_000_000),
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
    cases["flac of 0 samples"] = Case(flac_of(flac, 0), (STEMS,))
    cases["flac of one sample"] = Case(flac_of(flac, 1), (STEMS,))
    cases["flac of 2^36 samples"] = Case(flac_of(flac, (1 << 36) - 1), (TOO_LONG,))
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
    pages = ogg_pages(opus)
    later = [
        ogg_page(page, position=struct.unpack_from("<q", page, 6)[0] + 48_000 * 86_400) for page in pages[3:]
    ]
    mono = songs.of("ogg flac", noise(2, channels=1, sample_rate=22_050), 22_050)
    low = songs.of("aac", noise(2, channels=1, sample_rate=8_000), 8_000)
    low_mp3 = songs.of("mp3 without a header", noise(2, channels=1, sample_rate=8_000), 8_000)
    return {
        "ogg, a day's jump": Case(b"".join(pages[:3] + later), (TOO_LONG, CORRUPT)),
        "ogg, back in time": Case(b"".join(pages[:-1]) + ogg_page(pages[-1], position=-5), (CORRUPT, STEMS)),
        "ogg, until the end of time": Case(
            b"".join(pages[:-1]) + ogg_page(pages[-1], position=1 << 62), (TOO_LONG, CORRUPT, STEMS)
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
    packed = b"TIT2" + syncsafe(len(inflated) + 4) + b"\0\x09" + syncsafe(100_000_000) + inflated
    title = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"a" * 20_000_000))
    return {
        "mp3 with a cover of 50 MB": Case(id3([id3_cover(jpeg + bytes(50_000_000))]) + mp3, (STEMS,)),
        "mp3 with a title of 20 MB": Case(id3([(b"TIT2", b"\3" + b"a" * 20_000_000)]) + mp3, (STEMS,)),
        "mp3 with a cover that is a bomb": Case(id3([id3_cover(bomb, b"image/png")]) + mp3, (STEMS,)),
        "mp3 with a title that is a bomb": Case(
            b"ID3\x04\0\0" + syncsafe(len(packed)) + packed + mp3, (STEMS,)
        ),
        "mp3 with a playlist for a title": Case(
            id3([(b"TIT2", b"\3#EXTM3U\n#EXTINF:9,\n/etc/passwd\n")]) + mp3, (STEMS,)
        ),
        "mp3 with 100,000 tags": Case(id3([]) * 100_000 + mp3, (STEMS,)),
        "mp3 with a tag of more than there is": Case(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + mp3, ("truncated",)),
        "flac with a cover of 16 MB": Case(
            flac_block(flac, 6, flac_picture(jpeg + bytes(16_000_000), b"image/jpeg")), (STEMS,)
        ),
        "flac with a cover that is a bomb": Case(
            flac_block(flac, 6, flac_picture(bomb, b"image/png")), (STEMS,)
        ),
        "wav with a title of 20 MB": Case(wav(pcm, before_data=title), (STEMS,)),
        "wav with 100,000 empty chunks": Case(wav(pcm, before_data=chunk(b"JUNK", b"") * 100_000), (STEMS,)),
    }


def tag_bombs(songs: Songs) -> dict[str, bytes]:
    """Songs of a few megabytes with so many tags that FFmpeg works on them for minutes."""
    numbers = range(TAGS)
    opus = ogg_pages(songs["ogg opus"])
    comments = ogg_packet(b"OpusTags" + vorbis_comments(TAGS), opus[0][14:18])
    names = (bytes([65 + n % 26, 65 + n // 26 % 26, 97 + n // 676 % 26, 97 + n // 17_576]) for n in numbers)
    info = b"INFO" + b"".join(chunk(name, b"v\0") for name in names)
    fields = (
        box(
            b"----",
            full_box(b"mean", b"com"),
            full_box(b"name", b"%d" % number),
            full_box(b"data", bytes(4), b"v", flags=1),
        )
        for number in numbers
    )
    item_list = box(b"ilst", *fields)
    handler = full_box(b"hdlr", bytes(4), b"mdirappl", bytes(9))
    user_data = box(b"udta", full_box(b"meta", handler, item_list))
    simple = (element("67C8", element("45A3", b"K%d" % number), element("4487", b"v")) for number in numbers)
    tags = element("1254C367", element("7373", element("63C0"), *simple))
    caf = songs["caf"]
    data = caf.index(b"data")
    strings = struct.pack(">I", TAGS) + b"".join(b"K%d\0v\0" % number for number in numbers)
    strings = b"info" + struct.pack(">q", len(strings)) + strings
    return {
        "mp3": id3([(b"TXXX", b"\3k%d\0v" % number) for number in numbers]) + songs["mp3"],
        "flac": flac_block(songs["flac"], 4, vorbis_comments(TAGS)),
        "ogg": opus[0] + comments + b"".join(opus[2:]),
        "wav": wav(songs.pcm, before_data=chunk(b"LIST", info)),
        "caf": caf[:data] + strings + caf[data:],
        "mov": mov(songs.pcm, count=44_100, user_data=user_data),
        "matroska": into_segment(songs["matroska"], tags),
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
        cases[f"mov by url, {kind}"] = Case(mov(silence, count=count, reference=url_box(target)), ends)
        cases[f"mov by alias, {kind}"] = Case(mov(silence, count=count, reference=alias_box(target)), ends)
        pointer = full_box(b"rdrf", b"url ", struct.pack(">I", len(target) + 1), target.encode() + b"\0")
        movie = box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"rmra", box(b"rmda", pointer)))
        cases[f"mov of movies, {kind}"] = Case(movie, (NO_MEDIA, CORRUPT, "no_audio"))
        links = id3([(b"WXXX", b"\3\0" + target.encode()), (b"LINK", b"APIC" + target.encode() + b"\0")])
        cases[f"mp3 with links, {kind}"] = Case(links + songs["mp3"], (STEMS,))
        cover = flac_picture(target.encode(), b"-->")
        cases[f"flac with a cover elsewhere, {kind}"] = Case(flac_block(songs["flac"], 6, cover), (STEMS,))
    return cases
