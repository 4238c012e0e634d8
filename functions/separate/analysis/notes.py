"""Notes of an instrument: from the activations of Basic Pitch, by rules for each kind of stem."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.basic_pitch import (
    FRAME_RATE,
    LOWEST,
    NOTES,
    SAMPLE_RATE,
    BasicPitch,
    NoteActivations,
    NoteListener,
)
from analysis.events import Note
from analysis.frames import Framer, hann, magnitudes, mixed_down
from analysis.rows import Rows
from analysis.velocities import RANGE, loud, velocity
from media.resampling import Resampler
from media.samples import Samples


class Rules(NamedTuple):
    """What counts as a note in a stem.

    Attributes
    ----------
    lowest, highest : int
        MIDI's numbers.
    beginning : float
        The activation at which a note begins.
    sounding : float
        The activation below which it ends.
    monophonic : bool
        Whether there is one note at a time.
    mixed : bool
        Whether several instruments play, so that notes of one are where harmonics of another are.
    """

    lowest: int
    highest: int
    beginning: float
    sounding: float
    monophonic: bool
    mixed: bool


_HIGHEST = LOWEST + NOTES - 1
RULES: Mapping[str, Rules] = {
    "bass": Rules(23, 60, 0.6, 0.3, monophonic=True, mixed=False),  # five strings begin at B0
    "accompaniment": Rules(LOWEST, _HIGHEST, 0.6, 0.4, monophonic=False, mixed=True),
}
_OTHERS = Rules(LOWEST, _HIGHEST, 0.65, 0.4, monophonic=False, mixed=False)

_PEAK_REACH = 3  # frames around a note's beginning that are no surer of it
_SHORTEST = 6  # frames of a note, 70 ms
_GAP = 6  # frames in which a note may fall silent without having ended
# Semitones from a tone to those of its harmonics, 2 to 6, that are on the piano's grid.
_HARMONICS = (12, 19, 24, 28, 31)
_HARMONIC_GAIN = 6.0  # dB by which a harmonic may be louder than its fundamental
_TOGETHER = 4  # frames within which notes begin at once
_STRUM = 5  # the same, for an instrument that plays one note at a time

_LEVEL_RATE = 20  # levels a second
_LEVEL_SIZE = 4096
_ATTACK = 4  # levels from a note's beginning on, of which the loudest is the note's
_FLOOR = 1e-12  # -120 dB


class NoteTranscriber:
    """Finds the notes of a stem as it comes.

    Parameters
    ----------
    sample_rate : int
        Of the stem, in Hz.
    role : str
        The stem's, which the rules go by.
    network : BasicPitch
    """

    def __init__(self, sample_rate: int, role: str, network: BasicPitch) -> None:
        self._rules = RULES.get(role, _OTHERS)
        self._resampler = Resampler(sample_rate, SAMPLE_RATE, 1)
        self._listener = NoteListener(network)
        self._levels = _NoteLevels()

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        self._hear(self._resampler.add(mixed_down(samples)))

    def finish(self) -> tuple[Note, ...]:
        """Give the notes of all that was heard, by time."""
        self._hear(self._resampler.finish())
        return transcribed(self._listener.finish(), self._levels.finish(), self._rules)

    def _hear(self, mono: Samples) -> None:
        self._listener.add(mono[:, 0])
        self._levels.add(mono)


def transcribed(
    activations: NoteActivations, levels: npt.NDArray[np.float32], rules: Rules
) -> tuple[Note, ...]:
    """Make notes of activations.

    A note begins where the network is surest that it does, and ends where it sounds no more or begins anew.
    What is far softer than the stem's loud notes has leaked into it. What begins while a surer tone sounds an
    octave or another harmonic below is that tone's harmonic, if one instrument plays.

    Parameters
    ----------
    activations : NoteActivations
    levels : ndarray (any, 88), float32
        In dB, of each note's fundamental, 20 times a second.
    rules : Rules
    """
    found = _found(activations, levels, rules)
    loudest = loud(np.array([note.level for note in found]))
    notes = [note for note in found if note.level >= loudest - RANGE]
    if not rules.mixed:
        notes = _without_harmonics(notes)
    notes.sort()
    if rules.monophonic:
        notes = _one_at_a_time(notes)
    return tuple(
        Note(
            note.begin / FRAME_RATE,
            (note.end - note.begin) / FRAME_RATE,
            note.pitch,
            velocity(note.level, loudest),
        )
        for note in notes
    )


class _Found(NamedTuple):
    """A note from frame `begin` to `end`; how sure it is, on the whole; its level in dB."""

    begin: int
    pitch: int
    end: int
    sureness: float
    level: float


def _found(activations: NoteActivations, levels: npt.NDArray[np.float32], rules: Rules) -> list[_Found]:
    found: list[_Found] = []
    if not len(activations.sounding):
        return found
    for pitch in range(rules.lowest, rules.highest + 1):
        sounding = activations.sounding[:, pitch - LOWEST].astype(np.float32)
        begins = _peaks(activations.beginning[:, pitch - LOWEST].astype(np.float32), rules.beginning)
        if not len(begins):
            continue
        quiet = np.pad(sounding < rules.sounding, (0, _GAP), constant_values=True)
        ends = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(quiet, _GAP).all(axis=1))
        for begin, another in zip(begins, [*begins[1:], len(sounding)], strict=True):
            end = int(min(another, ends[np.searchsorted(ends, begin + 1)]))
            if end - begin >= _SHORTEST:
                sureness = float(sounding[begin:end].mean())
                level = _level(levels[:, pitch - LOWEST], begin, end)
                found.append(_Found(int(begin), pitch, end, sureness, level))
    return found


def _peaks(activation: npt.NDArray[np.float32], least: float) -> npt.NDArray[np.intp]:
    highest = np.lib.stride_tricks.sliding_window_view(
        np.pad(activation, _PEAK_REACH), 2 * _PEAK_REACH + 1
    ).max(axis=1)
    peaks = np.flatnonzero((activation == highest) & (activation >= least))
    return peaks[np.diff(peaks, prepend=-_PEAK_REACH - 1) > _PEAK_REACH]  # of equal ones, the first


def _level(levels: npt.NDArray[np.float32], begin: int, end: int) -> float:
    first = round(begin / FRAME_RATE * _LEVEL_RATE)
    last = min(first + _ATTACK, max(first + 1, round(end / FRAME_RATE * _LEVEL_RATE)))
    return float(levels[first : last + 1].max(initial=10 * np.log10(_FLOOR)))


def _without_harmonics(notes: list[_Found]) -> list[_Found]:
    by_pitch: defaultdict[int, list[_Found]] = defaultdict(list)
    for note in notes:  # of one pitch in the order of time
        by_pitch[note.pitch].append(note)

    def is_harmonic_of(note: _Found, lower: list[_Found]) -> bool:
        # Notes of one pitch do not overlap: one of the last two that have begun by then sounds.
        begun = bisect_right(lower, note.begin + _TOGETHER, key=lambda tone: tone.begin)
        for tone in lower[max(0, begun - 2) : begun]:
            sounds = tone.begin - _TOGETHER <= note.begin < tone.end - 2
            if sounds and tone.sureness > note.sureness and tone.level >= note.level - _HARMONIC_GAIN:
                return True
        return False

    return [
        note
        for note in notes
        if not any(is_harmonic_of(note, by_pitch[note.pitch - interval]) for interval in _HARMONICS)
    ]


def _one_at_a_time(notes: Iterable[_Found]) -> list[_Found]:
    kept: list[_Found] = []
    for note in notes:
        if kept and note.begin - kept[-1].begin <= _STRUM:
            if note.sureness > kept[-1].sureness:
                kept[-1] = note
            continue
        if kept and kept[-1].end > note.begin:
            kept[-1] = kept[-1]._replace(end=note.begin)
        kept.append(note)
    return kept


class _NoteLevels:
    """The level of each note's fundamental, in mono samples at 22,050 Hz as they come."""

    def __init__(self) -> None:
        self._framer = Framer(SAMPLE_RATE, _LEVEL_RATE, _LEVEL_SIZE, _LEVEL_SIZE // 2, 1)
        self._window = hann(_LEVEL_SIZE)
        # Half a semitone to either side, but no less than the spectrum resolves.
        spacing = SAMPLE_RATE / _LEVEL_SIZE
        frequencies = np.arange(_LEVEL_SIZE // 2 + 1) * spacing
        fundamentals = 440 * 2 ** ((LOWEST - 69 + np.arange(NOTES)) / 12)
        reach = np.maximum(fundamentals * (2 ** (1 / 24) - 1), spacing)
        self._bins = (np.abs(frequencies[:, np.newaxis] - fundamentals) <= reach).astype(np.float32)
        self._levels = Rows(np.float32, NOTES)

    def add(self, mono: Samples) -> None:
        self._hear(self._framer.add(mono))

    def finish(self) -> npt.NDArray[np.float32]:
        self._hear(self._framer.finish())
        return self._levels.all()

    def _hear(self, batches: Iterable[Samples]) -> None:
        for frames in batches:
            powers = np.zeros((frames.shape[1], NOTES), np.float32)
            if frames.any():
                powers = (2 * magnitudes(frames[0], self._window) / self._window.sum()) ** 2 @ self._bins
            self._levels.add(10 * np.log10(powers + np.float32(_FLOOR)))
