"""What memory a worker should have: an estimate for Lambda, from measurements elsewhere.

Lambda gives a processor for each 1,769 MB, which is one of the two threads of a core: all of it while the
other is idle, and about half of it while that is busy.
"""

from __future__ import annotations

from dataclasses import dataclass

from stempipe import prices

MB_A_PROCESSOR = 1769
SIZES = (1769, 2048, 3008, 3538, 5307, 7076, 10240)
"""3,008 MB is the most in many new accounts, and 10,240 in any."""


@dataclass(frozen=True)
class Measured:
    """Seconds that a job of 180 s took in a warm process on one core and on two; see docs/cost.md.

    ``one`` is None where only two were tried. One is taken to need twice as long then, which it does at most.
    """

    one: float | None
    two: float

    def on(self, cores: float) -> float:
        """Seconds on so many cores: in between by Amdahl's law. Beyond two nothing is claimed."""
        one = 2 * self.two if self.one is None else self.one
        if cores < 1:
            return one / cores
        divisible = 2 * (one - self.two)
        return one - divisible + divisible / min(cores, 2.0)


STEMS = Measured(3.61, 2.11)  # 2stems to WAV, by the native engine on AVX2
EVERYTHING = Measured(None, 9.85)  # 2stems, player and analysis
MOST = Measured(None, 15.64)  # 4stems, player and analysis


def usd(memory: int, seconds: float) -> float:
    """Of a worker's memory for so long."""
    return prices.GB_SECOND.of(memory / 1024 * seconds)
