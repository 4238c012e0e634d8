from pathlib import Path

import numpy as np
import pytest

from media.spool import Spool
from tests.unit.media.faults import limited_files
from tests.unit.media.songs import Samples, noise, tone


def spooled(folder: Path, song: Samples, sample_rate: int = 44_100, block: int = 50_001) -> Spool:
    spool = Spool(folder, sample_rate)
    for start in range(0, song.shape[1], block):
        spool.write(song[:, start : start + block])
    spool.finish()
    return spool


def contents(spool: Spool) -> Samples:
    return np.concatenate(list(spool.blocks())).T


@pytest.mark.parametrize("samples", [1, 1023, 44_100, 600_001])
def test_what_goes_in_comes_out(tmp_path: Path, samples: int) -> None:
    song = noise(samples / 44_100)
    with spooled(tmp_path, song) as spool:
        assert spool.samples == samples
        assert spool.peak == np.abs(song).max()
        assert np.array_equal(contents(spool), song)
        assert np.array_equal(contents(spool), song)  # again, from the start


@pytest.mark.parametrize("samples", [1, 2, 147, 1023, 44_100, 44_101, 300_007])
def test_48_khz_is_as_long_as_the_song_to_the_sample(tmp_path: Path, samples: int) -> None:
    with spooled(tmp_path, noise(samples / 44_100), 48_000) as spool:
        assert contents(spool).shape == (2, round(samples * 48_000 / 44_100)) == (2, spool.samples)


def test_48_khz_is_the_same_sound_in_time(tmp_path: Path) -> None:
    with spooled(tmp_path, tone(2), 48_000) as spool:
        found = contents(spool)
    expected = tone(2, sample_rate=48_000)
    middle = slice(1_000, -1_000)
    assert np.abs(found[:, middle] - expected[:, middle]).max() < 1e-3


def test_what_resampling_adds_is_part_of_the_peak(tmp_path: Path) -> None:
    square = np.sign(tone(1, 441))  # a filter rings at its edges
    with spooled(tmp_path, square, 48_000) as spool:
        assert spool.peak == np.abs(contents(spool)).max() > 1.05


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    with spooled(tmp_path, noise(1)):
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    song = noise(1)
    with limited_files(song.nbytes - 1), pytest.raises(OSError, match="too large"):
        spooled(tmp_path, song)
