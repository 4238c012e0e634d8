"""BeatNet's network: how likely each fiftieth of a second of music is a beat, or a downbeat.

Features and network are those of Heydari, Cwitkowitz and Duan, "BeatNet: CRNN and Particle Filtering for
Online Joint Beat, Downbeat and Meter Tracking", ISMIR 2021, and of the package BeatNet 1.1.3, whose weights
`model_1` these are (CC BY 4.0). The filter bank is the one of Böck et al., "madmom: a new Python audio and
music signal processing library", 2016, which BeatNet was trained with.
"""

import collections
import io
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.frames import Framer, magnitudes, mixed_down
from analysis.rows import Rows
from downloads.errors import ModelDamagedError
from media.resampling import Resampler
from media.samples import Samples

FRAME_RATE = 50
_SAMPLE_RATE = 22_050
_SIZE = 1411
_BINS = _SIZE // 2
_BANDS_PER_OCTAVE = 24
_LOWEST, _HIGHEST = 30, 17_000  # Hz
_CELLS = 150

Weights = Mapping[str, npt.NDArray[np.float32]]


class Heard(NamedTuple):
    """What BeatNet makes of a song; frame t is at t / 50 s.

    Attributes
    ----------
    likely : ndarray (frames, 2), float32
        The probabilities of a beat that is no downbeat, and of a downbeat.
    bands : ndarray (frames, 136), float16
        Logarithms of magnitudes, a quarter tone apart where that can be resolved: 8 MB in ten minutes.
    """

    likely: npt.NDArray[np.float32]
    bands: npt.NDArray[np.float16]


class BeatNet:
    """Hears samples, and gives for each frame the likelihood of a beat.

    Parameters
    ----------
    sample_rate : int
        Of what comes in.
    weights : mapping of str to ndarray
        As `read_weights` gives them.
    """

    def __init__(self, sample_rate: int, weights: Weights) -> None:
        self._resampler = Resampler(sample_rate, _SAMPLE_RATE, 1)
        self._framer = Framer(_SAMPLE_RATE, FRAME_RATE, _SIZE, _BINS, 1, batch=64)
        self._window = np.hanning(_SIZE).astype(np.float32)
        self._filters = _filters()
        self._previous: Samples | None = None
        self._network = _Network(weights)
        self._likely = Rows(np.float32, 2)
        self._bands = Rows(np.float16, self._filters.shape[1])

    def add(self, samples: Samples) -> None:
        """Hear samples, shape (any, 2)."""
        self._hear(self._framer.add(self._resampler.add(mixed_down(samples))))

    def finish(self) -> Heard:
        """Give what was made of all that was heard."""
        self._hear(self._framer.add(self._resampler.finish()))
        self._hear(self._framer.finish())
        return Heard(self._likely.all(), self._bands.all())

    def _hear(self, batches: Iterable[Samples]) -> None:
        for frames in batches:
            features = self._features(frames[0])
            self._bands.add(features[:, : self._filters.shape[1]])
            self._likely.add(self._network.run(features))

    def _features(self, frames: Samples) -> Samples:
        """Bands in logarithms, and by how much each has risen since the frame before."""
        spectrum = magnitudes(frames, self._window)[:, :_BINS]
        bands = np.log10(spectrum @ self._filters + 1)
        before = bands[:1] if self._previous is None else self._previous
        risen = np.maximum(0, bands - np.concatenate([before, bands[:-1]]))
        self._previous = bands[-1:]
        return np.concatenate([bands, risen], axis=1)


