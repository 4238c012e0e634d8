"""The simulation against queueing theory, where that has an answer."""

from __future__ import annotations

from statistics import fmean
from typing import NamedTuple

from benchmarks.scale.formulas import mean_wait_constant, mean_wait_exponential
from benchmarks.scale.load import exponential, independent
from benchmarks.scale.simulation import Simulation, Workers

_SERVICE = 3.0


class Errors(NamedTuple):
    """By how much of itself the mean wait is other than theory's: M/M/c's, and M/D/c's."""

    exponential: float
    constant: float


def theory_errors(servers: int, utilisation: float, songs: int, seed: int) -> Errors:
    """Simulate twice as many songs as ``songs``, half of them mirrored, with each kind of service times.

    Theory is asked about the load and the service time as they were drawn, not as they were meant.
    """
    ratios: list[tuple[float, float]] = []
    for mirrored in (False, True):
        gaps = exponential(_SERVICE / servers / utilisation, songs, seed, mirrored)
        works = exponential(_SERVICE, songs, seed + 1_000_000, not mirrored)
        span = sum(gaps)
        ratios.append(
            (
                _mean_wait(servers, gaps, works)
                / mean_wait_exponential(servers, sum(works) / span, fmean(works)),
                _mean_wait(servers, gaps, [_SERVICE] * songs)
                / mean_wait_constant(servers, songs * _SERVICE / span, _SERVICE),
            )
        )
    return Errors(*(fmean(column) - 1 for column in zip(*ratios, strict=True)))


def _mean_wait(servers: int, gaps: list[float], works: list[float]) -> float:
    return fmean(Simulation(Workers(servers, at_once=servers)).run(independent(gaps, works)).waits)
