"""The pitch of a voice, by SwiftF0, and the notes that it sings.

L. Nieradzik, "SwiftF0: Fast and accurate monophonic pitch detection", 2025. The network is its author's own,
from the package swift-f0.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.events import Note
from analysis.frames import mixed_down
from analysis.networks import Network
from analysis.rows import Rows
from analysis.velocities import RANGE, loud, velocity
from analysis.weights import load_bytes
from media.resampling import Resampler
from media.samples import Samples

SAMPLE_RATE = 16_000  # Hz
HOP = 256  # samples of a frame
FRAME_RATE = SAMPLE_RATE / HOP
_LOWEST, _HIGHEST = np.float32(46.875), np.float32(2093.75)  # Hz: what the network knows

# What a frame hears reaches 11 frames before it and 10 behind it.
_BEFORE, _BEHIND = 11, 10
_PIECE = 250  # frames at a time, 4 s: short enough to find silence between phrases
_SILENCE = 1e-3  # what peaks below it, -60 dBFS, is not looked at
_VOICED = 0.5  # the confidence from which on a frame has a pitch
_FLOOR = 1e-7  # -140 dB

_LOWEST_NOTE, _HIGHEST_NOTE = 36, 96  # C2 to C7
_OFF_PITCH = 1.5  # semitones, beyond which a frame's pitch counts as no further off
_NEW_NOTE = 4.0  # what one more note costs, in frames of a semitone off pitch
_DIP = 7.0  # dB by which the level falls and rises again between two notes of one pitch
_DIP_REACH = 8  # frames around a dip in which it does
_SHORTEST = 4  # frames of a note, 64 ms
_RISE = 3.0  # dB by which the level rises when a note begins
_ATTACK = 5  # frames in which it does, before the pitch is the new note's: the one before may still ring


@dataclass(frozen=True)
class PitchTrack:
    """A stem's pitch: frame i is centred on i / FRAME_RATE seconds.

    Attributes
    ----------
    frequency : ndarray (frames,), float32
        In Hz, whether voiced or not.
    confidence : ndarray (frames,), float32
        From 0 to 1.
    level : ndarray (frames,), float32
        RMS of the 32 ms around, in dBFS.
    """

    frequency: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    level: npt.NDArray[np.float32]

    @property
    def voiced(self) -> npt.NDArray[np.bool_]:
        """Which frames have a pitch, and are no softer than what leaks into a stem from others."""
        sure = self.confidence >= _VOICED
        return sure & (self.level >= loud(self.level[sure]) - RANGE)

    def curve(self, frame_rate: int, frames: int) -> npt.NDArray[np.float32]:
        """The pitch in Hz in the middle of each frame of another rate, NaN where there is none.

        Parameters
        ----------
        frame_rate : int
            Frames a second.
        frames : int
            How many to give.
        """
        curve = np.full(frames, np.nan, np.float32)
        nearest = np.round((np.arange(frames) + 0.5) / frame_rate * FRAME_RATE).astype(np.intp)
        heard = np.flatnonzero(nearest < len(self.frequency))
        pitched = heard[self.voiced[nearest[heard]]]
        curve[pitched] = self.frequency[nearest[pitched]]
        return curve


class SwiftF0:
    """The network, for any number of stems after each other.

    Raises
    ------
    ModelMissingError, ModelDamagedError
        See `weights.load_bytes`.
    """

    def __init__(self, models: Path) -> None:
        self._network = Network(load_bytes("swift_f0", models), {})

    def run(self, samples: Samples) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Hear mono samples at 16 kHz, shape (any,).

        Returns
        -------
        frequency, confidence : ndarray (samples // 256,), float32
        """
        inputs = {"audio": samples[np.newaxis], "fmin": _LOWEST, "fmax": _HIGHEST}
        frequency, confidence = self._network.run(
            {name: np.asarray(value) for name, value in inputs.items()}, "pitch", "confidence"
        )
        return frequency[0].astype(np.float32), confidence[0]


class PitchListener:
    """Follows the pitch of a stem as it comes.

    Parameters
    ----------
    sample_rate : int
        Of the stem, in Hz.
    network : SwiftF0
    """

    def __init__(self, sample_rate: int, network: SwiftF0) -> None:
        self._network = network
        self._resampler = Resampler(sample_rate, SAMPLE_RATE, 1)
        self._waiting = np.zeros(0, np.float32)
        self._before = 0  # frames waiting that were heard already
        self._track = Rows(np.float32, 3)

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        self._take(self._resampler.add(mixed_down(samples)))

    def finish(self) -> PitchTrack:
        """Give the pitch of all that was heard."""
        self._take(self._resampler.finish())
        if rest := len(self._waiting) // HOP - self._before:
            self._hear(self._waiting, rest)
        return PitchTrack(*np.ascontiguousarray(self._track.all().T))

    def _take(self, samples: Samples) -> None:
        self._waiting = np.concatenate([self._waiting, samples[:, 0]])
        while len(self._waiting) >= (needed := (self._before + _PIECE + _BEHIND) * HOP):
            self._hear(self._waiting[:needed], _PIECE)
            kept = min(_BEFORE, self._before + _PIECE)
            self._waiting = self._waiting[(self._before + _PIECE - kept) * HOP :]
            self._before = kept

    def _hear(self, samples: Samples, frames: int) -> None:
        """Hear what is waiting; its frames from the first new one on are the track's."""
        hops = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
        peaks = np.abs(hops).max(axis=1)
        energies = np.square(hops).mean(axis=1)
        around = (energies + np.concatenate([[0], energies[:-1]])) / 2
        track = np.zeros((3, len(hops)), np.float32)
        track[2] = 20 * np.log10(np.maximum(np.sqrt(around), _FLOOR))
        if peaks.max() >= _SILENCE:
            track[0], track[1] = self._network.run(samples)
            track[1, peaks < _SILENCE] = 0  # of nothing, the network makes pitches up
        self._track.add(track[:, self._before : self._before + frames].T)


