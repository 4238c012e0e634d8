"""A stem's outline, for pages that draw it: the least and greatest sample of each hundredth of a second.

A file is a .dat of version 2, as BBC's audiowaveform writes and many players read:
https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
"""

import struct

import numpy as np
import numpy.typing as npt

from media.samples import CHANNELS

PIXELS_PER_SECOND = 100  # whole samples at 44.1 and 48 kHz, so that a pixel's time is the same at both

_VERSION, _OF_8_BITS = 2, 1


class Peaks:
    """The outline of samples as they come.

    Parameters
    ----------
    sample_rate : {44100, 48000}
        In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._pixel = sample_rate // PIXELS_PER_SECOND
        self._rest = np.empty((0, CHANNELS), np.int16)
        self._pairs = bytearray()  # in one piece: small ones would lie between freed samples, and keep them

    def add(self, samples: npt.NDArray[np.int16]) -> None:
        """Append samples, shape (any, 2)."""
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // self._pixel * self._pixel
        self._rest = samples[whole:]
        self._append(samples[:whole], self._pixel)

    def file(self) -> bytes:
        """The file of all that was added, the last pixel maybe of fewer samples. Ends it."""
        if len(self._rest):
            self._append(self._rest, len(self._rest))
        length = len(self._pairs) // (2 * CHANNELS)
        header = struct.pack(
            "<iIiiIi", _VERSION, _OF_8_BITS, self._sample_rate, self._pixel, length, CHANNELS
        )
        return header + bytes(self._pairs)

    def _append(self, samples: npt.NDArray[np.int16], pixel: int) -> None:
        # Each channel by itself in memory: numpy is thirty times as fast then.
        pixels = np.ascontiguousarray(samples.T).reshape(CHANNELS, -1, pixel)
        pairs = np.stack([pixels.min(axis=2).T, pixels.max(axis=2).T], axis=2)  # (pixels, channels, 2)
        # The eight bits on top, towards zero, as audiowaveform has it.
        self._pairs += np.trunc(pairs / 256).astype(np.int8).tobytes()
