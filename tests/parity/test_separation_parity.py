"""The stems are Spleeter's own, as its command line writes them, to within rounding."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from separation import AudioOutput, Engine, load_engine, separate
from separation.masks import MaskExtension
from tests.parity.conftest import Stems
from tests.unit.separation.songs import read

DECIBELS = 60
FLOAT = AudioOutput("wav", 44_100, bit_depth=32)  # Spleeter turns nothing down
SONGS = ["example", "long", "mono", "48 kHz", "m4a", "flac"]
SpleeterSeparate = Callable[[str, Sequence[Path]], dict[str, Stems]]


def signal_to_error(reference: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> float:
    """In decibels; both in +-1, shape (channels, any). At best what 16-bit rounding leaves."""
    error = np.sum((found - reference) ** 2) or 1e-20
    return float(10 * np.log10(np.sum(reference**2) / error))


def heard(path: Path) -> npt.NDArray[np.float64]:
    """A stem of float samples, clipped as Spleeter's 16 bits are."""
    return np.clip(read(path), -1, 1)


def compare(
    song: Path, official: Stems, engine: Engine, mask_extension: MaskExtension, folder: Path
) -> dict[str, float]:
    done = separate(
        song,
        folder,
        engine,
        stems=engine.stems,
        mask_extension=mask_extension,
        output=FLOAT,
        max_seconds=60,
    )
    assert set(official) == set(done.stems)
    decibels = {}
    for stem, path in done.stems.items():
        found = heard(path)
        assert found.shape == official[stem].shape
        decibels[stem] = signal_to_error(official[stem], found)
        print(f"{song.name} {stem}: {decibels[stem]:.1f} dB")
    return decibels


@pytest.fixture(scope="module")
def official(spleeter_separate: SpleeterSeparate, songs: dict[str, Path]) -> dict[str, Stems]:
    stems = spleeter_separate("spleeter:2stems", [songs[name] for name in SONGS])
    return {name: stems[songs[name].stem] for name in SONGS}


@pytest.mark.parametrize("name", SONGS)
def test_2stems_are_those_of_the_command_line(
    name: str, songs: dict[str, Path], official: dict[str, Stems], tmp_path: Path
) -> None:
    engine = load_engine("2stems", "11khz")
    decibels = compare(songs[name], official[name], engine, "zeros", tmp_path)
    assert min(decibels.values()) >= DECIBELS


def test_16_khz_is_that_of_the_command_line(
    spleeter_separate: SpleeterSeparate, songs: dict[str, Path], tmp_path: Path
) -> None:
    official = spleeter_separate("spleeter:2stems-16kHz", [songs["example"]])
    engine = load_engine("2stems", "16khz")
    decibels = compare(songs["example"], official["audio_example"], engine, "zeros", tmp_path)
    assert min(decibels.values()) >= DECIBELS


def test_the_average_mask_extension_is_that_of_the_command_line(
    spleeter_separate: SpleeterSeparate, songs: dict[str, Path], tmp_path: Path
) -> None:
    configuration = tmp_path / "average.json"
    shape = {"sample_rate": 44_100, "frame_length": 4096, "frame_step": 1024, "T": 512, "F": 1024}
    names = {"model_dir": "2stems", "mix_name": "mix", "instrument_list": ["vocals", "accompaniment"]}
    rest = {"n_channels": 2, "separation_exponent": 2, "mask_extension": "average"}
    model = {"model": {"type": "unet.unet", "params": {}}}
    configuration.write_text(json.dumps(shape | names | rest | model))
    official = spleeter_separate(str(configuration), [songs["example"]])
    engine = load_engine("2stems", "11khz")
    decibels = compare(songs["example"], official["audio_example"], engine, "average", tmp_path)
    assert min(decibels.values()) >= DECIBELS


def test_joins_of_segments_do_not_click(
    songs: dict[str, Path], official: dict[str, Stems], tmp_path: Path
) -> None:
    """Around each join the error is as small as elsewhere."""
    done = separate(
        songs["long"],
        tmp_path,
        load_engine("2stems", "11khz"),
        stems=("vocals",),
        mask_extension="zeros",
        output=FLOAT,
        max_seconds=60,
    )
    reference, found = official["long"]["vocals"], heard(done.stems["vocals"])
    for join in range(524_288 - 4096, found.shape[1], 524_288):
        around = slice(join - 4096, join + 4096)
        assert np.abs(found[:, around] - reference[:, around]).max() <= 2 / 32_768