def sung_notes(track: PitchTrack) -> tuple[Note, ...]:
    """Part a voice's pitch into notes.

    Of all ways to part it into notes of one semitone each and pauses, the one that costs least: frames cost
    what they are off pitch and not voiced, and each note costs something. Where the level dips within a note,
    it is sung twice. A note begins where the level begins to rise to it.
    """
    if not track.voiced.any():
        return ()
    level = np.maximum(track.level, loud(track.level[track.voiced]) - RANGE)
    found: list[tuple[int, int, int]] = []
    for first, last, pitch in _parted(track):
        for begin, end in _split(level, first, last):
            begin = _beginning(level, begin)
            if found and found[-1][1] > begin:
                found[-1] = (found[-1][0], begin, found[-1][2])
            found.append((begin, end, pitch))
    found = [(begin, end, pitch) for begin, end, pitch in found if end - begin >= _SHORTEST]
    loudest = loud(np.array([level[begin:end].max() for begin, end, _ in found]))
    return tuple(
        Note(
            begin / FRAME_RATE,
            (end - begin) / FRAME_RATE,
            pitch,
            velocity(float(level[begin:end].max()), loudest),
        )
        for begin, end, pitch in found
    )


def _beginning(level: npt.NDArray[np.float32], found: int) -> int:
    """The frame in which the level begins to rise to the note that is found in a frame."""
    first = max(0, found - _ATTACK)
    before = level[first : found + 1]
    trough = found - int(before[::-1].argmin())
    risen = level[trough : found + _ATTACK].max() - level[trough] >= _RISE
    return trough if risen else max(0, found - 1)


def _parted(track: PitchTrack) -> list[tuple[int, int, int]]:
    """First frame, frame after the last, and MIDI number of each note, by dynamic programming over frames."""
    frames = len(track.frequency)
    sure = np.where(track.level >= loud(track.level[track.voiced]) - RANGE, track.confidence, 0)
    clipped = np.clip(sure, 0.01, 0.99)
    unvoiced = -np.log(clipped / (1 - clipped))
    semitones = 69 + 12 * np.log2(np.maximum(track.frequency, _LOWEST) / 440)
    pitches = np.arange(_LOWEST_NOTE, _HIGHEST_NOTE + 1, dtype=np.float32)

    cost = np.full(len(pitches), np.inf)  # of all up to this frame, if a note of each pitch sounds now
    since = np.zeros(len(pitches), np.intp)  # the frame in which that note began
    least = 0.0  # of all up to this frame, if whatever sounded ends here
    previous = np.zeros(frames + 1, np.intp)  # where what ends here began
    pitch = np.full(frames + 1, -1, np.intp)  # and its pitch, -1 for a pause
    for frame in range(frames):
        begins = least + _NEW_NOTE < cost
        since[begins] = frame
        cost[begins] = least + _NEW_NOTE
        off = np.minimum(np.abs(pitches - semitones[frame]), _OFF_PITCH)
        cost += sure[frame] * off + unvoiced[frame]
        best = int(cost.argmin())
        previous[frame + 1] = frame
        if cost[best] < least:
            least = float(cost[best])
            previous[frame + 1], pitch[frame + 1] = since[best], best
    notes = []
    end = frames
    while end > 0:
        if pitch[end] >= 0:
            notes.append((int(previous[end]), end, _LOWEST_NOTE + int(pitch[end])))
        end = int(previous[end])
    return notes[::-1]


def _split(level: npt.NDArray[np.float32], first: int, last: int) -> list[tuple[int, int]]:
    """Part a note where its level dips."""
    dips = [
        frame
        for frame in range(first + _SHORTEST, last - _SHORTEST)
        if level[frame] == level[max(first, frame - _SHORTEST) : frame + _SHORTEST + 1].min()
        and min(
            level[max(first, frame - _DIP_REACH) : frame].max(),
            level[frame + 1 : min(last, frame + _DIP_REACH)].max(),
        )
        - level[frame]
        >= _DIP
    ]
    edges = [first, *dips, last]
    return list(pairwise(edges))
