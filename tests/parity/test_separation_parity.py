"""The stems of each engine are Spleeter's own, to within rounding."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.official import command
from benchmarks.processes import Worker, run
from tests.parity.conftest import DECIBELS, EDGES, EngineUnderTest, signal_to_error
from tests.unit.media.songs import KINDS, read, write

SONGS = ["example", "a minute", "mono", "48 kHz", "m4a"]
STEMS = ("vocals", "accompaniment")
ONE_STEP = 1 / 32_768  # of 16 bits


def heard(path: Path) -> npt.NDArray[np.float64]:
    """A stem of float samples, clipped as Spleeter's 16 bits are."""
    return np.clip(read(path), -1, 1)


def compare(official: Path, found: Path) -> None:
    """Each stem in a folder, with that of the same name in another."""
    assert {path.name for path in official.iterdir()} == {path.name for path in found.iterdir()}
    for path in sorted(official.iterdir()):
        decibels = signal_to_error(read(path), heard(found / path.name))
        print(f"{found.name} {path.stem}: {decibels:.1f} dB")
        assert decibels >= DECIBELS


@pytest.fixture(scope="session")
def official(
    spleeter_environment: dict[str, str], songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What the command line makes of all songs."""
    folder = tmp_path_factory.mktemp("official")
    first, *others = (songs[name] for name in SONGS)
    run([*command(first, folder), *others], spleeter_environment)
    return folder


@pytest.fixture(scope="session")
def official_edges(
    spleeter: Worker, edges: dict[int, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("official-edges")
    spleeter.ask(
        do="separate_samples",
        configuration="spleeter:2stems",
        songs=texts(edges.values()),
        folder=str(folder),
    )
    return folder


@pytest.fixture(scope="session")
def official_configurations(
    spleeter: Worker, songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("official-configurations")
    shape = {"sample_rate": 44_100, "frame_length": 4096, "frame_step": 1024, "T": 512, "F": 1024}
    names = {"model_dir": "2stems", "mix_name": "mix", "instrument_list": STEMS}
    rest = {"n_channels": 2, "separation_exponent": 2, "mask_extension": "average"}
    model = {"model": {"type": "unet.unet", "params": {}}}
    average = folder / "average.json"
    average.write_text(json.dumps(shape | names | rest | model))
    for name, configuration in (("16khz zeros", "spleeter:2stems-16kHz"), ("11khz average", str(average))):
        spleeter.ask(
            do="separate",
            configuration=configuration,
            songs=[str(songs["example"])],
            folder=str(folder / name),
        )
    return folder


def separate(
    process: Worker,
    songs: Iterable[Path],
    folder: Path,
    *,
    bandwidth: str = "11khz",
    mask_extension: str = "zeros",
) -> Path:
    process.ask(
        do="separate_songs",
        variant="2stems",
        bandwidth=bandwidth,
        mask_extension=mask_extension,
        songs=texts(songs),
        folder=str(folder),
    )
    return folder


def texts(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]


@pytest.fixture(scope="session")
def separated(
    engine: EngineUnderTest,
    songs: dict[str, Path],
    edges: dict[int, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Every song and edge, one after another by one held engine; the example is the first."""
    return separate(engine.process, [*songs.values(), *edges.values()], tmp_path_factory.mktemp(engine.name))


@pytest.mark.parametrize("name", SONGS)
def test_2stems_are_those_of_the_command_line(
    name: str, songs: dict[str, Path], official: Path, separated: Path
) -> None:
    compare(official / songs[name].stem, separated / songs[name].stem)


@pytest.mark.parametrize("samples", EDGES)
def test_songs_of_every_awkward_length_are_spleeters(
    samples: int, official_edges: Path, separated: Path
) -> None:
    official = np.load(official_edges / f"{samples}.npz")
    for stem in STEMS:
        reference, found = official[stem].T, read(separated / str(samples) / f"{stem}.wav")
        assert found.shape == (2, samples)
        decibels = signal_to_error(reference, found)
        print(f"{samples} samples, {stem}: {decibels:.1f} dB")
        assert decibels >= DECIBELS


def test_joins_of_segments_do_not_click(songs: dict[str, Path], official: Path, separated: Path) -> None:
    """Around each join the error is as small as elsewhere."""
    song = songs["a minute"].stem
    for stem in STEMS:
        reference = read(official / song / f"{stem}.wav")
        found = heard(separated / song / f"{stem}.wav")
        joins = range(524_288 - 4096, found.shape[1], 524_288)
        assert len(joins) == 5
        for join in joins:
            around = slice(join - 4096, join + 4096)
            assert np.abs(found[:, around] - reference[:, around]).max() <= 2 * ONE_STEP


@pytest.mark.parametrize(("bandwidth", "mask_extension"), [("16khz", "zeros"), ("11khz", "average")])
def test_other_configurations_are_spleeters(
    bandwidth: str,
    mask_extension: str,
    engine: EngineUnderTest,
    songs: dict[str, Path],
    official_configurations: Path,
    tmp_path: Path,
) -> None:
    song = songs["example"]
    found = separate(engine.process, [song], tmp_path, bandwidth=bandwidth, mask_extension=mask_extension)
    compare(official_configurations / f"{bandwidth} {mask_extension}" / song.stem, found / song.stem)


def test_a_held_engine_mixes_no_two_songs(
    engine: EngineUnderTest, songs: dict[str, Path], separated: Path, tmp_path: Path
) -> None:
    """Two songs come out the same whichever of them is the first in its process."""
    with engine.another_process() as fresh:
        the_other_way_round = separate(fresh, [songs["m4a"], songs["example"]], tmp_path)
    for name in ("m4a", "example"):
        for stem in STEMS:
            one, other = (
                (folder / songs[name].stem / f"{stem}.wav").read_bytes()
                for folder in (separated, the_other_way_round)
            )
            assert one == other


def test_a_voice_in_the_centre_of_six_channels_is_found(
    engine: EngineUnderTest, songs: dict[str, Path], official: Path, tmp_path: Path
) -> None:
    """Spleeter would keep the two front channels alone."""
    stems = official / songs["example"].stem
    voice = read(stems / "vocals.wav").mean(axis=0)
    accompaniment = read(stems / "accompaniment.wav")
    nothing = np.zeros_like(voice)
    channels = [*accompaniment, voice, nothing, nothing, nothing]  # FL FR FC LFE BL BR
    song = write(tmp_path / "surround.flac", np.stack(channels).astype(np.float32), KINDS["flac"])

    found = separate(engine.process, [song], tmp_path) / "surround"

    heard = read(found / "vocals.wav").mean(axis=0)
    assert np.corrcoef(heard, voice)[0, 1] > 0.9
    assert np.std(heard) > 0.2 * np.std(voice)
