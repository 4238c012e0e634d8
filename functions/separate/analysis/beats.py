"""Tempo, meter and beats, from how likely each moment is a beat and from what begins to sound.

The beats are the best path through BeatNet's probabilities: each beat earns what speaks for a beat there, and pays for
an interval that differs from the one before (after Ellis, "Beat Tracking by Dynamic Programming", 2007, with the
interval as part of the state, so that a tempo may change). Bars are the best path through the beats.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.bars import bars, strokes
from analysis.beatnet import FRAME_RATE, BeatNet, Heard, Weights
from analysis.events import Beat, Onset, Tempo
from media.samples import Samples

Floats = npt.NDArray[np.floating]

_SLOWEST, _FASTEST = 55, 215  # beats a minute
_TIGHTNESS = 60.0  # what an interval pays that is e times the one before
_DOUBT = 0.03  # added to probabilities, so that a break of some bars is bridged
_EXPECTED = 0.35  # a probability that speaks neither for nor against a beat
_LEAST_LIKELY = 0.1  # where beats are less likely on average, there are none
_FEWEST = 4
_LIGHTLY = 0.5  # the share of its neighbours' strength with which a beat is lightly struck
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
    if len(frames) < 2 * _FEWEST:
        return nothing
    frames = _every_other(frames, bands)
    nearby = np.lib.stride_tricks.sliding_window_view(np.pad(likely, ((2, 2), (0, 0))), 5, axis=0).max(axis=2)
    confidence = float(np.minimum(1, nearby[frames].sum(axis=1)).mean())
    if confidence < _LEAST_LIKELY:
        return nothing
    down = nearby[frames, 1] / (nearby[frames].sum(axis=1) + 1e-9)
    meter, places = bars(frames, down, bands)
    times = _snapped(frames / FRAME_RATE, onsets)
    numbers = np.cumsum(places == 0)
    beats = tuple(
        Beat(float(time), int(bar), int(place) + 1) for time, bar, place in zip(times, numbers, places, strict=True)
    )
    return Rhythm(_tempo(times, confidence), meter, beats)


def _beat_frames(likely: Floats) -> npt.NDArray[np.intp]:
    """The frames of the best path."""
    gains = np.log((likely + _DOUBT) / (1 - likely + _DOUBT)) - np.log((_EXPECTED + _DOUBT) / (1 - _EXPECTED + _DOUBT))
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


def _traced(best: Floats, came: npt.NDArray[np.int16], intervals: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
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


def _every_other(frames: npt.NDArray[np.intp], bands: Floats) -> npt.NDArray[np.intp]:
    """Every other beat, where those between are but lightly struck: strokes of a cymbal, say."""
    rises = strokes(bands).mean(axis=1)
    struck = np.array([rises[max(0, frame - 2) : frame + 3].max() for frame in frames])
    weights = struck[::2].mean(), struck[1::2].mean()
    slowest = FRAME_RATE * 60 / _SLOWEST
    if min(weights) > _LIGHTLY * max(weights) or 2 * np.median(np.diff(frames)) > slowest:
        return frames
    return frames[::2] if weights[0] > weights[1] else frames[1::2]


def _snapped(times: Floats, onsets: Sequence[Onset]) -> Floats:
    """Beats moved to the onsets that they are, and the others to where those around say."""
    starts = np.array([onset.time for onset in onsets])
    strengths = np.array([onset.strength for onset in onsets])
    snapped = times.copy()
    for beat, time in enumerate(times):
        low, high = np.searchsorted(starts, [time - _SNAP, time + _SNAP])
        if low < high:
            closeness = 1 - np.abs(starts[low:high] - time) / (2 * _SNAP)
            snapped[beat] = starts[low + int((strengths[low:high] * closeness).argmax())]
    expected = _expected(snapped)
    strays = np.abs(snapped - expected) > _STRAY
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


def _tempo(times: Floats, confidence: float) -> Tempo:
    beats = np.arange(len(times))
    interval, first = np.polyfit(beats, times, 1)
    strays = np.abs(times - first - interval * beats)
    stable = bool(strays.max() <= _STEADY)
    if not stable:
        interval = float(np.median(np.diff(times)))
    return Tempo(float(60 / interval), stable, confidence)
