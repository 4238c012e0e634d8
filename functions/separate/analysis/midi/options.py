"""How a MIDI file is read: each choice has a default that suits most files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from analysis.events import FRAME_RATES
from analysis.midi.errors import MidiOptionsError
from analysis.names import MIX

IGNORE = "ignore"  # the role of a part that is not to be heard
GRIDS = (4, 8, 12, 16, 24, 32)  # parts of a whole note that starts may be moved to; 12 and 24 are triplets

_MOST_PARTS = 256
_MOST_ROLES = 16
_LONGEST_ROLE = 64


@dataclass(frozen=True)
class MidiOptions:
    """How to read MIDI.

    Attributes
    ----------
    roles : mapping of str to str
        The stem that a part goes to, for parts whose guess is wrong: by its track's number, counted from 1
        (`"3"`), by track and channel (`"1:10"`), or by the track's name in any case. A role is `drums`,
        whose notes become hits, any other name of a stem, or `ignore`. Parts of one role are one stem. What
        is not named is guessed from channel, name and program.
    split_channels : bool
        Whether each channel of a track is a part by itself. If not, a track is one part, of the kind that
        its most used channel is. Files of format 0 need it.
    tempo : float or None
        Quarter notes a minute throughout; None takes the file's own.
    offset : float
        Seconds by which everything is later; what comes to begin before 0 is left out.
    transpose : int
        Semitones by which notes are higher, but those of drums.
    quantise : int or None
        The part of a whole note whose grid starts are moved to, one of `GRIDS`; None leaves them.
    velocity_curve : float
        The power to which velocities from 0 to 1 are raised: below 1 lifts quiet notes, above lowers them.
    shortest : float
        Seconds; shorter notes are made as long.
    sustain : bool
        Whether the pedal holds notes.
    frame_rate : int
        Of the curves, in frames a second.

    Raises
    ------
    MidiOptionsError
        If a value is none that it can have.
    """

    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    split_channels: bool = True
    tempo: float | None = None
    offset: float = 0.0
    transpose: int = 0
    quantise: int | None = None
    velocity_curve: float = 1.0
    shortest: float = 0.03
    sustain: bool = True
    frame_rate: int = 60

    def __post_init__(self) -> None:
        names = set(self.roles.values())
        _check(len(self.roles) <= _MOST_PARTS, f"roles has at most {_MOST_PARTS} parts")
        _check(len(names) <= _MOST_ROLES, f"roles has at most {_MOST_ROLES} stems")
        _check(
            all(
                0 < len(name) <= _LONGEST_ROLE and name.isprintable() and name.casefold() != MIX
                for name in names
            ),
            f"a role is a name of 1 to {_LONGEST_ROLE} characters, and not mix",
        )
        _check(
            self.tempo is None or 10 <= self.tempo <= 1000, "tempo is from 10 to 1000 quarter notes a minute"
        )
        _check(-600 <= self.offset <= 600, "offset is from -600 to 600 seconds")
        _check(-48 <= self.transpose <= 48, "transpose is from -48 to 48 semitones")
        _check(self.quantise is None or self.quantise in GRIDS, f"quantise is null or one of {GRIDS}")
        _check(0.25 <= self.velocity_curve <= 4, "velocity_curve is from 0.25 to 4")
        _check(0 <= self.shortest <= 1, "shortest is from 0 to 1 second")
        _check(self.frame_rate in FRAME_RATES, f"frame_rate is one of {FRAME_RATES}")


def _check(is_good: bool, rule: str) -> None:
    if not is_good:
        raise MidiOptionsError(f"An option for MIDI is not as it can be: {rule}.")
