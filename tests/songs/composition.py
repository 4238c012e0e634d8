"""Composes songs: the same seed gives the same song."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.events import Beat, Drum, Hit, Key, Mode, Note

PITCHES: Mapping[Drum, tuple[int, ...]] = {
    "kick": (36, 35),
    "snare": (38, 40),
    "closed_hat": (42, 44),
    "open_hat": (46,),
    "tom": (50, 48, 45, 43),
    "crash": (49, 57),
    "ride": (51, 59),
}
_SCALES: Mapping[Mode, tuple[int, ...]] = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# Degrees of the scale, a bar each, from 0.
_PROGRESSIONS: Mapping[Mode, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 4)),
}


class _Groove(NamedTuple):
    """Where in a bar, in quarters, drums are hit."""

    kick: tuple[float, ...]
    snare: tuple[float, ...]
    cymbal: Drum
    steps: float  # quarters between two strokes of the cymbal


_GROOVES: Mapping[int, tuple[_Groove, ...]] = {
    4: (
        _Groove((0, 2), (1, 3), "closed_hat", 0.5),
        _Groove((0, 1.5, 2), (1, 3), "closed_hat", 0.5),
        _Groove((0, 1, 2, 3), (1, 3), "closed_hat", 0.5),
        _Groove((0, 0.75, 2.5), (1, 3), "closed_hat", 0.25),
        _Groove((0, 2, 2.5), (1, 3), "ride", 0.5),
    ),
    3: (
        _Groove((0,), (1, 2), "closed_hat", 0.5),
        _Groove((0, 2.5), (1, 2), "closed_hat", 1),
        _Groove((0,), (2,), "ride", 1),
        _Groove((0, 1.5), (1, 2), "closed_hat", 0.5),
    ),
}


@dataclass(frozen=True)
class Composition:
    """What is played, and when: the truth of a song.

    Attributes
    ----------
    bpm : float
    meter : int
    key : Key
    duration : float
    beats : tuple of Beat
    hits : tuple of Hit
        Of the drums.
    pitches : tuple of int
        The General MIDI note of each hit.
    notes : mapping of str to tuple of Note
        Of `bass`, `piano` and `lead`.
    """

    bpm: float
    meter: int
    key: Key
    duration: float
    beats: tuple[Beat, ...]
    hits: tuple[Hit, ...]
    pitches: tuple[int, ...]
    notes: Mapping[str, tuple[Note, ...]]

    @property
    def beat_times(self) -> list[float]:
        return [beat.time for beat in self.beats]

    @property
    def downbeat_times(self) -> list[float]:
        return [beat.time for beat in self.beats if beat.beat == 1]

    def onset_times(self, part: str) -> list[float]:
        """When anything begins in a part; what begins together counts once."""
        events = self.hits if part == "drums" else self.notes[part]
        times = sorted(event.time for event in events)
        return [time for time, before in zip(times, [-1.0, *times], strict=False) if time - before > 0.01]


def compose(seed: int, bpm: float, meter: int = 4, bars: int = 16) -> Composition:
    """Compose a song of drums, bass, piano and a lead that pauses every other two bars.

    Parameters
    ----------
    seed : int
        Chooses key, chords, groove, melody, fills, and a silence of up to a second before it all.
    bpm : float
        Quarter notes a minute; each is a beat.
    meter : int
        3 or 4 of them in a bar.
    bars : int
        The last beat is the downbeat after them.
    """
    writer = _Writer(np.random.default_rng(seed), bpm, meter, bars)
    drums = writer.drums()
    beats = [
        Beat(writer.time(0, quarter), 1 + quarter // meter, 1 + quarter % meter)
        for quarter in range(bars * meter + 1)
    ]
    return Composition(
        bpm,
        meter,
        Key(writer.tonic, writer.mode, 1.0),
        writer.time(bars) + 1.5,
        tuple(beats),
        tuple(hit for hit, _ in drums),
        tuple(pitch for _, pitch in drums),
        {"bass": writer.bass(), "piano": writer.piano(), "lead": writer.lead()},
    )


class _Writer:
    def __init__(self, random: np.random.Generator, bpm: float, meter: int, bars: int) -> None:
        self._random = random
        self._quarter = 60 / bpm
        self._meter = meter
        self._bars = bars
        self._begin = random.uniform(0.2, 1.0)
        self.tonic = int(random.integers(12))
        modes: tuple[Mode, ...] = ("major", "minor")
        self.mode: Mode = modes[random.integers(2)]
        progressions = _PROGRESSIONS[self.mode]
        self._progression = progressions[random.integers(len(progressions))]

    def time(self, bar: int, quarter: float = 0) -> float:
        """In seconds."""
        return self._begin + (bar * self._meter + quarter) * self._quarter

    def drums(self) -> list[tuple[Hit, int]]:
        """A groove, with a fill and a crash every four bars."""
        grooves = _GROOVES[self._meter]
        groove = grooves[self._random.integers(len(grooves))]
        hits: list[tuple[Hit, int]] = []

        def hit(bar: int, quarter: float, drum: Drum, velocity: float, variant: int = 0) -> None:
            late = float(np.clip(self._random.normal(0, 0.002), -0.005, 0.005))
            loud = float(np.clip(velocity + self._random.normal(0, 0.05), 0.2, 1))
            at = max(0.0, self.time(bar, quarter) + late)
            hits.append((Hit(at, drum, loud), PITCHES[drum][variant]))

        for bar in range(self._bars):
            fill = bar % 4 == 3
            until = self._meter - 1 if fill else self._meter
            for quarter in groove.kick:
                if quarter < until:
                    hit(bar, quarter, "kick", 0.9)
            for quarter in groove.snare:
                if quarter < until:
                    hit(bar, quarter, "snare", 0.85)
            for step in range(round(until / groove.steps)):
                quarter = step * groove.steps
                opened = groove.cymbal == "closed_hat" and quarter == until - 0.5 and bar % 2 == 1
                drum: Drum = "open_hat" if opened else groove.cymbal
                hit(bar, quarter, drum, 0.7 if quarter % 1 == 0 else 0.5)
            if fill:
                for step in range(4):
                    hit(bar, until + step / 4, "tom", 0.8, step)
            if bar % 4 == 0:
                hit(bar, 0, "crash", 0.8)
        hit(self._bars, 0, "kick", 0.9)
        hit(self._bars, 0, "crash", 0.9)
        return sorted(hits, key=lambda each: each[0].time)

    def bass(self) -> tuple[Note, ...]:
        """The chord's root, in quarters or halves of them, now and then its fifth or octave."""
        step = float(self._random.choice([0.5, 1.0]))
        notes = []
        for bar in range(self._bars):
            root = 28 + (self._pitch_class(bar, 0) - 28) % 12
            for index in range(round(self._meter / step)):
                up = 0 if index == 0 else int(self._random.choice([0, 0, 0, 7, 12]))
                notes.append(self._note(bar, index * step, 0.9 * step, root + up, 0.8))
        notes.append(self._note(self._bars, 0, 1, 28 + (self._pitch_class(0, 0) - 28) % 12, 0.8))
        return tuple(notes)

    def piano(self) -> tuple[Note, ...]:
        """Triads: once a bar and again somewhere in it."""
        again = float(self._random.choice([1.0, 1.5, 2.0])) if self._meter == 4 else 1.0
        notes = []
        for bar in range(self._bars + 1):
            begins = [(0.0, again), (again, self._meter - again)] if bar < self._bars else [(0.0, 1.0)]
            for quarter, length in begins:
                for degree in (0, 2, 4):
                    pitch = 55 + (self._pitch_class(bar, degree) - 55) % 12
                    notes.append(self._note(bar, quarter, 0.95 * length, pitch, 0.6))
        return tuple(notes)

    def lead(self) -> tuple[Note, ...]:
        """A melody over bars 1, 2, 5, 6 and so on, that begins and ends with notes of the chord."""
        notes = []
        scale = _SCALES[self.mode]
        place = 0
        for bar in (bar for bar in range(self._bars) if bar % 4 < 2):
            quarter = 0.0
            while quarter < self._meter:
                length = float(self._random.choice([0.5, 1.0, 1.0, 1.5]))
                length = min(length, self._meter - quarter)
                place = int(np.clip(place + self._random.choice([-2, -1, 1, 2]), -3, 7))
                pitch = 67 + (self.tonic - 67) % 12 + 12 * (place // 7) + scale[place % 7]
                notes.append(self._note(bar, quarter, 0.9 * length, pitch, 0.8))
                quarter += length
        return tuple(notes)

    def _pitch_class(self, bar: int, degree: int) -> int:
        chord = self._progression[bar % 4] if bar < self._bars else 0
        return (self.tonic + _SCALES[self.mode][(chord + degree) % 7]) % 12

    def _note(self, bar: int, quarter: float, length: float, pitch: int, velocity: float) -> Note:
        loud = float(np.clip(velocity + self._random.normal(0, 0.05), 0.2, 1))
        return Note(self.time(bar, quarter), length * self._quarter, pitch, loud)
