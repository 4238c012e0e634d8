"""Music beside the drums, for separations to leave traces of: bass, chords and a lead, out of a soundfont."""

from pathlib import Path

import numpy as np
import tinysoundfont

from media.samples import SAMPLE_RATE
from training.kits import Sound

_BASSES, _CHORDS, _LEADS = (
    (32, 33, 34, 38),
    (0, 4, 16, 24, 25, 27, 29, 48, 50, 88),
    (53, 56, 65, 73, 80, 81, 40),
)


def accompaniments(soundfont: Path, count: int, seconds: float, rng: np.random.Generator) -> list[Sound]:
    """So many pieces, each in a key, a tempo and instruments of its own."""
    synth = tinysoundfont.Synth(samplerate=SAMPLE_RATE)
    number = synth.sfload(str(soundfont))
    return [_piece(synth, number, seconds, rng) for _ in range(count)]


def _piece(synth: tinysoundfont.Synth, number: int, seconds: float, rng: np.random.Generator) -> Sound:
    synth.sounds_off()
    for channel, programs in enumerate((_BASSES, _CHORDS, _LEADS)):
        synth.program_select(channel, number, 0, int(rng.choice(programs)))
    tonic, eighth = int(rng.integers(12)), 30 / rng.uniform(70, 180)
    scale = (0, 2, 4, 5, 7, 9, 11) if rng.random() < 0.5 else (0, 2, 3, 5, 7, 8, 10)
    degree, sounding = 0, [0, 0, 0]
    pieces = []
    for step in range(int(np.ceil(seconds / eighth))):
        if step % 8 == 0:
            degree = int(rng.integers(7))
            for note in (0, 2, 4):
                at = degree + note
                synth.noteon(1, 60 + tonic + scale[at % 7] + 12 * (at // 7) - 12, int(rng.integers(50, 100)))
        if step % 8 == 7:
            synth.notes_off(1)
        if rng.random() < 0.5:
            synth.noteoff(0, sounding[0])
            sounding[0] = 28 + (tonic + scale[degree]) % 12
            synth.noteon(0, sounding[0], int(rng.integers(70, 120)))
        if rng.random() < 0.4:
            synth.noteoff(2, sounding[2])
            sounding[2] = 64 + (tonic + scale[int(rng.integers(7))]) % 12
            synth.noteon(2, sounding[2], int(rng.integers(60, 115)))
        stereo = np.frombuffer(synth.generate(int(eighth * SAMPLE_RATE)), np.float32).reshape(-1, 2)
        pieces.append(stereo.mean(axis=1))
    sound = np.concatenate(pieces)[: int(seconds * SAMPLE_RATE)]
    sound = np.pad(sound, (0, int(seconds * SAMPLE_RATE) - len(sound)))
    return (sound / max(float(np.abs(sound).max()), 1e-6)).astype(np.float32)
