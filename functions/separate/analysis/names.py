"""What keys, tracks and files are called, in every file alike."""

from collections.abc import Iterable, Iterator
from unicodedata import normalize

from analysis.events import Analysis, Key, Stem

MIX = "mix"  # all of the stems together, where files name their tracks

_TONICS = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
_LONGEST = 100  # bytes of a file's name before its ending, of the 255 that a file system allows
# What Windows takes for devices, whatever the ending.
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}


def tonic_name(key: Key) -> str:
    """The key's tonic, spelled with the fewest sharps or flats."""
    return _TONICS[key.mode][key.tonic]


def tracks(analysis: Analysis) -> Iterator[tuple[str, Stem]]:
    """The mix, where there is one, and the stems."""
    if analysis.mix is not None:
        yield MIX, analysis.mix
    yield from analysis.stems.items()


def alike(name: str) -> str:
    """What two names have in common that are one to some file system: in any case, composed or not."""
    return normalize("NFC", normalize("NFC", name).casefold())


def file_names(stems: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """
    A name for each stem's file, without its ending: safe in every file system, and no two alike.

    Parameters
    ----------
    stems : iterable of str
        Names of stems, whatever is in them.
    taken : iterable of str
        Names that other files have.
    """
    used = _DEVICES | {alike(name) for name in taken}
    names = {}
    for stem in stems:
        composed = normalize("NFC", stem)  # an accent by itself is no letter
        safe = "".join(sign if sign.isalnum() or sign in "-_ ." else "_" for sign in composed)
        name = base = safe.encode()[:_LONGEST].decode(errors="ignore").strip(" .") or "stem"
        number = 1
        while alike(name) in used:
            number += 1
            name = f"{base}-{number}"
        used.add(alike(name))
        names[stem] = name
    return names
