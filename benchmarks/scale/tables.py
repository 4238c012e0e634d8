"""The questions that docs/scale.md answers, put to the simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from benchmarks.scale.load import COLD_SECONDS, Mix
from benchmarks.scale.simulation import Outcome, Simulation, Song, Workers

CAPS = (5, 50, 250, 1000)
FACTORS = (1.0, 2.0, 4.0)
BURSTS = (100, 1000, 10_000)
LOADS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
OWNERS = 100
# The knee: the greatest load of LOADS at which 95 of 100 songs begin within so many seconds.
KNEE_SECONDS = 15.0
UPLOADS_AN_HOUR = 10_000


@dataclass(frozen=True)
class Waits:
    """Seconds until work begins, of 50, 95 and 99 of 100 songs at most."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, waits: Sequence[float]) -> Waits:
        """The percentiles of those that ended."""
        return cls.ranked(sorted(wait for wait in waits if wait < inf))

    @classmethod
    def ranked(cls, waits: Sequence[float]) -> Waits:
        """The percentiles of waits in their order, each the wait of a song (nearest rank)."""
        return cls(*(waits[max(0, ceil(share * len(waits)) - 1)] for share in (0.5, 0.95, 0.99)))


def workers(most: int, factor: float) -> Workers:
    """Lambda's, as far as they are known."""
    return Workers(most, factor, cold=COLD_SECONDS)


def steady(most: int, factor: float, load: float, seed: int) -> Waits:
    """Waits at a share of what the workers can do, once they have come."""
    mix = Mix(seed)
    one = replace(workers(most, factor), at_once=most)
    a_second = load * most / (mix.mean * factor)
    # Enough songs for the tail; of the first quarter none is counted, until all environments are there.
    span = max(20_000, 40 * most) / a_second
    outcome = Simulation(one, seed).run(mix.poisson(a_second, span, max(OWNERS, most)))
    return Waits.of(after(outcome, span / 4))


def after(outcome: Outcome, moment: float) -> list[float]:
    """The waits of songs that came after a moment."""
    return [wait for song, wait in zip(outcome.songs, outcome.waits, strict=True) if song.at >= moment]


def songs_a_minute(most: int, factor: float) -> float:
    """What the workers can do at most."""
    return 60 * most / (Mix(0).mean * factor)


def burst(songs: int, most: int, factor: float, seed: int) -> tuple[float, float]:
    """Seconds until the first song of a burst is done, and until all are."""
    outcome = Simulation(workers(most, factor), seed).run(Mix(seed).burst(songs, OWNERS))
    return min(outcome.ends), outcome.seconds


def uploads_an_hour(most: int, factor: float, seed: int) -> Outcome:
    """An hour of UPLOADS_AN_HOUR songs."""
    songs = Mix(seed).poisson(UPLOADS_AN_HOUR / 3600, 3600, OWNERS)
    return Simulation(workers(most, factor), seed).run(songs)


@dataclass(frozen=True)
class Neighbours:
    """What others see without one owner's many songs, and beside them; and how long those took.

    Attributes
    ----------
    without, beside
        Seconds until work on their songs begins.
    done_without, done_beside
        Seconds until their songs are done.
    """

    without: Waits
    beside: Waits
    done_without: Waits
    done_beside: Waits
    noisy_seconds: float


def neighbours(most: int, factor: float, load: float, songs: int, seed: int) -> Neighbours:
    """Nine owners at a share of what the workers can do, and one who sends many songs at once."""
    mix = Mix(seed)
    a_second = load * most / (mix.mean * factor)
    calm = songs * mix.mean * factor / most / (1 - load)  # about as long as the many take
    others = mix.poisson(a_second, 3 * calm, 9)
    many = [replace_owner(song) for song in mix.burst(songs, 1, calm / 2)]
    one = workers(most, factor)
    quiet = Simulation(one, seed).run(others)
    loud = Simulation(one, seed).run([*others, *many])
    theirs = [end for song, end in zip(loud.songs, loud.ends, strict=True) if song.owner == NOISY]
    end = max(theirs)

    def while_many(outcome: Outcome) -> tuple[Waits, Waits]:
        found = [
            (wait, done - song.at)
            for song, wait, done in zip(outcome.songs, outcome.waits, outcome.ends, strict=True)
            if song.owner != NOISY and calm / 2 <= song.at <= end
        ]
        waits, until_done = zip(*found, strict=True)
        return Waits.of(waits), Waits.of(until_done)

    (without, done_without), (beside, done_beside) = while_many(quiet), while_many(loud)
    return Neighbours(without, beside, done_without, done_beside, end - calm / 2)


NOISY = -1


def replace_owner(song: Song) -> Song:
    """The song as the noisy owner's."""
    return replace(song, owner=NOISY)
