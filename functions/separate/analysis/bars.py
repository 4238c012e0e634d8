"""Which beats are downbeats, and how many beats a bar has.

Three things tell: BeatNet's downbeats, harmony, which likes to change there, and what is struck, which is
often the same a bar later.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Frames = npt.NDArray[np.intp]

METERS = (3, 4)
_CELLS = 4  # parts of a beat, and
_POOLS = 8  # of the spectrum, in which something is struck or not
_HARMONY = slice(20, 110)  # BeatNet's bands from 330 Hz to 5 kHz
_NOVELTY_WEIGHT = 1.5
_NETWORK_WEIGHT = 0.4
_REPEATS_WEIGHT = 1.0
_SLIP = 8.0  # what a bar pays for a beat too few or too many


def bars(frames: Frames, down: Floats, bands: Floats) -> tuple[int, Frames]:
    """Find meter and bars.

    Parameters
    ----------
    frames : ndarray (beats,)
        Of BeatNet, at each beat.
    down : ndarray (beats,)
        How likely BeatNet holds each to be a downbeat, if it is a beat.
    bands : ndarray (frames, 136)
        BeatNet's.

    Returns
    -------
    meter : int
        3 or 4.
    places : ndarray (beats,)
        Each beat's place in its bar, from 0.
    """
    down = np.clip(down, 0.1, 0.9)
    evidence = _NETWORK_WEIGHT * np.log(down / (1 - down)) + _NOVELTY_WEIGHT * _novelty(frames, bands)
    struck = _struck(frames, bands)
    best = (-np.inf, METERS[-1], np.empty(0, np.intp))
    for meter in METERS:
        score, places = best_places(evidence - np.log(meter - 1), meter)
        score = score / len(frames) + _REPEATS_WEIGHT * _repeats(struck, meter)
        if score > best[0]:
            best = (score, meter, places)
    return best[1], best[2]


def strokes(bands: Floats) -> Floats:
    """By how much each band rises within two frames, of the shape of `bands`."""
    values = bands.astype(np.float32)
    return np.pad(np.maximum(0, values[2:] - values[:-2]), ((min(2, len(values)), 0), (0, 0)))


def _novelty(frames: Frames, bands: Floats) -> Floats:
    """How little what sounds in a beat is like what sounded in the one before, in its standard deviations."""
    chords = []
    for begin, end in pairwise(frames):
        # The median over a beat does not hear drums.
        chord = np.median(bands[begin + 1 : max(begin + 2, end - 1), _HARMONY].astype(np.float32), axis=0)
        chord -= chord.mean()
        chords.append(chord / (np.linalg.norm(chord) + 1e-6))
    alike = np.sum(np.array(chords[1:]) * np.array(chords[:-1]), axis=1)
    # Nothing is known of the first beat and the last.
    novelty: Floats = np.pad(alike.mean() - alike, 1)
    novelty = np.clip(novelty / (novelty.std() + 1e-6), -2.5, 2.5)
    return novelty


def _struck(frames: Frames, bands: Floats) -> Floats:
    """What is struck in each beat, less what is on average, of length 1: shape (beats - 1, cells)."""
    rises = strokes(bands)
    pools = np.linspace(0, rises.shape[1], _POOLS + 1).astype(int)[:-1]
    pooled = np.add.reduceat(rises, pools, axis=1)
    beats = []
    for begin, end in pairwise(frames):
        edges = np.linspace(begin, end, _CELLS + 1).round().astype(int)
        cells = [pooled[max(0, low - 1) : high].max(axis=0) for low, high in pairwise(edges)]
        beats.append(np.concatenate(cells))
    struck: Floats = np.array(beats) - np.mean(beats, axis=0)
    struck /= np.linalg.norm(struck, axis=1, keepdims=True) + 1e-6
    return struck


def _repeats(struck: Floats, meter: int) -> float:
    """How alike beats are one bar and two bars apart, -1 to 1."""
    lags = [lag for lag in (meter, 2 * meter) if lag < len(struck)]
    return (
        float(np.mean([np.sum(struck[lag:] * struck[:-lag], axis=1).mean() for lag in lags])) if lags else 0.0
    )


def best_places(evidence: Floats, meter: int) -> tuple[float, Frames]:
    """The best places of beats in bars of one meter, from 0, and the likelihood's logarithm.

    Parameters
    ----------
    evidence : ndarray (beats,)
        Logarithm of the odds of a downbeat.
    meter : int
    """
    gains = np.repeat(-np.logaddexp(0, evidence)[:, None], meter, axis=1)
    gains[:, 0] = -np.logaddexp(0, -evidence)
    slips = np.full((meter, meter), _SLIP)  # rows: this place; columns: the one before
    slips[np.arange(meter), np.arange(meter) - 1] = 0
    best = gains[0]
    came = []
    for gain in gains[1:]:
        options = best - slips
        came.append(options.argmax(axis=1))
        best = options.max(axis=1) + gain
    places = [int(best.argmax())]
    for before in came[::-1]:
        places.append(int(before[places[-1]]))
    return float(best.max()), np.array(places[::-1])
