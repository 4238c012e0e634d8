"""Curves of notes that nobody has heard: what sounds in each frame, as a MIDI file says it."""

from collections.abc import Iterable, Sequence
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


def curves_of(parts: Sequence[Sounding], duration: float, frame_rate: int, *, are_pitched: bool) -> Curves:
    """The curves of a stem.

    `onset` is the strongest note that begins in a frame and `activity` the strongest that sounds in it. Of
    pitched parts, `chroma_0` (C) to `chroma_11` (B) are the strongest that sounds of each pitch class, and
    `pitch` the highest that sounds, with its bend.

    Parameters
    ----------
    parts : sequence of Sounding
    duration : float
        Of the song, in seconds.
    frame_rate : int
    are_pitched : bool
    """
    frames = int(np.ceil(duration * frame_rate))
    onset = np.zeros(frames, np.float32)
    for part in parts:
        # A time that is a frame's own may be a hair before it.
        first = np.minimum((part.begin * frame_rate + 1e-6).astype(int), frames - 1)
        np.maximum.at(onset, first, part.velocity.astype(np.float32))
    values = {"onset": onset, "activity": _strongest(parts, frames, frame_rate, None)}
    if are_pitched:
        for kind in range(12):
            values[f"chroma_{kind}"] = _strongest(parts, frames, frame_rate, kind)
        values["pitch"] = _highest(parts, frames, frame_rate)
    return Curves(frame_rate, values)


def _strongest(parts: Iterable[Sounding], frames: int, frame_rate: int, kind: int | None) -> Floats:
    """The greatest velocity of what sounds in each frame, of one pitch class or of all."""
    curve = np.zeros(frames, np.float32)
    for part in parts:
        chosen = np.ones(len(part.pitch), bool) if kind is None else part.pitch % 12 == kind
        for velocity, sounds in _by_value(part, part.velocity, chosen, frames, frame_rate):
            np.maximum(curve, np.where(sounds, np.float32(velocity), 0), out=curve)
    return curve


def _highest(parts: Iterable[Sounding], frames: int, frame_rate: int) -> Floats:
    highest = np.full(frames, np.nan, np.float32)
    for part in parts:
        curve = np.full(frames, np.nan, np.float32)
        for pitch, sounds in _by_value(part, part.pitch, np.ones(len(part.pitch), bool), frames, frame_rate):
            curve[sounds] = pitch
        # Where the frame ends, as what begins in it is bent by then.
        curve += part.bend_at((np.arange(frames) + 1) / frame_rate - 1e-6).astype(np.float32)
        highest = np.fmax(highest, curve)
    return highest


def _by_value(
    part: Sounding,
    values: npt.NDArray[np.generic],
    chosen: npt.NDArray[np.bool_],
    frames: int,
    frame_rate: int,
) -> Iterable[tuple[float, npt.NDArray[np.bool_]]]:
    """Each value, the lowest first, with the frames in which notes that have it sound.

    There are few values, so that long notes cost no more than short ones.
    """
    first = np.clip((part.begin * frame_rate + 1e-6).astype(int), 0, frames)
    last = np.clip(np.ceil(part.end * frame_rate - 1e-6).astype(int), first + 1, frames)
    for value in np.unique(values[chosen]):
        has_it = chosen & (values == value)
        steps = np.bincount(first[has_it], minlength=frames + 1) - np.bincount(
            last[has_it], minlength=frames + 1
        )
        yield float(value), np.cumsum(steps)[:frames] > 0
