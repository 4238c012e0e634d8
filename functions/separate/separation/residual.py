"""How nearly stems sum to their song."""

import math
from collections.abc import Sequence

import numpy as np

from media.samples import Samples

FLOOR_DB = -144.0
"""No residual is less: beyond it are the roundings of samples, which have 24 bits."""


class Residual:
    """What is left of a song when its stems are taken away, a stretch at a time.

    The stems are as they are before all of them get one gain, which is the song's then, too, and cancels.
    """

    def __init__(self) -> None:
        self._song = 0.0
        self._left = 0.0

    def add(self, song: Samples, stems: Sequence[Samples]) -> None:
        """Compare a stretch of the song with the same stretch of all its stems, each of shape (2, any)."""
        left = song - stems[0]
        for stem in stems[1:]:
            left -= stem
        self._song += _energy(song)
        self._left += _energy(left)

    @property
    def decibels(self) -> float | None:
        """Energy of what is left against the song's, in dB: 0 where the stems have nothing of it, and
        `FLOOR_DB` at least. None of a silent song."""
        if self._song == 0:
            return None
        share = self._left / self._song
        return max(FLOOR_DB, 10 * math.log10(share)) if share > 0 else FLOOR_DB


def _energy(samples: Samples) -> float:
    return float(np.einsum("ij,ij->", samples, samples))
