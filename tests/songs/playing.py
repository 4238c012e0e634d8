"""Plays compositions with a soundfont."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tinysoundfont

from media.samples import CHANNELS, SAMPLE_RATE, Samples
from tests.songs.composition import Composition

# General MIDI's programs, from 0, and how loud each part is.
_PROGRAMS = {"bass": 33, "piano": 0, "lead": 53}
_LEVELS = {"drums": 0.8, "bass": 0.7, "piano": 1.6, "lead": 1.6}
_DRUM_SECONDS = 0.1
_PEAK = 0.9


@dataclass(frozen=True)
class Song:
    """A composition, and how each part of it sounds.

    Attributes
    ----------
    truth : Composition
    parts : mapping of str to ndarray (any, 2), float32
        `drums`, `bass`, `piano` and `lead` at 44.1 kHz, equally long.
    """

    truth: Composition
    parts: Mapping[str, Samples]

    @property
    def mix(self) -> Samples:
        """Its parts' sum, which stays within +-0.9."""
        return np.sum(list(self.parts.values()), axis=0, dtype=np.float32)


def play(composition: Composition, soundfont: Path, kit: int = 0) -> Song:
    """Play it.

    Parameters
    ----------
    composition : Composition
    soundfont : Path
        An sf2 or sf3 file with General MIDI's programs.
    kit : int
        The program of the drums.
    """
    hits = zip(composition.hits, composition.pitches, strict=True)
    events = {"drums": [(hit.time, _DRUM_SECONDS, pitch, hit.velocity) for hit, pitch in hits]}
    for part, notes in composition.notes.items():
        events[part] = [(note.time, note.duration, note.pitch, note.velocity) for note in notes]
    samples = round(composition.duration * SAMPLE_RATE)
    parts = {}
    for part, played in events.items():
        program = kit if part == "drums" else _PROGRAMS[part]
        parts[part] = _played(played, soundfont, program, part == "drums", samples) * _LEVELS[part]
    scale = np.float32(_PEAK / np.abs(np.sum(list(parts.values()), axis=0)).max())
    return Song(composition, {part: sound * scale for part, sound in parts.items()})


def _played(
    events: Iterable[tuple[float, float, int, float]], soundfont: Path, program: int, drums: bool, samples: int
) -> Samples:
    synth = tinysoundfont.Synth(gain=-12, samplerate=SAMPLE_RATE)
    bank = synth.sfload(str(soundfont))
    synth.program_select(0, bank, 128 if drums else 0, program, drums)
    orders: list[tuple[int, int, int]] = []  # sample, velocity, pitch: notes end before others begin
    for time, duration, pitch, velocity in events:
        orders.append((round(time * SAMPLE_RATE), max(1, round(127 * velocity)), pitch))
        orders.append((round((time + duration) * SAMPLE_RATE), 0, pitch))
    blocks = []
    now = 0
    for sample, velocity, pitch in sorted(orders):
        if sample > now:
            blocks.append(_generated(synth, sample - now))
            now = sample
        if velocity:
            synth.noteon(0, pitch, velocity)
        else:
            synth.noteoff(0, pitch)
    blocks.append(_generated(synth, samples - now))
    return np.concatenate(blocks)[:samples]


def _generated(synth: tinysoundfont.Synth, samples: int) -> Samples:
    return np.frombuffer(synth.generate(max(0, samples)), np.float32).reshape(-1, CHANNELS).copy()
