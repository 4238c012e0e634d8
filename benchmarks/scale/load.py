"""Songs that come: when, whose, and what work they are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import log
from random import Random

from benchmarks.scale.simulation import Song

# Seconds through the pipeline of a local cloud, warm, of a song of 180 s on two cores (docs/scale.md), and
# the share among the songs that come: 2stems and 4stems as WAV; both with everything.
MEASURED = ((3.0, 0.6), (4.8, 0.3), (9.85, 0.07), (15.64, 0.03))
# How much longer the first song of a process took: 4.7 s, not 3.0.
COLD_SECONDS = 1.7
# Songs are no more equal than this: their lengths in units of 180 s, each as often as the others.
LENGTHS = (0.5, 0.8, 0.95, 1.05, 1.2, 1.5)


class Mix:
    """Draws songs as they are measured; ``mean`` is the seconds of work that one is, on average."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - chance, not a secret
        self._seconds, self._weights = zip(*MEASURED, strict=True)
        self.mean = sum(s * w for s, w in MEASURED) * sum(LENGTHS) / len(LENGTHS)

    def work(self) -> float:
        """Seconds of work that the next song is."""
        (seconds,) = self._chance.choices(self._seconds, self._weights)
        return seconds * self._chance.choice(LENGTHS)

    def poisson(self, a_second: float, seconds: float, owners: int, since: float = 0.0) -> list[Song]:
        """Songs that come independently of each other, of so many owners."""
        songs, at = [], since
        while (at := at + self._chance.expovariate(a_second)) < since + seconds:
            songs.append(Song(at, self._chance.randrange(owners), self.work()))
        return songs

    def burst(self, songs: int, owners: int, at: float = 0.0) -> list[Song]:
        """Songs that come at once, of owners in turn."""
        return [Song(at, number % owners, self.work()) for number in range(songs)]


def exponential(mean: float, songs: int, seed: int, mirrored: bool = False) -> list[float]:
    """Seconds drawn from an exponential distribution.

    Those that are mirrored are short where the others are long: the mean of what comes of both varies less
    (antithetic variates).
    """
    chance = Random(seed)  # noqa: S311 - chance, not a secret
    drawn = (chance.random() for _ in range(songs))
    # 0 has no logarithm.
    return [-mean * log(max(1 - one if mirrored else one, 1e-16)) for one in drawn]


def independent(gaps: Sequence[float], works: Sequence[float]) -> list[Song]:
    """Songs of an owner each, which no line holds up, as queueing theory has customers."""
    came = zip(accumulate(gaps), works, strict=True)
    return [Song(at, owner, work) for owner, (at, work) in enumerate(came)]
