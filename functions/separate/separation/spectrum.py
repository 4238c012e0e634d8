"""Short-time Fourier transform and its inverse, segment by segment, with Spleeter's framing.

Frame t covers samples [1024 t, 1024 t + 4096) of the song with 4096 zeros before it and zeros after it
(`spleeter/model/__init__.py`, `_build_stft_feature` and `_inverse_stft`).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from media.samples import CHANNELS, Samples

FRAME = 4096
HOP = 1024
BINS = FRAME // 2 + 1
SEGMENT_FRAMES = 512
SEGMENT_SAMPLES = SEGMENT_FRAMES * HOP

Spectrum = npt.NDArray[np.complex64]
Magnitude = npt.NDArray[np.float32]

_OVERLAP = FRAME // HOP
_CHUNK_FRAMES = 32  # so many frames at a time stay in the processor's cache
_WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
# NumPy transforms float32 as such only if it also scales, by 1 / FRAME here; else by way of float64, slowly.
# The window makes up for the scale, which is a power of two.
_FORWARD_WINDOW = _WINDOW * np.float32(FRAME)
# The squared Hann windows of four overlapping frames sum to 3/2 everywhere.
_INVERSE_WINDOW = (_WINDOW * (2 / 3)).astype(np.float32)


class Segment(NamedTuple):
    """A stretch of 512 frames.

    Attributes
    ----------
    spectrum : ndarray (2, 512, 2049), complex64
        Frames after the song's end are zero.
    length : int
        How many of the segment's 524,288 samples come before the song's end. The first segment's begin with
        the 4096 zeros before the song.
    """

    spectrum: Spectrum
    length: int


def segments(blocks: Iterable[Samples]) -> Iterator[Segment]:
    """Transform a song as it comes in, blocks of shape (2, any) at 44.1 kHz."""
    buffer = np.zeros((CHANNELS, SEGMENT_SAMPLES + FRAME - HOP), np.float32)
    filled = FRAME  # the zeros before the song
    for block in blocks:
        taken = 0
        while taken < block.shape[1]:
            count = min(block.shape[1] - taken, buffer.shape[1] - filled)
            buffer[:, filled : filled + count] = block[:, taken : taken + count]
            filled += count
            taken += count
            if filled == buffer.shape[1]:
                yield Segment(_transform(buffer, SEGMENT_FRAMES), SEGMENT_SAMPLES)
                filled = _move_on(buffer, filled)
    while filled > 0:  # twice, if the song ends within the frames that overlap the next segment
        buffer[:, filled:] = 0
        frames = min(SEGMENT_FRAMES, -(-filled // HOP))
        yield Segment(_transform(buffer, frames), min(SEGMENT_SAMPLES, filled))
        filled = _move_on(buffer, filled)


def _move_on(buffer: Samples, filled: int) -> int:
    buffer[:, : FRAME - HOP] = buffer[:, SEGMENT_SAMPLES:]
    return filled - SEGMENT_SAMPLES


def _transform(buffer: Samples, frames: int) -> Spectrum:
    views = np.lib.stride_tricks.sliding_window_view(buffer, FRAME, axis=1)[:, ::HOP]
    spectrum = np.zeros((CHANNELS, SEGMENT_FRAMES, BINS), np.complex64)
    windowed = np.empty((_CHUNK_FRAMES, FRAME), np.float32)
    for channel in range(CHANNELS):
        for start in range(0, frames, _CHUNK_FRAMES):
            stop = min(start + _CHUNK_FRAMES, frames)
            chunk = np.multiply(views[channel, start:stop], _FORWARD_WINDOW, out=windowed[: stop - start])
            spectrum[channel, start:stop] = np.fft.rfft(chunk, axis=-1, norm="forward")
    return spectrum


class Inverse:
    """Overlap-add of one stem's segments; the three hops that reach into the next segment are kept for it."""

    def __init__(self) -> None:
        self._tail = np.zeros((CHANNELS, FRAME - HOP), np.float32)
        self._lead = FRAME  # the zeros before the song are still to come out

    def add(self, segment: Segment, mask: Magnitude, beyond: Magnitude | None) -> Samples:
        """Mask one segment and turn it into samples.

        Parameters
        ----------
        segment : Segment
            Of the mix.
        mask : ndarray (2, 512, bins), float32
            What multiplies the lowest bins.
        beyond : ndarray (2, 512, 1), float32, or None
            What multiplies the bins above them; None mutes those.

        Returns
        -------
        ndarray (2, any), float32
            The song's samples that are now final.
        """
        spectrum = segment.spectrum
        bins = mask.shape[-1]
        summed = np.zeros((CHANNELS, SEGMENT_FRAMES + _OVERLAP - 1, HOP), np.float32)
        summed.reshape(CHANNELS, -1)[:, : self._tail.shape[1]] = self._tail
        masked = np.zeros((_CHUNK_FRAMES, BINS), np.complex64)
        frames = np.empty((_CHUNK_FRAMES, FRAME), np.float32)
        for channel in range(CHANNELS):
            for start in range(0, SEGMENT_FRAMES, _CHUNK_FRAMES):
                chunk = slice(start, start + _CHUNK_FRAMES)
                np.multiply(spectrum[channel, chunk, :bins], mask[channel, chunk], out=masked[:, :bins])
                if beyond is not None:
                    np.multiply(spectrum[channel, chunk, bins:], beyond[channel, chunk], out=masked[:, bins:])
                np.multiply(np.fft.irfft(masked, FRAME, axis=-1), _INVERSE_WINDOW, out=frames)
                for hop in range(_OVERLAP):
                    part = frames[:, hop * HOP : (hop + 1) * HOP]
                    summed[channel, start + hop : start + hop + _CHUNK_FRAMES] += part
        samples = summed.reshape(CHANNELS, -1)
        self._tail = samples[:, SEGMENT_SAMPLES:].copy()
        lead, self._lead = self._lead, 0
        return samples[:, lead : segment.length]
