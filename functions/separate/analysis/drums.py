"""Drum hits: two small convolutional networks of our own, in numpy, on a spectrum relative to the song.

The weights beside this file are made by `training`; docs/drums.md says from what, and how good they are.
"""

import functools
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from analysis.events import Drum, Hit
from analysis.frames import mixed_down
from analysis.rows import Rows
from downloads.errors import ModelDamagedError, ModelMissingError
from media.resampling import Resampler
from media.samples import SAMPLE_RATE, Samples

Array = npt.NDArray[np.float32]

DRUMS: tuple[Drum, ...] = get_args(Drum)
HOP, FRAME, BANDS = 441, 2048, 60
FRAME_RATE = SAMPLE_RATE / HOP

DILATIONS = (1, 2, 4, 8, 16)  # of the layers that keep the width
REACH = 1 + sum(DILATIONS)  # frames that an activation sees on either side

WEIGHTS = Path(__file__).with_suffix(".npz")
WEIGHTS_SHA256 = "682ecd7657fcac85aa33399a26661a90df79cb9beca3d323b4f13173de220838"

_LOWEST, _HIGHEST, _NARROWEST = 30.0, 16_000.0, 21.6  # Hz
_QUIETEST = (
    0.01  # A song whose peak is below it has the residue of a separation, and is not raised to full level.
)
_CHUNK = 1024  # frames that the networks see at once
_TRANSFORMED = 64  # frames that are transformed at once
_PEAK_REACH = 3  # frames on either side that a hit's activation is the highest of
_NEAREST = 0.04  # seconds between two hits of a drum
_AT_ONCE = 0.03  # seconds within which a hat is open or closed, and not both


@dataclass(frozen=True)
class Network:
    """Weights of one network, layer by layer.

    Attributes
    ----------
    weights : sequence of ndarray (3 * inputs, outputs), float32
        Of three frames each, the earliest first; the last layer's are of one frame, (inputs, outputs).
    biases : sequence of ndarray (outputs,), float32
    """

    weights: Sequence[Array]
    biases: Sequence[Array]

    def __call__(self, inputs: Array) -> Array:
        """Activations and velocities, both of DRUMS, shape (frames, 14), from inputs (frames, 120)."""
        hidden = np.maximum(_neighbours(inputs, 1) @ self.weights[0] + self.biases[0], 0)
        for dilation, weight, bias in zip(DILATIONS, self.weights[1:], self.biases[1:], strict=False):
            hidden = hidden + np.maximum(_neighbours(hidden, dilation) @ weight + bias, 0)
        outputs: Array = 1 / (1 + np.exp(-(hidden @ self.weights[-1] + self.biases[-1])))
        return outputs


@dataclass(frozen=True)
class Model:
    """Networks whose outputs are averaged, and the activation that each of DRUMS has to reach."""

    networks: Sequence[Network]
    thresholds: Array

    def __call__(self, inputs: Array) -> Array:
        """As of each network."""
        outputs: Array = np.mean([network(inputs) for network in self.networks], axis=0, dtype=np.float32)
        return outputs


class DrumHits:
    """Hears the hits in a stem of drums.

    What is kept of it are the bands of its frames, 24 kB a second: a band's loudness counts by how loud it
    gets in this song, so that a kit explains itself.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    model : Model, optional
        The weights beside this file, unless others are given.

    Raises
    ------
    ModelMissingError, ModelDamagedError
        If the weights are not what was trained.
    """

    def __init__(self, sample_rate: int, model: Model | None = None) -> None:
        self._model = model or load()
        self._resampler = Resampler(sample_rate, SAMPLE_RATE, 1)
        self._bands = _Bands()

    def add(self, samples: Samples) -> None:
        """Take samples, of shape (any, 2)."""
        self._bands.add(self._resampler.add(mixed_down(samples))[:, 0])

    def finish(self) -> tuple[Hit, ...]:
        """The hits, in the order of time."""
        self._bands.add(self._resampler.finish()[:, 0])
        return hits(self._model, self._bands.finish())


def hits(model: Model, bands: Array) -> tuple[Hit, ...]:
    """The hits in a song's bands (frames, BANDS), as `bands_of` gives them."""
    return pick(estimate(model, bands), model.thresholds)


