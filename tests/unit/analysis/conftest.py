"""Songs, true and taken apart, and noise and silence of which nothing should be made."""

from typing import NamedTuple

import numpy as np
import pytest

from analysis.beatnet import Weights, read_weights
from media.samples import SAMPLE_RATE, Samples
from tests.songs import Song, compose, play, separated
from tests.songs.files import beatnet, soundfont


class Heard(NamedTuple):
    """A song, and its parts as a separator gives them."""

    song: Song
    stems: dict[str, Samples]


# Seed, beats a minute, beats in a bar, bars, program of the drums.
SONGS = [(12, 76, 3, 6, 8), (5, 112, 4, 8, 0), (209, 163, 4, 10, 16)]


@pytest.fixture(scope="session", params=SONGS, ids=lambda song: f"{song[1]} bpm")
def heard(request: pytest.FixtureRequest) -> Heard:
    seed, bpm, meter, bars, kit = request.param
    song = play(compose(seed, bpm, meter, bars), soundfont(), kit)
    return Heard(song, separated(song.parts))


@pytest.fixture(scope="session")
def song() -> Song:
    """One song, true."""
    return play(compose(5, 112, 4, 6), soundfont())


@pytest.fixture(scope="session")
def beat_weights() -> Weights:
    return read_weights(beatnet().read_bytes())


@pytest.fixture
def noise() -> Samples:
    """Ten seconds of it, white, of two channels that differ."""
    return (np.random.default_rng(3).standard_normal((10 * SAMPLE_RATE, 2)) * 0.1).astype(np.float32)


@pytest.fixture
def silence() -> Samples:
    return np.zeros((5 * SAMPLE_RATE, 2), np.float32)
