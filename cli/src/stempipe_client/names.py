"""Names and texts that come from elsewhere, made fit for this machine's disk and terminal."""

import re
from unicodedata import normalize

LONGEST = 255
"""Bytes of a name, on most file systems."""
LONGEST_SAID = 500
"""Characters of what somebody else says, where it is told."""

_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_BIDI = (
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the direction: a name is not what it seems
)
_HALVES = r"\ud800-\udfff"  # of characters: so Python has the bytes of a name that is no UTF-8
_STEERING = re.compile(f"[{_CONTROLS}{_BIDI}{_HALVES}]")
_UNFIT_SIGNS = rf'{_CONTROLS}{_BIDI}{_HALVES}<>:"/\\|?*'
_UNFIT = re.compile(f"[{_UNFIT_SIGNS}]")
_BREAKS = re.compile(r"[\t-\r\x85\u2028\u2029]+")
_MADE = (
    "bin|chan|csv|dat|flac|index|jams|json|mid|mp3|wav"  # endings of what a service makes, and of no program
)
_FILE_NAME = re.compile(rf"[^.{_UNFIT_SIGNS}][^{_UNFIT_SIGNS}]{{0,99}}\.({_MADE})")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def alike(name: str) -> str:
    """What two names have in common that are one to some file system: in any case, composed or not."""
    return normalize("NFC", normalize("NFC", name).casefold())


def safe(name: str, rest: str = "", longest: int = LONGEST) -> str:
    """A file name with nothing in it that a file system refuses, Windows' included; it is not hidden.

    Parameters
    ----------
    name
        As it came; it is cut if it is too long.
    rest
        What must follow it whole, such as its ending.
    longest
        Bytes of both together.
    """
    name, rest = _UNFIT.sub("_", name).lstrip(), _UNFIT.sub("_", rest)
    if _RESERVED.match(name + rest) or name.startswith(".") or not name.strip("._ "):
        name = f"_{name}"
    name = name.encode()[: longest - len(rest.encode())].decode(errors="ignore")
    return name + rest if rest else name.rstrip(". ")


def is_file_name(name: str) -> bool:
    """Whether a text from elsewhere is a file's own name, with an ending of what a service makes.

    It is no path, and not hidden.
    """
    return _FILE_NAME.fullmatch(name) is not None


def said(what: object) -> str:
    """What somebody else says, cut to `LONGEST_SAID` characters."""
    text = str(what)
    return text if len(text) <= LONGEST_SAID else f"{text[: LONGEST_SAID - 1]}\u2026"


def plain(text: str) -> str:
    """One line of text that does nothing to a terminal but show.

    Line breaks become spaces; control characters, those that turn the direction of writing, and what is no
    character become U+FFFD.
    """
    return _STEERING.sub("\ufffd", _BREAKS.sub(" ", text))
