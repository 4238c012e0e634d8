"""A song segment by segment, to its spectrum and back, with Spleeter's framing.

Frame t covers samples [1024 t, 1024 t + 4096) of the song with 4096 zeros before it and zeros after it
(`spleeter/model/__init__.py`, `_build_stft_feature` and `_inverse_stft`).
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from media.samples import CHANNELS, Samples
from separation.masks import Magnitude, MaskExtension

FRAME = 4096
HOP = 1024
BINS = FRAME // 2 + 1
SEGMENT_FRAMES = 512
SEGMENT_SAMPLES = SEGMENT_FRAMES * HOP
OVERLAP = FRAME // HOP

WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
# The squared Hann windows of four overlapping frames sum to 3/2 everywhere.
INVERSE_WINDOW = (WINDOW * (2 / 3)).astype(np.float32)


class Transform(Protocol):
    """The arithmetic of one segment. What a spectrum is made of is its own affair."""

    def forward(self, samples: Samples, frames: int, bins: int) -> tuple[Any, Magnitude]:
        """Transform the segment's first frames; the others are zero.

        Parameters
        ----------
        samples : ndarray (2, (512 + 3) * 1024), float32
        frames : int
            How many are there.
        bins : int
            How many of the lowest bins the networks take.

        Returns
        -------
        spectrum
            For `inverse`.
        magnitude : ndarray (512, bins, 2), float32
            For `Engine.estimate`.
        """
        ...

    def masks(self, estimates: Magnitude) -> Magnitude:
        """Turn the estimates of all stems, (stems, 512, bins, 2), into masks, in their place.

        See `masks.soft_mask`.
        """
        ...

    def inverse(self, spectrum: Any, mask: Magnitude, extension: MaskExtension, to: Samples) -> None:
        """Mask a spectrum and add its frames to samples.

        Parameters
        ----------
        spectrum
            What `forward` gave.
        mask : ndarray (512, bins, 2), float32
            What multiplies the lowest bins.
        extension : {"average", "zeros"}
            What happens above them; see `masks.extend`.
        to : ndarray (2, (512 + 3) * 1024), float32
        """
        ...


class Segment(NamedTuple):
    """A stretch of 512 frames.

    Attributes
    ----------
    spectrum
        As the transform has it. Frames after the song's end are zero.
    magnitude : ndarray (512, bins, 2), float32
        Of the lowest bins.
    length : int
        How many of the segment's 524,288 samples come before the song's end. The first segment's begin with
        the 4096 zeros before the song.
    song : ndarray (2, any), float32
        The song's samples that `Inverse.add` gives of the segment.
    """

    spectrum: Any
    magnitude: Magnitude
    length: int
    song: Samples


def segments(blocks: Iterable[Samples], transform: Transform, bins: int) -> Iterator[Segment]:
    """Transform a song as it comes in, blocks of shape (2, any) at 44.1 kHz."""
    buffer = np.zeros((CHANNELS, SEGMENT_SAMPLES + FRAME - HOP), np.float32)
    lead = filled = FRAME  # the zeros before the song

    def segment(frames: int, length: int) -> Segment:
        nonlocal lead
        samples = buffer[:, lead:length].copy()
        lead = 0
        return Segment(*transform.forward(buffer, frames, bins), length, samples)

    for block in blocks:
        taken = 0
        while taken < block.shape[1]:
            count = min(block.shape[1] - taken, buffer.shape[1] - filled)
            buffer[:, filled : filled + count] = block[:, taken : taken + count]
            filled += count
            taken += count
            if filled == buffer.shape[1]:
                yield segment(SEGMENT_FRAMES, SEGMENT_SAMPLES)
                filled = _move_on(buffer, filled)
    while filled > 0:  # twice, if the song ends within the frames that overlap the next segment
        buffer[:, filled:] = 0
        yield segment(min(SEGMENT_FRAMES, -(-filled // HOP)), min(SEGMENT_SAMPLES, filled))
        filled = _move_on(buffer, filled)


def _move_on(buffer: Samples, filled: int) -> int:
    buffer[:, : FRAME - HOP] = buffer[:, SEGMENT_SAMPLES:]
    return filled - SEGMENT_SAMPLES


class Inverse:
    """Overlap-add of one stem's segments; the three hops that reach into the next segment are kept for it."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform
        self._tail = np.zeros((CHANNELS, FRAME - HOP), np.float32)
        self._lead = FRAME  # the zeros before the song are still to come out

    def add(self, segment: Segment, mask: Magnitude, extension: MaskExtension) -> Samples:
        """Mask one segment of the mix and turn it into samples.

        Parameters
        ----------
        segment, mask, extension
            See `Transform.inverse`.

        Returns
        -------
        ndarray (2, any), float32
            The song's samples that are now final.
        """
        samples = np.zeros((CHANNELS, SEGMENT_SAMPLES + FRAME - HOP), np.float32)
        samples[:, : self._tail.shape[1]] = self._tail
        self._transform.inverse(segment.spectrum, mask, extension, samples)
        self._tail = samples[:, SEGMENT_SAMPLES:].copy()
        lead, self._lead = self._lead, 0
        return samples[:, lead : segment.length]