class _Network:
    """A convolution over the bands, a dense layer, two layers of LSTM, and three classes."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        # tanh(x / 2) / 2 + 1 / 2 is the logistic function: one call of tanh serves all four gates.
        scale = np.full(4 * _CELLS, 0.5, np.float32)
        scale[3 * _CELLS :] = 1
        # The candidate comes last, behind the three gates that are logistic.
        order = np.arange(4 * _CELLS).reshape(4, _CELLS)[[0, 1, 3, 2]].ravel()
        self._layers = [
            (
                np.ascontiguousarray(weights[f"lstm.weight_ih_l{layer}"][order].T * scale),
                (weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"])[order] * scale,
                np.ascontiguousarray(weights[f"lstm.weight_hh_l{layer}"][order].T * scale),
            )
            for layer in (0, 1)
        ]
        self._hidden = np.zeros((2, _CELLS), np.float32)
        self._cells = np.zeros((2, _CELLS), np.float32)

    def run(self, features: Samples) -> Samples:
        """Go on: features of shape (frames, 272) in, probabilities of shape (frames, 2) out."""
        weights = self._weights
        kernel = weights["conv1.weight"][:, 0]
        views = np.lib.stride_tricks.sliding_window_view(features, kernel.shape[1], axis=1)
        maps = np.maximum(0, views @ kernel.T + weights["conv1.bias"])
        even = maps.shape[1] // 2 * 2
        pairs = np.maximum(maps[:, 0:even:2], maps[:, 1:even:2])
        flat = pairs.transpose(0, 2, 1).reshape(len(features), -1)
        values = flat @ weights["linear0.weight"].T + weights["linear0.bias"]
        for layer in (0, 1):
            values = self._lstm(layer, values)
        scores = values @ weights["linear.weight"].T + weights["linear.bias"]
        likely: Samples = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        return likely[:, :2]

    def _lstm(self, layer: int, values: Samples) -> Samples:
        arriving, bias, recurrent = self._layers[layer]
        inputs = values @ arriving + bias
        hidden, cells = self._hidden[layer], self._cells[layer]
        out = np.empty((len(values), _CELLS), np.float32)
        gates, passed = np.empty(4 * _CELLS, np.float32), np.empty(_CELLS, np.float32)
        enters, stays, leaves, candidate = gates.reshape(4, _CELLS)
        logistic = gates[: 3 * _CELLS]
        # In place, because there is little to compute for a frame, and there are thousands of them.
        for entering, leaving in zip(inputs, out, strict=True):
            np.dot(hidden, recurrent, out=gates)
            gates += entering
            np.tanh(gates, out=gates)
            logistic *= 0.5
            logistic += 0.5
            cells *= stays
            np.multiply(enters, candidate, out=passed)
            cells += passed
            np.tanh(cells, out=passed)
            hidden = np.multiply(leaves, passed, out=leaving)
        self._hidden[layer] = hidden
        return out


def _filters() -> npt.NDArray[np.float32]:
    """Triangles a quarter tone apart, where the spectrum resolves that: shape (bins, bands)."""
    steps = np.arange(-200, 200)
    centres = 440 * 2.0 ** (steps / _BANDS_PER_OCTAVE)
    centres = centres[(centres >= _LOWEST) & (centres <= _HIGHEST)]
    # madmom places bins as if the frame were of an even length.
    corners = np.unique(np.clip(np.round(centres * 2 * _BINS / _SAMPLE_RATE), 0, _BINS - 1).astype(int))
    filters = np.zeros((_BINS, len(corners) - 2), np.float32)
    for band, (start, centre, stop) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        if stop - start < 2:
            centre, stop = start, start + 1
        filters[start:centre, band] = np.arange(centre - start) / (centre - start)
        filters[centre:stop, band] = 1 - np.arange(stop - centre) / (stop - centre)
    filters /= filters.sum(axis=0)
    return filters


def read_weights(file: bytes) -> Weights:
    """Read a PyTorch file of weights, and nothing else that a pickle could hold.

    Raises
    ------
    ModelDamagedError
        If it is no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            weights = _Unpickler(archive).load()
        return {str(name): np.ascontiguousarray(tensor) for name, tensor in weights.items()}
    except (
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        KeyError,
        ValueError,
        AttributeError,
        EOFError,
    ) as error:
        raise ModelDamagedError(f"The weights of BeatNet cannot be read: {error}") from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(io.BytesIO(archive.read("archive/data.pkl")))
        self._archive = archive

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch", "FloatStorage"): np.float32,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of weights")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        _, kind, key, *_ = pid
        return np.frombuffer(self._archive.read(f"archive/data/{key}"), kind)


def _tensor(storage: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Any:
    count = int(np.prod(shape))
    tensor = storage[offset : offset + count].reshape(shape)
    if tuple(step // 4 for step in tensor.strides) != tuple(strides):
        raise ValueError("a tensor is not stored row by row")
    return tensor
