"""Transform, masks and inverse by the library."""

import ctypes
from threading import local

import numpy as np

from media.samples import Samples
from separation.masks import Magnitude, MaskExtension
from separation.native.bindings import Floats, Tools, pointer
from separation.spectrum import BINS, FRAME, HOP, INVERSE_WINDOW, SEGMENT_FRAMES, SEGMENT_SAMPLES, WINDOW

_SAMPLES = (2, SEGMENT_SAMPLES + FRAME - HOP)
_LINE = 64  # bytes of the processor's cache, and of its widest vectors


class NativeTransform:
    """A `Transform`. Its spectra are in the library's own order."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        turns = np.exp(-2j * np.pi * np.arange(FRAME) / FRAME)
        self._roots = np.stack([turns.real, turns.imag], axis=1).astype(np.float32)
        self._inverse_window = INVERSE_WINDOW / np.float32(FRAME)  # which the library's inverse leaves out
        self._threads = local()  # each has a place of its own to work in

    def forward(self, samples: Samples, frames: int, bins: int) -> tuple[Floats, Magnitude]:
        _require(samples.shape == _SAMPLES and 0 <= frames <= SEGMENT_FRAMES and 0 < bins <= BINS)
        spectrum = _lines(self._library.spectrum_floats(SEGMENT_FRAMES))
        magnitude = np.empty((SEGMENT_FRAMES, bins, 2), np.float32)
        channels = [pointer(np.require(channel, np.float32, ["C", "A"])) for channel in samples]
        made = (pointer(spectrum), pointer(magnitude))
        self._library.spectrum_forward(self._tools(WINDOW), *channels, frames, SEGMENT_FRAMES, bins, *made)
        return spectrum, magnitude

    def masks(self, estimates: Magnitude) -> Magnitude:
        estimates = np.require(estimates, np.float32, ["C", "A"])
        _require(estimates[0].size % SEGMENT_FRAMES == 0)
        self._library.spectrum_masks(len(estimates), estimates[0].size, pointer(estimates))
        return estimates

    def inverse(self, spectrum: Floats, mask: Magnitude, extension: MaskExtension, to: Samples) -> None:
        mask = np.require(mask, np.float32, ["C", "A"])
        frames, bins, channels = mask.shape
        _require((frames, channels) == (SEGMENT_FRAMES, 2) and 0 < bins <= BINS)
        _require(to.shape == _SAMPLES and to.dtype == np.float32 and to.flags.carray)
        taken = (pointer(spectrum), pointer(mask))
        self._library.spectrum_inverse(
            self._tools(self._inverse_window), *taken, frames, bins, extension == "average", pointer(to)
        )

    def _tools(self, window: Floats) -> Tools:
        if not hasattr(self._threads, "scratch"):
            self._threads.scratch = _lines(self._library.spectrum_scratch())
        return Tools(pointer(window), pointer(self._roots), pointer(self._threads.scratch))


def _require(is_so: bool) -> None:
    """The library trusts what it is given."""
    if not is_so:
        raise ValueError("an array that is not of one segment")


def _lines(floats: int) -> Floats:
    """Memory that begins a line of the cache."""
    memory = np.empty(floats + _LINE // 4, np.float32)
    skipped = -memory.ctypes.data % _LINE // 4
    return memory[skipped : skipped + floats]
