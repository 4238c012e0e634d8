"""The compiled library, as Python calls it."""

import ctypes
import weakref
from collections.abc import Sequence
from itertools import pairwise
from threading import Lock

import numpy as np
import numpy.typing as npt

from separation.native.build import INSTRUCTIONS, NotBuiltError, build
from separation.processors import processors

Floats = npt.NDArray[np.float32]

_POINTER = ctypes.POINTER(ctypes.c_float)
_MULTIPLE = 128  # of frames and of bins


def open_library(instructions: str | None = None) -> ctypes.CDLL:
    """Load the library for the best instructions that the processor has, compiled if it was not yet.

    Parameters
    ----------
    instructions : {"avx512", "avx2"}, optional
        Take these.

    Raises
    ------
    NotBuiltError
        If there is none, or the processor cannot run it.
    """
    folder = build()
    for name in [instructions] if instructions else INSTRUCTIONS:
        try:
            library = ctypes.CDLL(str(folder / f"{name}.so"))
        except OSError as error:
            raise NotBuiltError(str(error)) from error
        if library.network_runs_here():
            return declared(library)
    raise NotBuiltError("the processor has not the instructions that it needs")


class Tools(ctypes.Structure):
    """What the transforms are lent; see `spectrum.h`."""

    _fields_ = (("window", _POINTER), ("roots", _POINTER), ("scratch", _POINTER))


def declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """The same, with its functions' types."""
    library.network_open.restype = ctypes.c_void_p
    library.network_open.argtypes = [*[ctypes.c_int] * 6, ctypes.POINTER(_POINTER)]
    library.network_estimate.restype = None
    library.network_estimate.argtypes = [ctypes.c_void_p, _POINTER, _POINTER]
    library.network_close.restype = None
    library.network_close.argtypes = [ctypes.c_void_p]
    numbers = [ctypes.c_int] * 3
    library.spectrum_floats.restype = ctypes.c_size_t
    library.spectrum_floats.argtypes = [ctypes.c_int]
    library.spectrum_scratch.restype = ctypes.c_size_t
    library.spectrum_scratch.argtypes = []
    library.spectrum_forward.restype = None
    library.spectrum_forward.argtypes = [ctypes.POINTER(Tools), *[_POINTER] * 2, *numbers, *[_POINTER] * 2]
    library.spectrum_masks.restype = None
    library.spectrum_masks.argtypes = [ctypes.c_int, ctypes.c_size_t, _POINTER]
    library.spectrum_inverse.restype = None
    library.spectrum_inverse.argtypes = [ctypes.POINTER(Tools), *[_POINTER] * 2, *numbers, _POINTER]
    return library


class Network:
    """All stems' U-Nets.

    Parameters
    ----------
    library
        Of `open_library`.
    stems : sequence of sequences of ndarrays, float32
        Each stem's variables, in the order of `network.h`.
    frames, bins : int
        Of a segment; both multiples of 128.
    is_elu, is_softmax : bool
        See `engines.network.build_network`.
    threads : int, optional
        By default as many as the process may use. They change nothing in the result.

    Raises
    ------
    MemoryError
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        stems: Sequence[Sequence[Floats]],
        *,
        frames: int,
        bins: int,
        is_elu: bool,
        is_softmax: bool,
        threads: int | None = None,
    ) -> None:
        if frames % _MULTIPLE or bins % _MULTIPLE or frames < 1 or bins < 1:
            raise ValueError(
                f"A segment of {frames} frames and {bins} bins: both must be multiples of {_MULTIPLE}."
            )
        variables = [np.require(value, np.float32, ["C", "A"]) for stem in stems for value in stem]
        _check(variables, len(stems))
        pointers = (_POINTER * len(variables))(*[pointer(value) for value in variables])
        options = (len(stems), frames, bins, is_elu, is_softmax, threads or processors())
        self._handle = library.network_open(*options, pointers)
        if not self._handle:
            raise MemoryError("There is no memory for the networks.")
        self._library = library
        self._shapes = (frames, bins, 2), (len(stems), frames, bins, 2)
        self._lock = Lock()
        weakref.finalize(self, library.network_close, self._handle)

    def estimate(self, magnitude: Floats) -> Floats:
        """Run the networks on one segment; see `Engine.estimate`."""
        taken, made = self._shapes
        if magnitude.shape != taken:
            raise ValueError(f"Magnitudes of the shape {magnitude.shape}; the networks take {taken}.")
        magnitude = np.require(magnitude, np.float32, ["C", "A"])
        estimates = np.empty(made, np.float32)
        with self._lock:  # it has one place to work in
            self._library.network_estimate(self._handle, pointer(magnitude), pointer(estimates))
        return estimates


def _check(variables: Sequence[Floats], stems: int) -> None:
    """The library reads what it expects to be there."""
    found = [value.shape for value in variables]
    if found != expected_shapes() * stems:
        raise ValueError("the shapes of the variables")


def expected_shapes() -> list[tuple[int, ...]]:
    """Of a stem's variables, in order."""
    shapes: list[tuple[int, ...]] = []
    down = [2, 16, 32, 64, 128, 256, 512]
    for inputs, outputs in pairwise(down):
        shapes += [(5, 5, inputs, outputs), *[(outputs,)] * 3]
    up = [(512, 256), (512, 128), (256, 64), (128, 32), (64, 16), (32, 1)]
    for inputs, outputs in up:
        shapes += [(5, 5, outputs, inputs), *[(outputs,)] * 3]
    return [*shapes, (4, 4, 1, 2), (2,)]


def pointer(array: Floats) -> "ctypes._Pointer[ctypes.c_float]":
    """To an array's first value."""
    return array.ctypes.data_as(_POINTER)
