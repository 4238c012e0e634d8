"""The reference engine: Spleeter's own package, which builds its networks on TensorFlow.

Both are in the image of the Dockerfile's target `tensorflow`, and in `.venv/spleeter`.
"""

import os
from pathlib import Path

import numpy as np

from downloads.errors import ModelDamagedError
from separation.engine import Bandwidth
from separation.masks import Magnitude
from separation.models.weights import VariantName
from separation.numpy_transform import NumpyTransform

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # it tells at length what it was built for

import tensorflow as tf
from spleeter.model import EstimatorSpecBuilder
from spleeter.utils.configuration import load_configuration

tf.get_logger().setLevel("ERROR")  # it warns of its own calls


class TensorFlowEngine:
    """An `Engine`. The weights are read once, into a session that is held.

    Parameters
    ----------
    checkpoint : Path
        Prefix of the checkpoint's files, as `verify` gives it.
    variant, bandwidth
        See `load_engine`.

    Raises
    ------
    ModelDamagedError
        If the checkpoint is not one of this variant.
    """

    def __init__(self, checkpoint: Path, variant: VariantName, bandwidth: Bandwidth) -> None:
        name = f"spleeter:{variant}" + ("-16kHz" if bandwidth == "16khz" else "")
        specification = load_configuration(name)
        self.stems: tuple[str, ...] = tuple(specification["instrument_list"])
        self.bins: int = specification["F"]
        self.transform = NumpyTransform()
        with tf.Graph().as_default() as graph:
            shape = (1, specification["T"], self.bins, specification["n_channels"])
            self._magnitude = tf.compat.v1.placeholder(tf.float32, shape)
            features = {f"{specification['mix_name']}_spectrogram": self._magnitude}
            outputs = EstimatorSpecBuilder(features, specification).model_outputs
            self._estimates = tf.concat([outputs[f"{stem}_spectrogram"] for stem in self.stems], axis=0)
            self._session = tf.compat.v1.Session(graph=graph)
            try:
                tf.compat.v1.train.Saver().restore(self._session, str(checkpoint))
            except (tf.errors.OpError, ValueError) as error:
                raise ModelDamagedError(f"The weights are not those of {variant}: {error}") from error

    def estimate(self, magnitude: Magnitude) -> Magnitude:
        estimates: Magnitude = self._session.run(self._estimates, {self._magnitude: magnitude[np.newaxis]})
        return estimates
