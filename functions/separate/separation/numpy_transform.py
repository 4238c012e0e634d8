"""Transform, masks and inverse by NumPy: for engines that have no library of ours beside them."""

import numpy as np
import numpy.typing as npt

from media.samples import CHANNELS, Samples
from separation.masks import Magnitude, MaskExtension, extend, soft_mask, total_power
from separation.spectrum import BINS, FRAME, HOP, INVERSE_WINDOW, OVERLAP, SEGMENT_FRAMES, WINDOW

Spectrum = npt.NDArray[np.complex64]

_CHUNK_FRAMES = 32  # so many frames at a time stay in the processor's cache
# NumPy transforms float32 as such only if it also scales, by 1 / FRAME here; else by way of float64, slowly.
# The window makes up for the scale, which is a power of two.
_FORWARD_WINDOW = WINDOW * np.float32(FRAME)


class NumpyTransform:
    """A `Transform`. Its spectra are arrays (2, 512, 2049) of complex64."""

    def forward(self, samples: Samples, frames: int, bins: int) -> tuple[Spectrum, Magnitude]:
        views = np.lib.stride_tricks.sliding_window_view(samples, FRAME, axis=1)[:, ::HOP]
        spectrum = np.zeros((CHANNELS, SEGMENT_FRAMES, BINS), np.complex64)
        windowed = np.empty((_CHUNK_FRAMES, FRAME), np.float32)
        for channel in range(CHANNELS):
            for start in range(0, frames, _CHUNK_FRAMES):
                stop = min(start + _CHUNK_FRAMES, frames)
                chunk = np.multiply(views[channel, start:stop], _FORWARD_WINDOW, out=windowed[: stop - start])
                spectrum[channel, start:stop] = np.fft.rfft(chunk, axis=-1, norm="forward")
        return spectrum, np.abs(spectrum[:, :, :bins]).transpose(1, 2, 0)

    def masks(self, estimates: Magnitude) -> Magnitude:
        total = total_power(estimates)
        for estimate in estimates:
            estimate[...] = soft_mask(estimate, total, len(estimates))
        return estimates

    def inverse(self, spectrum: Spectrum, mask: Magnitude, extension: MaskExtension, to: Samples) -> None:
        planes = mask.transpose(2, 0, 1)
        beyond = extend(planes, extension)
        bins = planes.shape[-1]
        summed = to.reshape(CHANNELS, SEGMENT_FRAMES + OVERLAP - 1, HOP)
        masked = np.zeros((_CHUNK_FRAMES, BINS), np.complex64)
        frames = np.empty((_CHUNK_FRAMES, FRAME), np.float32)
        for channel in range(CHANNELS):
            for start in range(0, SEGMENT_FRAMES, _CHUNK_FRAMES):
                chunk = slice(start, start + _CHUNK_FRAMES)
                np.multiply(spectrum[channel, chunk, :bins], planes[channel, chunk], out=masked[:, :bins])
                if beyond is not None:
                    np.multiply(spectrum[channel, chunk, bins:], beyond[channel, chunk], out=masked[:, bins:])
                np.multiply(np.fft.irfft(masked, FRAME, axis=-1), INVERSE_WINDOW, out=frames)
                for hop in range(OVERLAP):
                    part = frames[:, hop * HOP : (hop + 1) * HOP]
                    summed[channel, start + hop : start + hop + _CHUNK_FRAMES] += part
