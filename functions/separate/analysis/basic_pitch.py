"""Basic Pitch: how surely each note of the piano begins and sounds, frame by frame.

R. Bittner et al., "A lightweight instrument-agnostic model for polyphonic note transcription and multipitch
estimation", ICASSP 2022. The network is Spotify's own, from the package basic-pitch.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.networks import Network
from analysis.rows import Rows
from analysis.weights import load_bytes
from media.samples import Samples

SAMPLE_RATE = 22_050  # Hz
HOP = 256  # samples of a frame
FRAME_RATE = SAMPLE_RATE / HOP
LOWEST = 21  # MIDI's number of the first note, A0
NOTES = 88

WINDOW = 43_844  # samples that the network takes at a time
_WINDOW_FRAMES = 172
_MARGIN = 15  # frames at either end of a window that are left to its neighbours
# Upstream's windows are 36,164 samples apart, so that its frames drift by 0.7 of a hop a window, which it
# corrects. A whole number of hops apart, all frames lie on one grid.
_KEPT = _WINDOW_FRAMES - 2 * _MARGIN
_STEP = _KEPT * HOP
_SILENCE = 1e-3  # a window that peaks below it, -60 dBFS, is not looked at

_INPUT = "serving_default_input_2:0"
_SOUNDING, _BEGINNING = "StatefulPartitionedCall:1", "StatefulPartitionedCall:2"

Activation = npt.NDArray[np.float16]


@dataclass(frozen=True)
class NoteActivations:
    """How sure the network is, from 0 to 1. Frame i is centred on i / FRAME_RATE seconds.

    Attributes
    ----------
    sounding, beginning : ndarray (frames, 88), float16
        That the note sounds, and that it begins.
    """

    sounding: Activation
    beginning: Activation


class BasicPitch:
    """The network, for any number of stems after each other.

    Raises
    ------
    ModelMissingError, ModelDamagedError
        See `weights.load_bytes`.
    """

    def __init__(self, models: Path) -> None:
        self._network = Network(load_bytes("basic_pitch", models), {_INPUT: (1, WINDOW, 1)})

    def run(self, window: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Hear one window of mono samples at 22,050 Hz, shape (43844,).

        Returns
        -------
        sounding, beginning : ndarray (172, 88), float32
            The network scales each window's spectrum by itself, so loudness matters little.
        """
        sounding, beginning = self._network.run({_INPUT: window.reshape(1, -1, 1)}, _SOUNDING, _BEGINNING)
        return sounding[0], beginning[0]


class NoteListener:
    """Hears notes in mono samples at 22,050 Hz as they come."""

    def __init__(self, network: BasicPitch) -> None:
        self._network = network
        self._waiting = np.zeros(_MARGIN * HOP, np.float32)
        self._received = 0
        self._sounding = Rows(np.float16, NOTES)
        self._beginning = Rows(np.float16, NOTES)

    def add(self, samples: Samples) -> None:
        """Take samples of shape (any,)."""
        self._received += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])
        while len(self._waiting) >= WINDOW:
            self._hear(self._waiting[:WINDOW])
            self._waiting = self._waiting[_STEP:]

    def finish(self) -> NoteActivations:
        """Say what was heard."""
        frames = -(-self._received // HOP)
        while len(self._sounding) < frames:
            self._hear(np.pad(self._waiting, (0, max(0, WINDOW - len(self._waiting)))))
            self._waiting = self._waiting[_STEP:]
        return NoteActivations(self._sounding.all()[:frames], self._beginning.all()[:frames])

    def _hear(self, window: npt.NDArray[np.float32]) -> None:
        if np.abs(window).max() < _SILENCE:
            sounding = beginning = np.zeros((_WINDOW_FRAMES, NOTES), np.float32)
        else:
            sounding, beginning = self._network.run(window)
        kept = slice(_MARGIN, _MARGIN + _KEPT)
        self._sounding.add(sounding[kept])
        self._beginning.add(beginning[kept])
