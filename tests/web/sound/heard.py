"""What was heard: which samples of a song a recording holds, one after another.

A song of noise has no stretch twice, so that some samples in a row tell where in the song they are from. They
are compared bit by bit: what differs in the least, or lacks one of its stems, is not found.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

# Samples that tell a place.
_WORD = 4


class Stretch(NamedTuple):
    """Some samples in a row of a recording."""

    at: int  # in the recording
    start: int | None  # in the song; None for what is not of it: a fade, or silence
    length: int
    silent: bool = False

    @property
    def end(self) -> int | None:
        return None if self.start is None else self.start + self.length


class Song:
    """A song to be found in recordings: the sum of its stems, shape (samples, 2)."""

    def __init__(self, stems: dict[str, Sound], gains: dict[str, float] | None = None) -> None:
        self.sound = mixed(list(stems.values()), [(gains or {}).get(stem, 1.0) for stem in stems])
        words = _words(self.sound)
        self._order = np.argsort(words, kind="stable")
        self._sorted = words[self._order]

    def heard(self, recording: Sound) -> list[Stretch]:
        """The stretches of a recording, in their order, without gaps."""
        words = _words(recording)
        first = np.searchsorted(self._sorted, words, "left")
        last = np.searchsorted(self._sorted, words, "right")
        known = np.concatenate([last > first, np.zeros(len(recording) - len(words), bool)])
        silent: NDArray[np.bool_] = (recording == 0).all(axis=1)
        stretches: list[Stretch] = []
        at = 0
        while at < len(recording):
            if known[at]:
                places = self._order[first[at] : last[at]]
                length, place = max((self._alike(int(place), recording[at:]), int(place)) for place in places)
                stretches.append(Stretch(at, place, length))
            else:
                change = (known[at:] | (silent[at:] != silent[at])).argmax()
                length = int(change) or len(recording) - at
                stretches.append(Stretch(at, None, length, bool(silent[at])))
            at += length
        return stretches

    def _alike(self, place: int, recording: Sound) -> int:
        count = min(len(recording), len(self.sound) - place)
        different = (self.sound[place : place + count] != recording[:count]).any(axis=1)
        return int(different.argmax()) if different.any() else count


def _words(sound: Sound) -> NDArray[np.uint64]:
    """A number for each place, of the samples there and next to it."""
    bits = np.ascontiguousarray(sound).view(np.uint64)[:, 0]
    words = np.zeros(max(0, len(bits) - _WORD + 1), np.uint64)
    for i in range(_WORD):
        words = words * np.uint64(0x9E3779B97F4A7C15) + bits[i : i + len(words)]
    return words


def mixed(stems: list[Sound], gains: list[float]) -> Sound:
    """Stems added up, one after another, in 32 bits; shape (samples of the longest, 2)."""
    sum_ = np.zeros((max(map(len, stems)), 2), np.float32)
    for stem, gain in zip(stems, gains, strict=True):
        part = sum_[: len(stem)].astype(np.float64) + stem.astype(np.float64) * gain
        sum_[: len(stem)] = part.astype(np.float32)
    return sum_
