"""What sound is between a song's file and its stems' files: float samples at one rate, of two channels."""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 44_100  # Hz
CHANNELS = 2

Samples = npt.NDArray[np.float32]
