"""Endings of files, and whether there is a song to be expected in them."""

import re

ENDINGS = frozenset(
    "aac aif aifc aiff bwf caf flac m4a m4b m4r m4v mka mkv mov mp2 mp3 mp4 mpga oga ogg ogv opus qta"  # noqa: SIM905
    " w64 wav wave weba webm 3g2 3gp".split()
)
"""Of songs and films that can be decoded, in lower case. Some may hold a codec that cannot."""

UNREADABLE = frozenset(
    "ac3 amr ape asf au avi dff dsf dts eac3 flv kar mid midi mpc mpeg mpg ra ram rmi smf tta wma"  # noqa: SIM905
    " wmv wv".split()
)
"""Of songs and films that cannot."""

_ENDING = re.compile(r"(.+)\.((?=.*[a-z])[a-z0-9]{1,5})", re.IGNORECASE | re.DOTALL)
_BEGINNING = re.compile(
    rb"RIFF....WAVE|(RF|BW)64....WAVE|FORM....AIF[FC]|riff\x2e\x91|caff|fLaC|OggS|ID3|....ftyp|\x1aE\xdf\xa3"
    rb"|\xff[\xe2\xe3\xf0-\xfd]",
    re.DOTALL,
)


def parted(name: str) -> tuple[str, str]:
    """A file's title, and its ending in lower case: "Mr. Brightside" and "Vol.2" have none."""
    found = _ENDING.fullmatch(name)
    return (found[1], found[2].lower()) if found else (name, "")


def begins_as_a_song(head: bytes) -> bool:
    """Whether a file that begins with these bytes may be one that can be decoded."""
    return bool(_BEGINNING.match(head))
