import numpy as np
import numpy.typing as npt
import pytest

from separation.residual import FLOOR_DB, Residual
from tests.unit.media.songs import noise


def of(song: npt.ArrayLike, *stems: npt.ArrayLike) -> float | None:
    residual = Residual()
    residual.add(np.asarray(song, np.float32), [np.asarray(stem, np.float32) for stem in stems])
    return residual.decibels


def test_it_is_what_is_left_against_the_song() -> None:
    song = noise(1)
    assert of(song, 0.6 * song, 0.3 * song) == pytest.approx(-20, abs=1e-3)
    assert of(song, 0 * song, 0 * song) == pytest.approx(0, abs=1e-6)
    assert of(song, song, song) == pytest.approx(0, abs=1e-6)
    assert of(song, song, 3 * song) == pytest.approx(10 * np.log10(9), abs=1e-3)


def test_it_is_of_all_stretches_by_their_energy() -> None:
    residual, loud = Residual(), noise(1)
    residual.add(loud, [loud])
    residual.add(0.1 * loud, [0 * loud])
    assert residual.decibels == pytest.approx(10 * np.log10(0.01 / 1.01), abs=1e-3)


def test_it_is_a_number_or_none() -> None:
    song = noise(1)
    silence = 0 * song
    assert of(song, song, silence) == FLOOR_DB
    assert of(song, song * np.float32(1 + 1e-7), silence) == pytest.approx(-138, abs=6)
    assert of(silence, silence) is None
    assert of(silence, song) is None
    assert Residual().decibels is None


def test_what_it_compares_it_leaves_as_it_was() -> None:
    song = noise(1)
    kept = song.copy()
    stem = song * np.float32(0.5)
    Residual().add(song, [stem, stem])
    assert (song == kept).all()
    assert (stem == 0.5 * kept).all()
