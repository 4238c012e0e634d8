"""How hard notes are struck, from how loud they are."""

import numpy as np
import numpy.typing as npt

RANGE = 20.0  # dB below a stem's loud notes: what is softer than that is rather what leaked from other stems


def loud(levels: npt.NDArray[np.floating]) -> float:
    """The level of a stem's loud notes, in the levels' dB; -inf where there is none."""
    return float(np.percentile(levels, 90)) if len(levels) else -np.inf


def velocity(level: float, loudest: float) -> float:
    """From 0 to 1: General MIDI's instruments play with an amplitude of the velocity's square.

    Parameters
    ----------
    level, loudest : float
        Of the note, and of one of velocity 1, in dB.
    """
    return float(min(1.0, 10 ** ((level - loudest) / 40)))
