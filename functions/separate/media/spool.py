"""One stem's samples on disk, as they come, until it is known how loud all of its song's stems are."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

import numpy as np

from media.resampling import Resampler
from media.samples import CHANNELS, SAMPLE_RATE, Samples

_BLOCK_SAMPLES = 1 << 18  # LAME takes a fraction of a second for so many: nobody waits longer to stop it


class Spool:
    """Samples at the rate of the output, in a file without a name, which is gone when it is closed.

    Attributes
    ----------
    peak : float
        The largest magnitude of a sample so far.
    samples : int
        How many there are so far, in each channel.
    """

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self.peak = 0.0
        self.samples = 0
        self._resampler = Resampler(SAMPLE_RATE, sample_rate, CHANNELS)
        self._file = TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - closed by close

    def write(self, samples: Samples) -> None:
        """Append samples, shape (2, any), float32 at 44.1 kHz."""
        self._append(self._resampler.add(np.ascontiguousarray(samples.T)))

    def finish(self) -> None:
        """Complete it: as long as what was written, to the nearest sample at another rate."""
        self._append(self._resampler.finish())

    def blocks(self) -> Iterator[Samples]:
        """Read it from the start, in blocks of shape (any, 2), float32."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK_SAMPLES * CHANNELS * 4):
            yield np.frombuffer(block, np.float32).reshape(-1, CHANNELS)

    def close(self) -> None:
        """Delete it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, interleaved: Samples) -> None:
        self.samples += len(interleaved)
        self.peak = max(self.peak, float(interleaved.max(initial=0)), -float(interleaved.min(initial=0)))
        rest = interleaved.reshape(-1).view(np.uint8).data
        while len(rest):  # a disk that is nearly full takes a part
            rest = rest[self._file.write(rest) :]
