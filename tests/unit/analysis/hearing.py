"""What analysers are given: sound in blocks."""

from typing import Protocol, TypeVar

import numpy as np

from media.samples import SAMPLE_RATE, Samples


class Hearer(Protocol):
    """What hears samples."""

    def add(self, samples: Samples) -> None:
        """Hear."""


HearerT = TypeVar("HearerT", bound=Hearer)


def hear(hearer: HearerT, samples: Samples, block: int = 1 << 18) -> HearerT:
    """Let it hear samples, so many at a time."""
    for begin in range(0, len(samples), block):
        hearer.add(samples[begin : begin + block])
    return hearer


def sine(
    frequency: float, seconds: float = 2, sample_rate: int = SAMPLE_RATE, amplitude: float = 1
) -> Samples:
    """On both channels."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    wave = amplitude * np.sin(2 * np.pi * frequency * time)
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)
