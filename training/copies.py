"""Soundfonts copy each other: is a sound that tests are made of one that was learned from?"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from media.samples import SAMPLE_RATE
from training.kits import Kit, Sound

COMPARED = SAMPLE_RATE // 10  # samples of a sound's beginning
SHIFT = 400  # samples, 9 ms, by which one may begin later
COPY = 0.95  # normalised cross-correlation from which on two sounds are the same recording
_LENGTH = 8192


def copies(tested: Iterable[Kit], learned: Iterable[Kit]) -> list[str]:
    """Sounds of tested kits that are in learned ones too, said in words."""
    names, spectra = [], []
    for name, sound in _sounds(learned):
        names.append(name)
        spectra.append(_spectrum(sound))
    known = np.stack(spectra)
    magnitudes = np.abs(known)
    found = []
    for name, sound in _sounds(tested):
        spectrum = _spectrum(sound)
        # No shift makes two sounds more alike than their magnitudes are.
        possible = np.flatnonzero(magnitudes @ np.abs(spectrum) > COPY)
        if len(possible):
            likeness = np.abs(np.fft.irfft(np.conj(known[possible]) * spectrum, _LENGTH)) * (_LENGTH / 2)
            best = np.maximum(likeness[:, :SHIFT].max(axis=1), likeness[:, -SHIFT:].max(axis=1))
            if best.max() > COPY:
                found.append(f"{name} is {names[possible[int(best.argmax())]]} ({best.max():.3f})")
    return found


def _sounds(kits: Iterable[Kit]) -> Iterator[tuple[str, Sound]]:
    for kit in kits:
        for drum, variants in kit.drums.items():
            for number, layers in enumerate(variants):
                for layer in layers:
                    yield f"{kit.name}'s {drum} {number} at {layer.velocity:.2f}", layer.sound


def _spectrum(sound: Sound) -> npt.NDArray[np.complex64]:
    """Of length 1, so that products of two are at most 1."""
    spectrum = np.fft.rfft(sound[:COMPARED], _LENGTH).astype(np.complex64)
    return spectrum / np.linalg.norm(spectrum)
