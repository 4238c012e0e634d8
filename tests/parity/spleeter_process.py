# mypy: ignore-errors
"""Spleeter, in its own environment: makes what the tests compare with. Knows nothing of `separation`.

Each line of standard input is a request: a function as `do`, and its arguments.
"""

import json
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from spleeter.audio.adapter import AudioAdapter
from spleeter.model import EstimatorSpecBuilder
from spleeter.separator import Separator
from spleeter.utils.configuration import load_configuration


def separate(configuration: str, songs: list[str], folder: str) -> None:
    """As the command line does: stems in `folder/{song}/{stem}.wav`."""
    separator = Separator(configuration, multiprocess=False)
    for song in songs:
        separator.separate_to_file(song, folder)


@lru_cache(maxsize=1)
def _held_model(configuration: str) -> tuple[Any, Any, Any]:
    """Spleeter's whole model, transforms included, without building it again for every song."""
    separator = Separator(configuration, multiprocess=False)
    with separator._tf_graph.as_default():
        return separator._get_features(), separator._get_builder().outputs, separator._get_session()


def separate_samples(configuration: str, songs: list[str], folder: str) -> None:
    """Stems as float32 arrays (any, 2) in `folder/{song}.npz`."""
    features, outputs, session = _held_model(configuration)
    for song in songs:
        waveform, _ = AudioAdapter.default().load(song, sample_rate=44_100)
        feed = {features["waveform"]: waveform, features["audio_id"]: ""}
        np.savez(Path(folder) / Path(song).stem, **session.run(outputs, feed))


def random_model(variant: str, seed: int, folder: str) -> None:
    """A checkpoint of random weights, and for both bandwidths an input and Spleeter's estimates."""
    random = np.random.default_rng(seed)
    checkpoint = str(Path(folder) / "model")
    for bandwidth, configuration in (("11khz", variant), ("16khz", f"{variant}-16kHz")):
        params = load_configuration(f"spleeter:{configuration}")
        magnitude = random.exponential(5, (1, params["T"], params["F"], params["n_channels"]))
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            spectrogram = tf.compat.v1.placeholder(tf.float32, magnitude.shape)
            builder = EstimatorSpecBuilder({f"{params['mix_name']}_spectrogram": spectrogram}, params)
            outputs = [builder.model_outputs[f"{stem}_spectrogram"] for stem in params["instrument_list"]]
            saver = tf.compat.v1.train.Saver()
            if bandwidth == "11khz":
                variables = tf.compat.v1.global_variables()
                values = {v.initializer.inputs[1]: _values(random, v.op.name, v.shape) for v in variables}
                session.run([v.initializer for v in variables], values)
                saver.save(session, checkpoint, write_meta_graph=False)
            else:
                saver.restore(session, checkpoint)
            estimates = session.run(outputs, {spectrogram: magnitude})
        np.save(Path(folder) / f"magnitude {bandwidth}.npy", magnitude[0].astype(np.float32))
        np.save(Path(folder) / f"estimates {bandwidth}.npy", np.concatenate(estimates))
    (Path(folder) / "stems.txt").write_text("\n".join(params["instrument_list"]))


def _values(random: Any, name: str, shape: Any) -> Any:
    """Values of one variable that keep signals in range and leave no norm or bias without effect."""
    if name.endswith("/kernel"):
        inputs = shape[3] if "transpose" in name else shape[2]
        return random.normal(0, (shape[0] * shape[1] * inputs) ** -0.5, shape)
    if name.endswith(("/gamma", "/moving_variance")):
        return random.uniform(0.5, 1.5, shape)
    return random.uniform(-0.3, 0.3, shape)


def main() -> None:
    """Answer each request with an empty object."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Spleeter and TensorFlow print is no answer
    functions = {function.__name__: function for function in (separate, separate_samples, random_model)}
    for line in sys.stdin:
        request = json.loads(line)
        functions[request.pop("do")](**request)
        print("{}", file=answers, flush=True)


if __name__ == "__main__":
    main()
