"""Tempo, meter and beats, from how likely each moment is a beat and from what begins to sound.

The beats are the best path through BeatNet's probabilities: each beat earns what speaks for a beat there, and
pays for an interval that differs from the one before (after Ellis, "Beat Tracking by Dynamic Programming",
2007, with the interval as part of the state, so that a tempo may change). `analysis.bars` counts them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.bars import bars, best_places, strokes
from analysis.beatnet import FRAME_RATE, BeatNet, Heard, Weights
from analysis.events import Beat, Onset, Tempo
from media.samples import Samples

Floats = npt.NDArray[np.floating[Any]]
Frames = npt.NDArray[np.intp]

_SLOWEST, _FASTEST = 55, 215  # beats a minute
_SLOWEST_HALF = 68  # what is slower if every other beat is taken was right before
_TIGHTNESS = 60.0  # what an interval pays that is e times the one before
_DOUBT = 0.03  # added to probabilities, so that a break of some bars is bridged
_EXPECTED = 0.35  # a probability that speaks neither for nor against a beat
_LEAST_LIKELY = 0.1  # where beats are less likely on average, there are none
_FEWEST = 8  # beats of what has a rhythm, and
_HEARD = 0.3  # the share of them in which something begins: chance gives 0.15 in noise
_NEAR = 2  # frames that a stroke may be off its beat
_DRUM_BANDS = slice(25, 80)  # of BeatNet: snares and toms are heard there, and cymbals little
_STRESS = 2.0  # what speaks for a beat that is struck twice as hard as the mean
_LIGHTLY = 0.6  # the share of its neighbours' strength with which a beat is struck lightly,
_HEAVILY = 0.76  # and with which what lies between beats may be beats too,
_NOT_UNLIKELY = 0.15  # if BeatNet holds them for so likely
_SNAP = 0.045  # s between a beat and the onset that is it
_STRAY = 0.012  # s by which an onset may be off the beats around
_NEIGHBOURS = 4  # beats on either side that say where one should be
_STEADY = 0.025  # s by which beats of a stable tempo stray from its grid


class Rhythm(NamedTuple):
    """What a BeatTracker finds: no tempo and no beats where there is no rhythm."""

    tempo: Tempo | None
    meter: int
    beats: tuple[Beat, ...]


class BeatTracker:
    """Finds beats in samples as they come: of the mix.

    Parameters
    ----------
    sample_rate : int
    weights : mapping of str to ndarray
        BeatNet's, as `analysis.beatnet.read_weights` gives them.
    """

    def __init__(self, sample_rate: int, weights: Weights) -> None:
        self._network = BeatNet(sample_rate, weights)

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        self._network.add(samples)

    def finish(self, onsets: Sequence[Onset]) -> Rhythm:
        """Give the rhythm of all that was heard.

        Parameters
        ----------
        onsets : sequence of Onset
            Of the same sound, or of its drums: which time the beats to the millisecond.
        """
        return rhythm(self._network.finish(), onsets)


def rhythm(heard: Heard, onsets: Sequence[Onset]) -> Rhythm:
    """Rhythm of what BeatNet has heard."""
    likely, bands = heard
    nothing = Rhythm(None, 4, ())
    frames = _beat_frames(likely.sum(axis=1))
    # Nothing is a beat before anything begins, nor in what dies away.
    begins, ends = (onsets[0].time, onsets[-1].time) if onsets else (0.0, 0.0)
    frames = frames[(frames / FRAME_RATE > begins - _SNAP) & (frames / FRAME_RATE < ends + _SNAP)]
    if len(frames) < _FEWEST or np.isfinite(_nearest(frames / FRAME_RATE, onsets)).mean() < _HEARD:
        return nothing
    frames = _with_the_first(frames, begins)
    frames = _in_quarters(frames, likely.sum(axis=1), bands)
    nearby = _nearby(likely)
    confidence = float(np.minimum(1, nearby[frames].sum(axis=1)).mean())
    if confidence < _LEAST_LIKELY:
        return nothing
    down = nearby[frames, 1] / (nearby[frames].sum(axis=1) + 1e-9)
    meter, places = bars(frames, down, bands)
    times = np.maximum(0, _snapped(frames / FRAME_RATE, onsets))
    numbers = np.cumsum(places == 0)
    beats = tuple(
        Beat(float(time), int(bar), int(place) + 1)
        for time, bar, place in zip(times, numbers, places, strict=True)
    )
    return Rhythm(_tempo(times, confidence), meter, beats)


def _beat_frames(likely: Floats) -> Frames:
    """The frames of the best path."""
    gains = np.log((likely + _DOUBT) / (1 - likely + _DOUBT)) - np.log(
        (_EXPECTED + _DOUBT) / (1 - _EXPECTED + _DOUBT)
    )
    intervals = np.arange(60 * FRAME_RATE // _FASTEST, 60 * FRAME_RATE // _SLOWEST + 1)
    changes = np.abs(intervals[:, None] - intervals)  # rows: this interval; columns: the one before
    ratios = np.log(intervals[:, None] / intervals)
    # A frame more or less is how an interval looks that is no whole number of them.
    costs = np.where(changes <= 1, 0.0, _TIGHTNESS * np.abs(ratios) ** 1.0) + 0.02 * changes.clip(0, 1)
    count, longest = len(likely), intervals[-1]
    # Padded in front by the longest interval: a path may begin at any frame, at no gain.
    best = np.zeros((longest + count, len(intervals)))
    came = np.zeros((count, len(intervals)), np.int16)
    each = np.arange(len(intervals))
    for frame in range(count):
        options = best[frame + longest - intervals] - costs
        chosen = options.argmax(axis=1)
        came[frame] = chosen
        best[frame + longest] = np.maximum(0, options[each, chosen]) + gains[frame]
        came[frame][options[each, chosen] <= 0] = -1
    return _traced(best[longest:], came, intervals)


def _traced(best: Floats, came: npt.NDArray[np.int16], intervals: Frames) -> Frames:
    if not best.size or best.max() <= 0:
        return np.empty(0, np.intp)
    frame, state = np.unravel_index(int(best.argmax()), best.shape)
    path = []
    while frame >= 0:
        path.append(int(frame))
        before = came[frame, state]
        if before < 0:
            break
        frame, state = frame - intervals[state], before
    return np.array(path[::-1])


def _with_the_first(frames: Frames, begins: float) -> Frames:
    """With the beat that the song begins with: the network, which knows beats by what came before, misses it.

    It is one if it is a beat before the first that was found.
    """
    first = frames[0] - float(np.median(np.diff(frames[: _NEIGHBOURS + 1])))
    if abs(first / FRAME_RATE - begins) > _SNAP:
        return frames
    return np.concatenate([[round(begins * FRAME_RATE)], frames])


def _in_quarters(frames: Frames, likely: Floats, bands: Floats) -> Frames:
    """Every other beat if those between are struck lightly, twice as many if there is as much between."""
    rises = strokes(bands)[:, _DRUM_BANDS].mean(axis=1)
    struck = _nearby(rises)
    on_beats = struck[frames]
    _, places = best_places(_STRESS * (on_beats / on_beats.mean() - 1), 2)
    stressed, between = on_beats[places == 0].mean(), on_beats[places == 1].mean()
    interval = float(np.median(np.diff(frames)))
    if between < _LIGHTLY * stressed and 2 * interval <= FRAME_RATE * 60 / _SLOWEST_HALF:
        stressed_frames: Frames = frames[places == 0]
        return stressed_frames
    middles = (frames[:-1] + frames[1:]) // 2
    as_struck = struck[middles].mean() > _HEAVILY * on_beats.mean()
    if (
        as_struck
        and _nearby(likely)[middles].mean() > _NOT_UNLIKELY
        and interval / 2 >= FRAME_RATE * 60 / _FASTEST
    ):
        return np.sort(np.concatenate([frames, middles]))
    return frames


def _nearby(values: Floats) -> Floats:
    """The highest of each frame's and of two on either side, along the first axis."""
    padded = np.pad(values, ((_NEAR, _NEAR), *[(0, 0)] * (values.ndim - 1)))
    highest: Floats = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1, axis=0).max(axis=-1)
    return highest