def bands_of(samples: Array) -> Array:
    """Bands of a whole song.

    Parameters
    ----------
    samples : ndarray (any,), float32
        One channel at 44.1 kHz.

    Returns
    -------
    ndarray (frames, BANDS), float32
        Amplitudes about k * HOP, relative to the loudest sample.
    """
    bands = _Bands()
    bands.add(samples)
    return bands.finish()


def inputs_of(bands: Array) -> Array:
    """What the networks see of a song: its bands' loudness, as it is and relative to the song.

    Parameters
    ----------
    bands : ndarray (frames, BANDS), float32

    Returns
    -------
    ndarray (frames, 2 * BANDS), float32
    """
    loudness = np.log10(1 + 8000 * bands)
    reference = np.maximum(np.percentile(loudness, 99, axis=0), 0.4).astype(np.float32)
    return np.concatenate([(loudness - 0.6) / 0.6, (loudness - reference) / 0.6 + 1], axis=1)


def estimate(model: Model, bands: Array) -> Array:
    """Activations and velocities, shape (frames, 14); zeros where a song is silent."""
    outputs = np.zeros((len(bands), 2 * len(DRUMS)), np.float32)
    if not len(bands):
        return outputs
    inputs = inputs_of(bands)
    for start in range(0, len(bands), _CHUNK):
        first = max(0, start - REACH)
        seen = slice(first, start + _CHUNK + REACH)
        if bands[seen].any():
            outputs[start : start + _CHUNK] = model(inputs[seen])[start - first :][:_CHUNK]
    return outputs


def pick(outputs: Array, thresholds: Array) -> tuple[Hit, ...]:
    """Hits at the peaks of activations.

    Parameters
    ----------
    outputs : ndarray (frames, 14)
        As `estimate` gives them.
    thresholds : ndarray (7,)
        What a peak has to reach, for each drum.
    """
    if not len(outputs):
        return ()
    found: dict[Drum, list[_Peak]] = {
        drum: _peaks(outputs[:, index], outputs[:, len(DRUMS) + index], thresholds[index])
        for index, drum in enumerate(DRUMS)
    }
    closed, opened = found["closed_hat"], found["open_hat"]
    found["open_hat"] = _stronger(opened, closed)
    # A ride is often taken for a closed hat besides; one behind it could hardly be heard.
    found["closed_hat"] = _stronger(_stronger(closed, opened), found["ride"])
    return tuple(
        sorted(
            (Hit(peak.time, drum, peak.velocity) for drum, peaks in found.items() for peak in peaks),
            key=lambda hit: (hit.time, DRUMS.index(hit.drum)),
        )
    )


