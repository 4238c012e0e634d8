"""Names of files that come from elsewhere, made fit for this machine's disk."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

LONGEST = 255
"""Bytes of a name, on most file systems."""

_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe(name: str, rest: str = "", longest: int = LONGEST) -> str:
    """A file name with nothing in it that a file system refuses, Windows' included.

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
    if _RESERVED.match(name + rest) or not name.strip("._ "):
        name = f"_{name}"
    name = name.encode()[: longest - len(rest.encode())].decode(errors="ignore")
    return name + rest if rest else name.rstrip(". ")


def offered(disposition: str | None, url: str) -> str:
    """The name that a download comes with: its Content-Disposition's (RFC 6266), else the address's."""
    disposition = disposition or ""
    if extended := re.search(r"filename\*=UTF-8''([^;]+)", disposition, re.IGNORECASE):
        name = unquote(extended[1])
    elif plain := re.search(r'filename="((?:[^"\\]|\\.)*)"', disposition, re.IGNORECASE):
        name = re.sub(r"\\(.)", r"\1", plain[1])
    else:
        name = unquote(urlsplit(url).path)
    path = PurePosixPath(re.split(r"[/\\]", name)[-1])
    return safe(path.stem, path.suffix)