def _nearest(times: Floats, onsets: Sequence[Onset]) -> Floats:
    """The time of the onset that each beat is; NaN where there is none."""
    starts = np.array([onset.time for onset in onsets])
    strengths = np.array([onset.strength for onset in onsets])
    nearest = np.full(len(times), np.nan)
    for beat, time in enumerate(times):
        low, high = np.searchsorted(starts, [time - _SNAP, time + _SNAP])
        if low < high:
            closeness = 1 - np.abs(starts[low:high] - time) / (2 * _SNAP)
            nearest[beat] = starts[low + int((strengths[low:high] * closeness).argmax())]
    return nearest


def _snapped(times: Floats, onsets: Sequence[Onset]) -> Floats:
    """Beats moved to the onsets that they are, and the others to where those around say."""
    nearest = _nearest(times, onsets)
    snapped = np.where(np.isnan(nearest), times, nearest)
    expected = _expected(snapped)
    # Where the tempo changes, all beats around are off a straight line, and none strays.
    expected += _medians(snapped - expected)
    strays = np.isnan(nearest) | (np.abs(snapped - expected) > _STRAY)
    return np.where(strays, expected, snapped)


def _expected(times: Floats) -> Floats:
    """Where a straight line through the beats around, by medians, has each."""
    expected = times.copy()
    for beat in range(len(times)):
        around = np.arange(max(0, beat - _NEIGHBOURS), min(len(times), beat + _NEIGHBOURS + 1))
        apart = around[:, None] - around
        slopes = (times[around][:, None] - times[around])[apart > 0] / apart[apart > 0]
        slope = np.median(slopes)
        expected[beat] = np.median(times[around] - slope * (around - beat))
    return expected


def _medians(values: Floats) -> Floats:
    """Of each and two on either side."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, 2, mode="edge"), 5)
    medians: Floats = np.median(around, axis=1)
    return medians


def _tempo(times: Floats, confidence: float) -> Tempo:
    beats = np.arange(len(times))
    interval, first = np.polyfit(beats, times, 1)
    strays = np.abs(times - first - interval * beats)
    stable = bool(strays.max() <= _STEADY)
    if not stable:
        interval = float(np.median(np.diff(times)))
    return Tempo(float(60 / interval), stable, confidence)
