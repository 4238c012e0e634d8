"""Files whose time is none: stamps that jump, ends and tags that are not what they say."""

import struct

import av
import numpy as np

from tests.hostile.containers import matroska_of, ogg_pages, wav
from tests.hostile.corpus import CORRUPT, EMPTY, NO_MEDIA, STEMS, TOO_LONG, Case, Songs
from tests.unit.media.songs import copy, noise, two_tracks, with_subtitles

FOREVER = 1 << 62


def _sound(milliseconds: float) -> bytes:
    return np.random.default_rng(1).bytes(4 * round(44.1 * milliseconds))


def times_that_jump(songs: Songs) -> dict[str, Case]:
    """Holes of every size and number, and time that goes back."""
    second, moment, instant = _sound(1_000), _sound(13), _sound(3)
    hours = 36_000_000
    cases = {
        "a hole of ten hours": ([(0, second), (hours, second)], (CORRUPT,)),
        "a hole that takes all that is allowed": ([(0, second), (599_000, second)], (CORRUPT,)),
        "a hole at every packet": ([(n * 25, moment) for n in range(20_000)], (STEMS,)),
        "hardly any sound": ([(n * 100, instant) for n in range(5_000)], (CORRUPT,)),
        "back and forth": ([(5_000 * (n % 2), second) for n in range(200)], (CORRUPT,)),
        "a little back and forth": ([(n * 13 + 60 * (n % 2), moment) for n in range(2_000)], (STEMS,)),
        "backwards": ([(200_000 - 1_000 * n, second) for n in range(100)], (STEMS,)),
        "all at once": ([(0, moment)] * 5_000, (STEMS,)),
        "at the end of time": ([(0, second), (FOREVER, second)], (CORRUPT, TOO_LONG, STEMS)),
        "from the end of time on": (
            [(FOREVER, second), (FOREVER + 1_000, second)],
            (STEMS, CORRUPT, TOO_LONG),
        ),
        "no sound": ([(0, b"")], (EMPTY, CORRUPT, NO_MEDIA, "truncated")),
    }
    made = {f"mkv, {name}": Case(matroska_of(blocks), ends) for name, (blocks, ends) in cases.items()}
    whole = [(1_000 * n, second) for n in range(3)]
    made |= {
        f"mkv that says {seconds} s": Case(matroska_of(whole, seconds), (STEMS,))
        for seconds in (0.0, 0.001, 50_000.0, 1e300, float("inf"), float("nan"), -5.0)
    }
    return made


def tags_and_ends(songs: Songs) -> dict[str, Case]:
    """Tags that lie of their size, and what is between frames that is none."""
    mp3, pcm = songs["mp3 without a header"], songs.pcm
    middle = mp3.index(b"\xff\xfb", len(mp3) // 2)
    ape = struct.pack("<8sIIII8x", b"APETAGEX", 2_000, 0xFFFF_FFFF, 1, 0xA000_0000)
    footer = struct.pack("<8sIIII8x", b"APETAGEX", 2_000, 0xFFFF_FFF0, 1, 0x8000_0000)
    tag = b"TAG" + bytes(125)
    cases = {
        "wav behind a tag of 4 GB": Case(ape + wav(pcm), ("truncated",)),
        "wav before a tag of 4 GB": Case(wav(pcm) + footer, (STEMS,)),
        "wav before 20,000 tags": Case(wav(pcm) + tag * 20_000, (STEMS,)),
        "wav of nothing but tags": Case(tag * 1_000, (NO_MEDIA,)),
        "wav before a tag of no size": Case(
            wav(pcm) + struct.pack("<8sIIII8x", b"APETAGEX", 0, 0, 0, 0), (STEMS,)
        ),
    }
    for name, junk in {
        "zeros": bytes(3_000_000),
        "ones": b"\xff" * 3_000_000,
        "sync words": b"\xff\xfb\x90\0" * 700_000,
        "noise": np.random.default_rng(2).bytes(3_000_000),
    }.items():
        cases[f"mp3 of {name} in the middle"] = Case(mp3[:middle] + junk + mp3[middle:], (STEMS, CORRUPT))
        cases[f"aac behind {name}"] = Case(junk + songs["aac"], (STEMS, CORRUPT, NO_MEDIA))
    return cases


def odd_but_whole(songs: Songs, seconds: float = 2) -> dict[str, Case]:
    """What telephones, recorders, cutters and taggers make: songs, every one."""
    made: dict[str, bytes] = {}
    m4a, opus = (songs.path(name, seconds) for name in ("m4a", "ogg opus"))
    target = m4a.with_name("odd")
    two = bytearray(two_tracks(target, noise(seconds), noise(seconds), (96_000, 256_000), "mp4").read_bytes())
    entry = two.index(b"mp4a", two.rindex(b"trak"))
    two[entry : entry + 4] = b"apac"
    made["mp4 with a second track that nobody reads"] = bytes(two)
    middle = seconds / 2
    junk = np.random.default_rng(4).bytes(7_000)
    holed = copy(opus, target, "webm", keep=lambda at: not middle < at < middle + 0.1)
    made["webm with a hole"] = holed.read_bytes()
    made["mp4 of a film whose sound is late"] = copy(
        m4a, target, "mp4", late=lambda at: 1.5, picture=True
    ).read_bytes()
    for muxer in ("matroska", "ogg"):
        source = m4a if muxer == "matroska" else opus
        clip = copy(source, target, muxer, late=lambda at: 1867)
        made[f"{muxer} of a clip"] = clip.read_bytes()
    made["ogg, chained, with a later clip"] = opus.read_bytes() + made["ogg of a clip"]
    made["mkv with a late subtitle"] = with_subtitles(target, seconds, 13 * 3_600).read_bytes()
    aac, mp3 = (songs.path(name, seconds).read_bytes() for name in ("aac", "mp3 without a header"))
    with av.open(songs.path("aac", seconds)) as container:
        third = [packet.pos or 0 for packet in container.demux(audio=0)][2]
    made["aac with a frame that is none"] = aac[:third] + bytes(4) + aac[third + 4 :]
    made["aac and one byte"] = aac + b"\0"
    made["mp3 cut amid a frame"] = mp3[:-100]
    made["mp3 before and behind junk"] = junk + mp3 + junk
    made["mp3 with junk between frames"] = mp3[: len(mp3) // 2] + junk + mp3[len(mp3) // 2 :]
    made["aac before junk"] = aac + junk
    flac = songs.path("ogg flac", max(seconds, 1.0)).read_bytes()
    pages = ogg_pages(flac)
    made["ogg of flac without its first page"] = b"".join(pages[:2] + pages[3:])
    made["ogg of flac with a last page that is damaged"] = flac[:-40] + bytes(40)
    item = struct.pack("<II", 100_000, 2) + b"Cover Art (Front)\0" + np.random.default_rng(1).bytes(99_982)
    footer = struct.pack("<8sIIII8x", b"APETAGEX", 2_000, 32 + len(item), 1, 0)
    made["mp3 before a cover in an ape tag"] = mp3 + item + footer
    made["wav behind line breaks"] = b"\r\n\r\n" + wav(songs.pcm)
    made["wav with a size that counts its header"] = wav(songs.pcm, size=len(songs.pcm) + 44)
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    for mask in (0x30, 0xC):
        more = struct.pack("<HHI", 22, 16, mask) + guid
        made[f"wav of channels {mask:#x}"] = wav(songs.pcm, tag=0xFFFE, more_format=more)
    return {name: Case(data, (STEMS,)) for name, data in made.items()}
