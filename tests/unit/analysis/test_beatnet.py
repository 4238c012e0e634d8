import io
import pickle
import zipfile

import numpy as np
import numpy.typing as npt
import pytest

from analysis.beatnet import BeatNet, Weights, read_weights
from downloads.errors import ModelDamagedError
from media.samples import SAMPLE_RATE, Samples
from tests.unit.analysis.hearing import hear

Doubles = npt.NDArray[np.float64]


def lstm(weights: Weights, layer: int, values: Doubles) -> Doubles:
    """As PyTorch's documentation has it, in double precision."""

    def logistic(value: Doubles) -> Doubles:
        return 1 / (1 + np.exp(-value))

    hidden = cells = np.zeros(150)
    found = []
    for value in values:
        gates = (
            weights[f"lstm.weight_ih_l{layer}"].astype(float) @ value
            + weights[f"lstm.bias_ih_l{layer}"]
            + weights[f"lstm.weight_hh_l{layer}"].astype(float) @ hidden
            + weights[f"lstm.bias_hh_l{layer}"]
        )
        enters, stays, candidate, leaves = np.split(gates, 4)
        cells = logistic(stays) * cells + logistic(enters) * np.tanh(candidate)
        hidden = logistic(leaves) * np.tanh(cells)
        found.append(hidden)
    return np.array(found)


def test_the_network_is_what_its_layers_say(beat_weights: Weights, noise: Samples) -> None:
    """From the bands that were heard to probabilities, layer by layer, one frame at a time."""
    heard = hear(BeatNet(SAMPLE_RATE, beat_weights), noise[: 2 * SAMPLE_RATE]).finish()
    bands = heard.bands.astype(float)
    features = np.concatenate([bands, np.maximum(0, np.diff(bands, axis=0, prepend=bands[:1]))], axis=1)
    dense = []
    for frame in features:
        maps = [
            np.maximum(0, np.correlate(frame, kernel[0].astype(float), "valid") + bias)
            for kernel, bias in zip(beat_weights["conv1.weight"], beat_weights["conv1.bias"], strict=True)
        ]
        pooled = np.concatenate([[max(each[i], each[i + 1]) for i in range(0, 262, 2)] for each in maps])
        dense.append(beat_weights["linear0.weight"].astype(float) @ pooled + beat_weights["linear0.bias"])
    states = lstm(beat_weights, 1, lstm(beat_weights, 0, np.array(dense)))
    scores = np.exp(states @ beat_weights["linear.weight"].T.astype(float) + beat_weights["linear.bias"])

    expected = (scores / scores.sum(axis=1, keepdims=True))[:, :2]

    assert heard.likely.shape == (100, 2)
    assert np.abs(heard.likely - expected).max() < 5e-3  # the bands are given in half precision


def test_weights_that_are_none_are_refused() -> None:
    harmful = io.BytesIO()
    with zipfile.ZipFile(harmful, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(print))
    for file in (b"", b"not a zip file", harmful.getvalue()):
        with pytest.raises(ModelDamagedError):
            read_weights(file)
