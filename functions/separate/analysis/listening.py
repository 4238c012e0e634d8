"""Listens to one track of a song as it comes: each analyser that its role asks for hears all of it, once."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from analysis.activity import LevelMeter, stretches
from analysis.basic_pitch import BasicPitch
from analysis.beatnet import read_weights
from analysis.beats import BeatTracker
from analysis.curves import CurveMeter
from analysis.drums import DrumHits
from analysis.events import Curves, Hit, Loudness, Note, Stem
from analysis.loudness import LoudnessMeter
from analysis.notes import NoteTranscriber
from analysis.onsets import OnsetDetector, Onsets
from analysis.pitch import PitchListener, PitchTrack, SwiftF0, sung_notes
from analysis.roles import Role
from analysis.weights import load_bytes
from media.samples import SAMPLE_RATE, Samples


# A process keeps its networks, as it keeps the separation's.
@lru_cache(maxsize=1)
def basic_pitch(models: Path) -> BasicPitch:
    """The network for notes, loaded."""
    return BasicPitch(models)


@lru_cache(maxsize=1)
def swift_f0(models: Path) -> SwiftF0:
    """The network for pitch, loaded."""
    return SwiftF0(models)


@dataclass(frozen=True)
class Heard:
    """What was found in a track by itself.

    Attributes
    ----------
    levels : ndarray
        As `activity.LevelMeter` gives them.
    """

    levels: npt.NDArray[np.float32]
    loudness: Loudness
    onsets: Onsets
    curves: Curves
    notes: tuple[Note, ...] | None
    hits: tuple[Hit, ...] | None

    def stem(self, seconds: float, mix: npt.NDArray[np.float32] | None) -> Stem:
        """As it is in the song, which lasts so long, and whose levels are those of `mix` where a separator
        made the track of it."""
        # The last level is of a time that the song may end in.
        active = (replace(one, end=min(one.end, seconds)) for one in stretches(self.levels, mix))
        return Stem(
            loudness=self.loudness,
            active=tuple(one for one in active if one.start < one.end),
            onsets=self.onsets.onsets,
            curves=self.curves,
            notes=self.notes,
            hits=self.hits,
        )


class Ear:
    """Hears a track at 44.1 kHz.

    Parameters
    ----------
    role : Role or "mix"
        Which says what is listened for.
    frame_rate : int
        Of the curves; one of `events.FRAME_RATES`.
    notes : bool
        Whether to find notes and pitch.
    models : Path
        Where the networks are.

    Raises
    ------
    ModelMissingError, ModelDamagedError
    """

    def __init__(self, role: Role | Literal["mix"], frame_rate: int, models: Path, *, notes: bool) -> None:
        self._levels = LevelMeter(SAMPLE_RATE)
        self._loudness = LoudnessMeter(SAMPLE_RATE)
        self._onsets = OnsetDetector(SAMPLE_RATE, percussive=role in ("mix", "drums"))
        self._curves = CurveMeter(SAMPLE_RATE, frame_rate)
        self._hits = DrumHits(SAMPLE_RATE) if role == "drums" else None
        self._pitch: PitchListener | None = None
        self._notes: NoteTranscriber | None = None
        if notes and role == "vocals":
            self._pitch = PitchListener(SAMPLE_RATE, swift_f0(models))
        elif notes and role not in ("mix", "drums"):
            self._notes = NoteTranscriber(SAMPLE_RATE, role, basic_pitch(models))
        # Beats are the mix's, and wait for the onsets of its drums.
        self.beats = (
            BeatTracker(SAMPLE_RATE, read_weights(load_bytes("beatnet", models))) if role == "mix" else None
        )
        ears = (self._levels, self._loudness, self._onsets, self._curves)
        special = (self._hits, self._pitch, self._notes, self.beats)
        self._ears = (*ears, *(ear for ear in special if ear is not None))

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        for ear in self._ears:
            ear.add(samples)

    def finish(self) -> Heard:
        """Give what was found in all that was heard, but for beats."""
        onsets = self._onsets.finish()
        curves = self._curves.finish(onsets.strength)
        notes = self._notes.finish() if self._notes else None
        if self._pitch:
            track = self._pitch.finish()
            notes = sung_notes(track)
            curves = _with_pitch(curves, track)
        return Heard(
            levels=self._levels.finish(),
            loudness=self._loudness.finish(),
            onsets=onsets,
            curves=curves,
            notes=notes,
            hits=self._hits.finish() if self._hits else None,
        )


def _with_pitch(curves: Curves, track: PitchTrack) -> Curves:
    """The curves with `pitch`, in MIDI's numbers, between which it glides."""
    hertz = track.curve(curves.frame_rate, len(curves.values["rms"]))
    pitch = (69 + 12 * np.log2(hertz / np.float32(440))).astype(np.float32)
    return replace(curves, values={**curves.values, "pitch": pitch})
