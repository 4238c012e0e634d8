"""The songs that are separated, written piece by piece: this process must stay small.

A process inherits, in what Linux counts as its peak memory, the size of the one that started it.
"""

from __future__ import annotations

import wave
from itertools import cycle
from pathlib import Path

import numpy as np

from media.audio_input import AudioInput
from media.audio_output import quantize
from media.samples import CHANNELS, SAMPLE_RATE

LONGEST = 600.0  # seconds; Spleeter's command leaves out what comes after
_GAINS = [np.float32(gain) for gain in (1.0, 0.7, 0.9, 0.5, 0.8, 0.6)]


def tile(source: Path, path: Path, seconds: float) -> Path:
    """Write a WAV file of a song again and again, each time of another loudness, until it is long enough."""
    left = round(seconds * SAMPLE_RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((CHANNELS, 2, SAMPLE_RATE, 0, "NONE", ""))
        for gain in cycle(_GAINS):
            with AudioInput(source, LONGEST) as song:
                for block in song.blocks():
                    file.writeframes(quantize(gain * block[:, :left].T, 16).tobytes())
                    left -= block.shape[1]
                    if left <= 0:
                        return path
    raise AssertionError("cycle ends never")


def duration(song: Path) -> float:
    """Seconds of a song, by decoding it.

    Raises
    ------
    MediaError
        If it cannot be separated.
    """
    with AudioInput(song, LONGEST) as opened:
        for _ in opened.blocks():
            pass
        return opened.seconds
