"""What is found in a song and its stems.

Times are in seconds from the stems' first sample, pitches are MIDI's note numbers (60 is middle C), and
strengths and velocities go from 0 to 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Mode = Literal["major", "minor"]
Drum = Literal["kick", "snare", "closed_hat", "open_hat", "tom", "crash", "ride"]

FRAME_RATES = (24, 25, 30, 50, 60)  # frames a second that curves may have

# Each drum's note of General MIDI's percussion map.
DRUM_NOTES: Mapping[Drum, int] = {
    "kick": 36,
    "snare": 38,
    "closed_hat": 42,
    "open_hat": 46,
    "tom": 45,
    "crash": 49,
    "ride": 51,
}


@dataclass(frozen=True)
class Tempo:
    """Beats a minute; whether the beats stay near a grid of it; and how sure that is, 0 to 1."""

    bpm: float
    stable: bool
    confidence: float


@dataclass(frozen=True)
class Key:
    """The tonic's pitch class, 0 for C, the mode, and how well it fits, 0 to 1."""

    tonic: int
    mode: Mode
    confidence: float


@dataclass(frozen=True)
class TimeSignature:
    """A bar as it is written: so many notes, each of one of a whole note's parts.

    A beat is one of these notes, or three of them where a bar has 6, 9 or 12 eighths or shorter.
    """

    numerator: int
    denominator: int

    @property
    def notes_a_beat(self) -> int:
        """1 or 3."""
        return 3 if self.denominator >= 8 and self.numerator in (6, 9, 12) else 1

    @property
    def beats(self) -> int:
        """In a bar."""
        return self.numerator // self.notes_a_beat

    @property
    def quarters_a_beat(self) -> float:
        """Quarter notes that a beat lasts."""
        return 4 * self.notes_a_beat / self.denominator


@dataclass(frozen=True)
class Beat:
    """A beat, and its place, both from 1. What comes before the first downbeat is in bar 0.

    The signature is what a file of MIDI states there; None of what was heard.
    """

    time: float
    bar: int
    beat: int
    signature: TimeSignature | None = None


@dataclass(frozen=True)
class Onset:
    """Something begins to sound."""

    time: float
    strength: float


@dataclass(frozen=True)
class Hit:
    """A drum is hit."""

    time: float
    drum: Drum
    velocity: float


@dataclass(frozen=True)
class Note:
    """A note sounds."""

    time: float
    duration: float
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Stretch:
    """From `start` to `end`, a stem sounds."""

    start: float
    end: float


@dataclass(frozen=True)
class Loudness:
    """Integrated, in LUFS, and true peak, in dBTP, by ITU-R BS.1770-4. None where there is but silence."""

    integrated: float | None
    true_peak: float | None


@dataclass(frozen=True)
class Curves:
    """What changes all the time: frame i covers [i / frame_rate, (i + 1) / frame_rate).

    Attributes
    ----------
    frame_rate : int
        Frames a second.
    values : mapping of str to ndarray (frames,), float32
        By the field's name, in the units that `analysis.curves` states for it; NaN where there is no value,
        such as the pitch of silence.
    """

    frame_rate: int
    values: Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Stem:
    """What is found in one stem. Hits are None but in drums, notes but where they were asked for."""

    loudness: Loudness | None
    active: tuple[Stretch, ...]
    onsets: tuple[Onset, ...]
    curves: Curves | None
    notes: tuple[Note, ...] | None = None
    hits: tuple[Hit, ...] | None = None


@dataclass(frozen=True)
class Analysis:
    """What is found in a song.

    Attributes
    ----------
    duration : float
        Of the longest stem.
    sample_rate : int or None
        Of the stems, in Hz; None where they differ, or the song was never sound.
    tempo, key
        None where there is none, as in silence.
    meter : int
        Beats in a bar.
    signature : TimeSignature or None
        That most bars are written in; None where the song was heard.
    beats : tuple of Beat
    mix : Stem or None
        Of all of it together; None where the song was never sound.
    stems : mapping of str to Stem
        By the stem's name, in the job's order.
    """

    duration: float
    sample_rate: int | None
    tempo: Tempo | None
    meter: int
    key: Key | None
    beats: tuple[Beat, ...] = ()
    mix: Stem | None = None
    stems: Mapping[str, Stem] = field(default_factory=dict)
    signature: TimeSignature | None = None
