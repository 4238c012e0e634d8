"""Title, artist and album of a song: read from any container, and given to its stems."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_LONGEST = 200  # characters; a hostile file may have megabytes


@dataclass(frozen=True)
class Tags:
    """What a song says of itself; empty where it does not."""

    title: str = ""
    artist: str = ""
    album: str = ""

    def of_stem(self, stem: str, title: str) -> dict[str, str]:
        """Tags of a stem, by FFmpeg's names; `title` is for a song that has none."""
        song = self.title or clean(title)
        tags = {
            "title": f"{song} ({stem})" if song else stem,
            "artist": self.artist,
            "album": self.album,
        }
        return {name: value for name, value in tags.items() if value}


def read_tags(*sources: Mapping[str, str]) -> Tags:
    """Read FFmpeg's metadata: of the container, and of the stream, where Ogg has them."""
    found: dict[str, str] = {}
    for source in sources:
        for name, value in source.items():
            found[name.casefold()] = found.get(name.casefold()) or clean(_decoded(value))
    return Tags(found.get("title", ""), found.get("artist", ""), found.get("album", ""))


def clean(text: str) -> str:
    """One short line of text: no control characters, no halves of surrogate pairs, no runs of spaces."""
    letters = (letter for letter in text[: 4 * _LONGEST] if unicodedata.category(letter) != "Cs")
    line = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in letters)
    return " ".join(line.split())[:_LONGEST].strip()


def _decoded(text: str) -> str:
    """Text that PyAV has read, bytes that are no UTF-8 included.

    These are taken for the Latin letters of Windows, in which old WAV and MP3 files are tagged.
    """
    text = text[: 4 * _LONGEST]
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return text
