"""Overlapping frames of samples that come in blocks of any length."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from media.samples import Samples

BATCH = 16  # so many frames at a time stay in the processor's cache


class Framer:
    """Cuts samples into frames: frame t starts at the first sample not before t / frame_rate, less `before`.

    There are as many frames as have that sample within the sound; before and after it there are zeros. Frames
    come in batches of one size but for the last, however the samples came, so that what is computed from them
    is the same to the last bit.

    Parameters
    ----------
    sample_rate, frame_rate : int
        In Hz; neither need divide the other.
    size : int
        Of a frame, in samples.
    before : int
        How many of them come before the frame's time.
    channels : int
    batch : int
        How many frames come at a time.
    """

    def __init__(
        self, sample_rate: int, frame_rate: int, size: int, before: int, channels: int, batch: int = BATCH
    ) -> None:
        self._sample_rate, self._frame_rate = sample_rate, frame_rate
        self._size = size
        self._batch = batch
        self._before = before
        self._samples = 0
        self._buffer = np.zeros((channels, before), np.float32)
        self._first = -before  # the sample that the buffer begins with
        self._frame = 0  # the next one

    def add(self, samples: Samples) -> Iterator[Samples]:
        """Take samples, shape (any, channels), and give frames, shape (channels, batch, size)."""
        self._samples += len(samples)
        self._buffer = np.concatenate([self._buffer, samples.T], axis=1)
        while self._begin(self._frame + self._batch - 1) + self._size <= self._first + self._buffer.shape[1]:
            yield self._cut(self._batch)
        kept = self._begin(self._frame) - self._first
        self._buffer = self._buffer[:, max(0, kept) :].copy()
        self._first += max(0, kept)

    def finish(self) -> Iterator[Samples]:
        """Give the rest, the last of shape (channels, up to batch, size)."""
        total = -(-self._samples * self._frame_rate // self._sample_rate)
        missing = self._begin(total) + self._size - self._first - self._buffer.shape[1]
        self._buffer = np.pad(self._buffer, ((0, 0), (0, max(0, missing))))
        while self._frame < total:
            yield self._cut(min(self._batch, total - self._frame))

    def _begin(self, frame: int) -> int:
        return -(-frame * self._sample_rate // self._frame_rate) - self._before

    def _cut(self, count: int) -> Samples:
        numbers = np.arange(self._frame, self._frame + count)
        begins = -(-numbers * self._sample_rate // self._frame_rate) - self._before - self._first
        self._frame += count
        return np.lib.stride_tricks.sliding_window_view(self._buffer, self._size, axis=1)[:, begins]


def mixed_down(samples: Samples) -> Samples:
    """Both channels' mean: shape (any, 2) in, (any, 1) out. As NumPy's `mean`, in a tenth of its time."""
    mixed: Samples = samples[:, :1] + samples[:, 1:]
    mixed *= np.float32(0.5)
    return mixed


def magnitudes(frames: Samples, window: Samples) -> Samples:
    """Of the spectrum of windowed frames: shape (..., size) in, (..., size // 2 + 1) out, float32.

    A sine of amplitude a gives a peak of a / 2 times the window's sum.
    """
    # NumPy transforms float32 as such only if it also scales; else by way of float64, slowly.
    spectrum = np.fft.rfft(frames * (window * np.float32(window.size)), axis=-1, norm="forward")
    return np.abs(spectrum)


def hann(size: int) -> npt.NDArray[np.float32]:
    """Hann's window, periodic."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