def load(path: Path = WEIGHTS, sha256: str = WEIGHTS_SHA256) -> Model:
    """Read and verify weights.

    Raises
    ------
    ModelMissingError, ModelDamagedError
        If there are none, or others.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelMissingError(
            f"The weights that hear drums are not at {path}. Install Stempipe anew."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelDamagedError(f"{path} is not the file that was trained. Install Stempipe anew.")
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return unpack(dict(file))


def pack(model: Model) -> dict[str, npt.NDArray[Any]]:
    """Weights as arrays of whole numbers from -127 to 127, with a scale for each output; see `unpack`."""
    arrays: dict[str, npt.NDArray[Any]] = {"thresholds": model.thresholds}
    for number, network in enumerate(model.networks):
        for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / 127
            arrays[f"{number}.{layer}.weight"] = np.rint(weight / scale).astype(np.int8)
            arrays[f"{number}.{layer}.scale"] = scale.astype(np.float32)
            arrays[f"{number}.{layer}.bias"] = bias
    return arrays


def unpack(arrays: dict[str, npt.NDArray[Any]]) -> Model:
    """The model of which `pack` made arrays."""
    numbers = sorted({name.partition(".")[0] for name in arrays if name != "thresholds"})
    layers = range(len(DILATIONS) + 2)
    return Model(
        [
            Network(
                [arrays[f"{n}.{i}.weight"].astype(np.float32) * arrays[f"{n}.{i}.scale"] for i in layers],
                [arrays[f"{n}.{i}.bias"].astype(np.float32) for i in layers],
            )
            for n in numbers
        ],
        arrays["thresholds"].astype(np.float32),
    )


class _Bands:
    """Amplitudes of bands of a channel's frames, whatever blocks it comes in."""

    def __init__(self) -> None:
        self._window = np.hanning(FRAME + 1)[:-1].astype(np.float32)
        self._filters = _filters()
        self._waiting: Array = np.zeros(FRAME // 2, np.float32)  # the first frame is about the first sample
        self._received = self._made = 0
        self._peak = _QUIETEST
        self._bands = Rows(np.float32, BANDS)

    def add(self, samples: Array) -> None:
        self._received += len(samples)
        self._peak = max(self._peak, float(np.abs(samples).max(initial=0)))
        self._take(samples)

    def finish(self) -> Array:
        frames = -(-self._received // HOP)
        self._take(np.zeros(FRAME, np.float32))
        bands = self._bands.all()[:frames]
        return (bands / self._peak).astype(np.float32)

    def _take(self, samples: Array) -> None:
        samples = np.concatenate([self._waiting, samples])
        count = max(0, 1 + (len(samples) - FRAME) // HOP)
        self._waiting = samples[count * HOP :]
        for start in range(0, count, _TRANSFORMED):
            piece = samples[start * HOP : (min(start + _TRANSFORMED, count) - 1) * HOP + FRAME]
            frames = np.lib.stride_tricks.sliding_window_view(piece, FRAME)[::HOP]
            bands = np.zeros((len(frames), BANDS), np.float32)
            if piece.any():
                spectrum = np.fft.rfft(frames * self._window)[:, : len(self._filters)]
                bands[:] = np.sqrt(spectrum.real**2 + spectrum.imag**2) @ self._filters
            self._bands.add(bands)


@functools.cache
def _filters() -> Array:
    """Triangles of a constant ratio, but the lowest wider, each of sum 1 / FRAME; (bins, BANDS)."""
    edges = [_LOWEST]
    ratio = (_HIGHEST / _LOWEST) ** (1 / (BANDS + 1))
    for _ in range(
        200
    ):  # narrow bands are widened, and leave the others less: the ratio that ends at the highest
        edges = [_LOWEST]
        for _ in range(BANDS + 1):
            edges.append(max(edges[-1] * ratio, edges[-1] + _NARROWEST))
        ratio *= (_HIGHEST / edges[-1]) ** (1 / (BANDS + 1))
    frequencies = np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME
    low, middle, high = (np.array(edges[offset : offset + BANDS])[:, None] for offset in (0, 1, 2))
    triangles = np.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle))
    filters = np.maximum(triangles, 0)
    scaled: Array = (filters / filters.sum(axis=1, keepdims=True) / FRAME).T.astype(np.float32)
    return scaled[: 1 + int(np.flatnonzero(scaled.any(axis=1))[-1])]


def _neighbours(frames: Array, distance: int) -> Array:
    """Each frame between those before and after it, zeros beyond the ends; (frames, 3 * width)."""
    padded = np.pad(frames, ((distance, distance), (0, 0)))
    return np.concatenate([padded[: len(frames)], frames, padded[2 * distance :]], axis=1)


@dataclass(frozen=True)
class _Peak:
    time: float
    activation: float
    velocity: float


def _peaks(activations: Array, velocities: Array, threshold: np.float32) -> list[_Peak]:
    """Highest of their neighbours, and no two nearer than a drum is hit."""
    around = np.pad(activations, _PEAK_REACH)
    highest = np.lib.stride_tricks.sliding_window_view(around, 2 * _PEAK_REACH + 1).max(axis=1)
    peaks: list[_Peak] = []
    for frame in np.flatnonzero((activations == highest) & (activations > threshold)):
        three = around[frame + _PEAK_REACH - 1 : frame + _PEAK_REACH + 2]
        time = max(0.0, float(frame + (three[2] - three[0]) / three.sum()) / FRAME_RATE)
        peak = _Peak(time, float(activations[frame]), float(velocities[frame]))
        if peaks and time - peaks[-1].time < _NEAREST:
            peak = max(peaks.pop(), peak, key=lambda one: one.activation)
        peaks.append(peak)
    return peaks


def _stronger(peaks: list[_Peak], others: list[_Peak]) -> list[_Peak]:
    """Those that no stronger one of the others is at the same time with."""
    times = np.array([other.time for other in others])
    kept = []
    for peak in peaks:
        near = slice(*np.searchsorted(times, [peak.time - _AT_ONCE, peak.time + _AT_ONCE]))
        if all(other.activation < peak.activation for other in others[near]):
            kept.append(peak)
    return kept
