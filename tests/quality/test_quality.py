"""Stems of a song with known parts are good enough to drive a picture with; false ones are found out."""

from pathlib import Path

import pytest

from separation import load_engine
from tests.quality.known_song import KnownSong, known_song
from tests.quality.measures import Quality, quality, sdr
from tests.quality.stems import Stems, separated

# Some dB short of what was seen; docs/quality.md has the figures.
AT_LEAST = {
    "vocals_sdr": 14.0,
    "vocals_gain": 16.0,
    "accompaniment_sdr": 16.0,
    "accompaniment_gain": 14.0,
    "onsets": 0.95,
}
AT_MOST = {"silence": -45.0, "bass_leak": -45.0}


def shortcomings(found: Quality) -> set[str]:
    """The measures that stems do not reach."""
    return {name for name, limit in AT_LEAST.items() if getattr(found, name) < limit} | {
        name for name, limit in AT_MOST.items() if getattr(found, name) > limit
    }


@pytest.fixture(scope="module")
def song() -> KnownSong:
    return known_song()


@pytest.fixture(scope="module")
def stems(song: KnownSong, tmp_path_factory: pytest.TempPathFactory) -> Stems:
    """What the pipeline makes of the song, as it does by default."""
    return separated(song, load_engine("2stems", "11khz"), "average", tmp_path_factory.mktemp("stems"))


def test_stems_are_the_parts_that_went_into_the_mix(song: KnownSong, stems: Stems) -> None:
    found = quality(song, stems.vocals, stems.accompaniment)
    print(found)
    assert not shortcomings(found)


def test_the_true_parts_have_no_shortcomings_but_the_voices_own_bass(song: KnownSong) -> None:
    assert shortcomings(quality(song, song.vocals, song.accompaniment)) == {"bass_leak"}


def test_bfloat16_does_no_harm(song: KnownSong, stems: Stems, tmp_path: Path) -> None:
    fast = separated(song, load_engine("2stems", "11khz", precision="bfloat16"), "average", tmp_path)
    assert abs(sdr(song.vocals, fast.vocals) - sdr(song.vocals, stems.vocals)) < 0.05
    assert (
        abs(sdr(song.accompaniment, fast.accompaniment) - sdr(song.accompaniment, stems.accompaniment)) < 0.05
    )


def test_half_the_mix_passes_for_no_stem(song: KnownSong) -> None:
    assert shortcomings(quality(song, song.mix / 2, song.mix / 2)) == {*AT_LEAST, *AT_MOST}


def test_swapped_stems_are_found_out(song: KnownSong, stems: Stems) -> None:
    assert shortcomings(quality(song, stems.accompaniment, stems.vocals)) == {*AT_LEAST, *AT_MOST}


def test_stems_that_come_late_are_found_out(song: KnownSong, stems: Stems, tmp_path: Path) -> None:
    """By a hundred milliseconds."""
    late = stems.delayed(4_410)
    found = shortcomings(quality(song, late.vocals, late.accompaniment))
    assert {"vocals_sdr", "accompaniment_sdr", "onsets"} <= found
