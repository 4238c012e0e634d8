"""Files whose time is none: stamps that jump, ends and tags that are not what they say."""

import struct

import numpy as np

from tests.hostile.containers import matroska_of, wav
from tests.hostile.corpus import CORRUPT, EMPTY, NO_MEDIA, STEMS, TOO_LONG, Case, Songs

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
