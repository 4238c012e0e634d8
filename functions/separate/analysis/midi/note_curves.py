"""Curves of notes that nobody has heard: what sounds in each frame, as a MIDI file says it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.events import Curves

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sounding:
    """Notes of one part, side by side.

    Attributes
    ----------
    begin, end : ndarray (notes,)
        Seconds.
    pitch : ndarray (notes,), int
        Keys, before bends.
    velocity : ndarray (notes,)
        From 0 to 1.
    bend_times, bends : ndarray (bends,)
        Seconds, and semitones from there.
    """

    begin: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    pitch: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.float64]
    bend_times: npt.NDArray[np.float64]
    bends: npt.NDArray[np.float64]

    def bend_at(self, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Semitones by which keys are bent."""
        if not len(self.bends):
            return np.zeros(len(seconds))
        place = np.searchsorted(self.bend_times, seconds + 1e-9, side="right") - 1
        return np.where(place < 0, 0.0, self.bends[np.maximum(place, 0)])

    def frames(self, frame_rate: int, most: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The frame in which each note begins, and the one after its last."""
        # A time that is a frame's own may be a hair beside it.
        first = np.clip((self.begin * frame_rate + 1e-6).astype(np.int64), 0, most - 1)
        last = np.ceil(self.end * frame_rate - 1e-6).astype(np.int64)
        return first, np.clip(last, first + 1, most)


def curves_of(parts: Sequence[Sounding], duration: float, frame_rate: int, *, are_pitched: bool) -> Curves:
    """The curves of a stem.

    `onset` is the strongest note that begins in a frame and `activity` the strongest that sounds in it. Of
    pitched parts, `chroma_0` (C) to `chroma_11` (B) are the strongest that sounds of each pitch class, the
    strongest of all being 1; and `pitch` is the highest note that sounds, with its bend, as a note number.

    Parameters
    ----------
    parts : sequence of Sounding
    duration : float
        Of the song, in seconds.
    frame_rate : int
    are_pitched : bool
    """
    frames = int(np.ceil(duration * frame_rate - 1e-6))
    onset, activity = np.zeros((2, frames), np.float32)
    chroma = np.zeros((12, frames), np.float32)
    highest = np.full(frames, np.nan, np.float32)
    for part in parts:
        first, last = part.frames(frame_rate, frames)
        np.maximum.at(onset, first, part.velocity.astype(np.float32))
        sounding, classes = np.zeros(frames, np.float32), np.zeros((12, frames), np.float32)
        # The stronger over the weaker. A part's key sounds once at a time, which bounds what is written.
        for note in np.argsort(part.velocity, kind="stable"):
            sounding[first[note] : last[note]] = part.velocity[note]
            classes[part.pitch[note] % 12, first[note] : last[note]] = part.velocity[note]
        np.maximum(activity, sounding, out=activity)
        np.maximum(chroma, classes, out=chroma)
        if are_pitched:
            highest = np.fmax(highest, _highest(part, first, last, frames, frame_rate))
    values = {"onset": onset, "activity": activity}
    if are_pitched:
        chroma /= np.maximum(chroma.max(axis=0), 1e-6)
        values |= {f"chroma_{kind}": curve for kind, curve in enumerate(chroma)} | {"pitch": highest}
    return Curves(frame_rate, values)


def _highest(
    part: Sounding,
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    frames: int,
    frame_rate: int,
) -> Floats:
    curve = np.full(frames, np.nan, np.float32)
    for note in np.argsort(part.pitch, kind="stable"):
        curve[first[note] : last[note]] = part.pitch[note]
    # Where the frame ends, as what begins in it is bent by then.
    curve += part.bend_at((np.arange(frames) + 1) / frame_rate - 1e-6).astype(np.float32)
    return curve
