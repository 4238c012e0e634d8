from collections.abc import Sequence
from typing import get_args

import pytest

from analysis.events import Mode, Note
from analysis.key import find_key
from tests.songs import compose

SCALES: dict[Mode, Sequence[int]] = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


def triads(tonic: int, mode: Mode, degrees: Sequence[int]) -> list[Note]:
    """A second each."""
    scale = SCALES[mode]
    return [
        Note(bar, 0.9, 48 + tonic + scale[(degree + step) % 7], 0.8)
        for bar, degree in enumerate(degrees)
        for step in (0, 2, 4)
    ]


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", get_args(Mode))
def test_a_cadence_is_in_its_key(tonic: int, mode: Mode) -> None:
    key = find_key(triads(tonic, mode, [0, 3, 4, 0]))
    assert key is not None
    assert (key.tonic, key.mode) == (tonic, mode)
    assert 0.8 < key.confidence <= 1


def test_relative_keys_are_told_apart_by_how_the_song_opens() -> None:
    """The same four chords, begun elsewhere: C G Am F, and Am F C G."""
    major, minor = (
        find_key(triads(0, "major", [0, 4, 5, 3] * 8)),
        find_key(triads(0, "major", [5, 3, 0, 4] * 8)),
    )
    assert major is not None
    assert minor is not None
    assert (major.tonic, major.mode) == (0, "major")
    assert (minor.tonic, minor.mode) == (9, "minor")


def test_confidence_is_low_where_every_pitch_class_sounds() -> None:
    """Which key that is called does not matter."""
    chromatic = [Note(i, 1 + i % 3 / 10, 48 + i % 12, 0.8) for i in range(48)]
    key = find_key(chromatic)
    assert key is not None
    assert key.confidence < 0.6


def test_no_notes_no_key() -> None:
    assert find_key([]) is None
    assert find_key([Note(0, 1, 48 + i, 0.8) for i in range(12)]) is None


def test_composed_songs_are_in_their_keys() -> None:
    found = []
    for seed in range(40):
        song = compose(seed, 100)
        key = find_key([note for notes in song.notes.values() for note in notes])
        assert key is not None
        found.append((key.tonic, key.mode) == (song.key.tonic, song.key.mode))
    assert sum(found) >= 38
