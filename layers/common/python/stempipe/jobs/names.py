"""Names of files: what a song may be called, and what its stems are."""

from __future__ import annotations

import re
from unicodedata import normalize

from stempipe.errors import InvalidRequest

MIDI_ENDINGS = (".kar", ".mid", ".midi", ".rmi", ".smf")
"""Of files that are taken for MIDI where nothing but their name says so."""

_LONGEST_NAME = 255  # bytes
# Control characters, and what turns the direction of writing, so that a name is not what it seems.
_STEERING = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_NOT_IN_TEXTS = re.compile(f"[{_STEERING}]")
# And what a file system refuses.
_NOT_IN_NAMES = re.compile(rf'[{_STEERING}<>:"/\\|?*]')

_ENDING = re.compile(r"(.+)\.(?=.*[a-z])[a-z0-9]{1,5}", re.IGNORECASE | re.DOTALL)


def plain(text: str) -> str:
    """A text with underscores in place of what does more than show in a terminal or on a page."""
    return _NOT_IN_TEXTS.sub("_", text)


def clean(name: str) -> str:
    """A name with underscores in place of what a file system, a terminal or a page might take for more."""
    return _NOT_IN_NAMES.sub("_", name)


def alike(name: str) -> str:
    """What two names have in common that are one to some file system: in any case, composed or not."""
    return normalize("NFC", normalize("NFC", name).casefold())


def title(filename: str) -> str:
    """A file's name without its ending, of which "Mr. Brightside" and "Vol.2" have none."""
    found = _ENDING.fullmatch(filename)
    return found[1] if found else filename


def base_name(filename: str) -> str:
    """The file's own name: no folders, no control characters, nothing a file system refuses, no longer than
    one allows.

    Raises
    ------
    InvalidRequest
        Nothing is left.
    """
    name = re.split(r"[/\\]", filename)[-1]
    name = clean(name).strip()
    if not name.strip("._ "):
        raise InvalidRequest("filename: give the song's file name, such as song.mp3")
    song = title(name)
    return _named(song, name.removeprefix(song))


def stem_name(song: str, stem: str, ending: str) -> str:
    """File name of a stem: nothing in it that a file system refuses, and no longer than one allows."""
    return _named(song, f" - {stem}.{ending}")


def file_name(song: str, name: str) -> str:
    """File name of anything else that was made of a song, likewise: `song.mid` is named as the song is."""
    return _named(song, name.removeprefix("song") if name.startswith("song.") else f" - {name}")


def _named(song: str, rest: str) -> str:
    return clean(song).encode()[: _LONGEST_NAME - len(rest.encode())].decode(errors="ignore") + rest
