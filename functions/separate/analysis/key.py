"""The key that a song's notes are in."""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from analysis.events import Key, Mode, Note

# How much each degree of the chromatic scale is heard in a key: I. Sha'ath, "Estimation of key in digital
# music recordings", 2011, made for popular music. Its minor keys have the natural seventh, which
# Krumhansl's lack.
_PROFILES: Mapping[Mode, tuple[float, ...]] = {
    "major": (6.6, 2.0, 3.5, 2.3, 4.6, 4.0, 2.5, 5.2, 2.4, 3.7, 2.3, 3.4),
    "minor": (6.5, 2.7, 3.5, 5.4, 2.6, 3.5, 2.5, 5.2, 4.0, 2.7, 4.3, 3.2),
}
# A song tends to open on its tonic, by which relative keys, of the same notes, are told apart.
_OPENING_SECONDS = 2.0
_OPENING_SHARE = 0.2


def find_key(notes: Collection[Note]) -> Key | None:
    """The key whose profile correlates best with how long each pitch class sounds.

    Parameters
    ----------
    notes : collection of Note
        Of all stems but drums.

    Returns
    -------
    Key or None
        Its confidence is the correlation. None where there are no notes, or all pitch classes sound alike.
    """
    if not notes:
        return None
    opening = min(note.time for note in notes) + _OPENING_SECONDS
    sounding = (1 - _OPENING_SHARE) * _pitch_classes(notes)
    sounding += _OPENING_SHARE * _pitch_classes([note for note in notes if note.time < opening])
    if np.ptp(sounding) < 1e-6:
        return None
    keys = [
        Key(tonic, mode, float(np.corrcoef(sounding, np.roll(profile, tonic))[0, 1]))
        for mode, profile in _PROFILES.items()
        for tonic in range(12)
    ]
    return max(keys, key=lambda key: key.confidence)


def _pitch_classes(notes: Collection[Note]) -> npt.NDArray[np.float64]:
    """The share of each of them in the time that notes sound."""
    seconds = np.bincount(
        [note.pitch % 12 for note in notes], [note.duration for note in notes], minlength=12
    )
    shares: npt.NDArray[np.float64] = seconds / max(seconds.sum(), 1e-9)
    return shares
