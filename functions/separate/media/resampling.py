"""Changes the rate of samples as they come."""

from typing import Any

import numpy as np
import soxr

from media.samples import Samples


class Resampler:
    """Samples at one rate in, at another out, as long as what came in, to the nearest sample.

    Parameters
    ----------
    from_rate, to_rate : int
        In Hz. Where they are equal, samples pass as they are.
    channels : int
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        self._from_rate, self._to_rate, self._channels = from_rate, to_rate, channels
        self._received = self._sent = 0
        self._stream: Any = None
        if from_rate != to_rate:
            self._stream = soxr.ResampleStream(from_rate, to_rate, channels, "float32", "HQ")

    def add(self, samples: Samples) -> Samples:
        """Take samples and give those that are ready, both of shape (any, channels), float32."""
        if self._stream is None:
            return samples
        self._received += len(samples)
        return self._counted(self._stream.resample_chunk(np.ascontiguousarray(samples)))

    def finish(self) -> Samples:
        """Give the rest, shape (any, channels)."""
        nothing = np.empty((0, self._channels), np.float32)
        if self._stream is None:
            return nothing
        rest = self._stream.resample_chunk(nothing, last=True)
        missing = round(self._received * self._to_rate / self._from_rate) - self._sent
        return self._counted(np.pad(rest, ((0, max(0, missing - len(rest))), (0, 0)))[:missing])

    def _counted(self, samples: Samples) -> Samples:
        self._sent += len(samples)
        return samples
