"""Sounds of which every partial is known."""

from collections.abc import Iterable

import numpy as np

from analysis.events import Note
from media.samples import Samples


def hertz(pitch: float) -> float:
    """Of MIDI's note numbers."""
    return float(440 * 2 ** ((pitch - 69) / 12))


def plucked(notes: Iterable[Note], seconds: float, sample_rate: int = 44_100) -> Samples:
    """Notes of eight partials that fade, as loud as their velocities, shape (any, 2)."""
    sound = np.zeros(round(seconds * sample_rate))
    for note in notes:
        time = np.arange(round(note.duration * sample_rate)) / sample_rate
        envelope = (
            np.minimum(1, time / 0.005) * np.exp(-2 * time) * np.minimum(1, (note.duration - time) / 0.02)
        )
        partials = sum(np.sin(2 * np.pi * hertz(note.pitch) * k * time) / k**1.5 for k in range(1, 9))
        begin = round(note.time * sample_rate)
        sound[begin : begin + len(time)] += 0.2 * note.velocity**2 * envelope * partials
    return np.repeat(sound[:, np.newaxis], 2, axis=1).astype(np.float32)


def blocks(samples: Samples, seed: int) -> list[Samples]:
    """The samples cut anywhere, some blocks being empty."""
    cuts = np.random.default_rng(seed).integers(0, len(samples), 40)
    return np.split(samples, np.sort(np.append(cuts, cuts[:3])))
