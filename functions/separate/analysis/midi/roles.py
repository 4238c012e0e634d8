"""Which stem a part of a MIDI file belongs to."""

import re
from collections.abc import Mapping

from analysis.events import Drum
from analysis.midi.options import IGNORE, MidiOptions
from analysis.midi.score import Part
from analysis.names import alike
from analysis.roles import role_named

DRUMS = "drums"
STEMS = (DRUMS, "bass", "vocals", "piano", "other")  # in the order in which they are listed

_DRUM_CHANNEL = 9
_SUNG = re.compile(r"lyric|melody")  # what files for karaoke call it
# General MIDI's programs, counted from 0.
_PROGRAMS = ((range(8), "piano"), (range(32, 40), "bass"), ((52, 53, 54, 85, 91), "vocals"))

# General MIDI's percussion. What is like none of these drums, as a cowbell, is an onset and no hit.
_DRUMS: Mapping[Drum, tuple[int, ...]] = {
    "kick": (35, 36),
    "snare": (37, 38, 39, 40),
    "closed_hat": (42, 44, 54, 69, 70, 82),
    "open_hat": (46,),
    "tom": (41, 43, 45, 47, 48, 50, 60, 61, 62, 63, 64, 65, 66),
    "crash": (49, 52, 55, 57),
    "ride": (51, 53, 59),
}
DRUM_OF_NOTE: Mapping[int, Drum] = {note: drum for drum, notes in _DRUMS.items() for note in notes}


def role_of(part: Part, options: MidiOptions) -> str:
    """The stem's name, or `ignore`: what the options say, or a guess.

    Names that are alike are one stem, spelt as the guesses are, or as the first of them.
    """
    asked = {alike(name): role for name, role in options.roles.items()}
    spelt: dict[str, str] = {}
    for role in (IGNORE, *STEMS, *options.roles.values()):
        spelt.setdefault(alike(role), role)
    for name in (f"{part.track}:{part.channel + 1}", str(part.track), alike(part.name)):
        if name in asked:
            return spelt[alike(asked[name])]
    return guess(part)


def guess(part: Part) -> str:
    """The stem that a part most likely belongs to: by its channel, its name, and its program."""
    if part.channel == _DRUM_CHANNEL:
        return DRUMS
    role = role_named(part.name)
    if role in STEMS[:-1]:
        return role
    if _SUNG.search(part.name.casefold()):
        return "vocals"
    for programs, played in _PROGRAMS:
        if (part.program or 0) in programs:
            return played
    return "other"
