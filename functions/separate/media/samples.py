"""What sound is between a song's file and its stems' files: float samples at one rate, of two channels."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 44_100  # Hz
CHANNELS = 2

Samples = npt.NDArray[np.float32]


def silence(count: int) -> Iterator[Samples]:
    """So many samples of it, about a second at a time; none if the count is less than 0."""
    for start in range(0, count, SAMPLE_RATE):
        yield np.zeros((CHANNELS, min(SAMPLE_RATE, count - start)), np.float32)
