"""Files that no honest song is: each ends in its code or in stems, opens nothing, takes little."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import corpus, timelines
from tests.hostile.corpus import Case, Songs
from tests.unit.media.songs import KINDS, noise, tone, write, write_subtitled

# Of one file, beyond what the process had before. Most take a tenth of that; a hole at every packet takes a
# third, and its seconds are longer where processes share a core.
MAX_MEGABYTES = 300
MAX_CPU_SECONDS = 15


def decode(how: str, songs: list[Path]) -> dict[str, dict[str, Any]]:
    """What became of each song, by its path, in processes that may open nothing more."""
    outcomes: dict[str, dict[str, Any]] = {}
    waiting = [str(song) for song in songs]
    while waiting:
        process = subprocess.run(
            [sys.executable, "-m", "tests.hostile.confined", how],
            input="\n".join(waiting),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        for line in process.stdout.splitlines():
            said = json.loads(line)
            outcomes.setdefault(said["path"], {}).update(said)
        if process.returncode == 0:
            break
        assert outcomes, process.stderr
        died = list(outcomes)[-1]
        outcomes[died]["end"] = f"died of {process.returncode}"
        waiting = waiting[waiting.index(died) + 1 :]
    return outcomes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def songs(folder: Path) -> Songs:
    return Songs(folder)


@pytest.fixture(scope="module")
def references(songs: Songs, folder: Path) -> dict[str, Case]:
    secret = write(folder / "secret.wav", tone(1), KINDS["wav"])
    return corpus.references(songs, secret, "http://127.0.0.1:9/secret.wav")


def outcomes(how: str, cases: dict[str, Case], folder: Path) -> dict[str, dict[str, Any]]:
    paths = {}
    for number, (name, case) in enumerate(cases.items()):
        paths[name] = folder / f"{number}.{re.split('[ ,]', name)[0]}"
        paths[name].write_bytes(case.data)
    found = decode(how, list(paths.values()))
    for path in paths.values():
        path.unlink()
    return {name: found[str(path)] for name, path in paths.items()}


def test_no_honest_song_needs_what_is_refused(folder: Path) -> None:
    songs = [
        write(folder / f"{name}.{kind.ending}", noise(2, sample_rate=kind.sample_rate), kind)
        for name, kind in KINDS.items()
    ]
    titled = write(folder / "titled.wav", noise(2), KINDS["wav"], tags={"title": "Gr?n"})
    titled.write_bytes(titled.read_bytes().replace(b"Gr?n", "Grün".encode("cp1252")))
    songs += [titled, write_subtitled(folder / "subtitled.mkv")]
    assert {end["end"] for end in decode("decode", songs).values()} == {"stems"}


@pytest.mark.parametrize(
    "make",
    [
        corpus.no_media,
        corpus.headers_that_lie,
        corpus.streams_that_change,
        corpus.large_tags,
        timelines.times_that_jump,
        timelines.tags_and_ends,
        timelines.odd_but_whole,
    ],
)
def test_every_file_ends_in_its_code_or_in_stems_and_takes_little(
    make: Callable[[Songs], dict[str, Case]], songs: Songs, folder: Path
) -> None:
    cases = make(songs)
    found = outcomes("decode", cases, folder)
    assert {name: end for name, end in found.items() if end["end"] not in cases[name].ends} == {}
    assert max(end["cpu_seconds"] for end in found.values()) < MAX_CPU_SECONDS
    assert max(end["megabytes"] for end in found.values()) < MAX_MEGABYTES


def test_what_names_another_file_or_an_address_opens_neither(
    references: dict[str, Case], folder: Path
) -> None:
    found = outcomes("decode", references, folder)
    assert {name: end for name, end in found.items() if end["end"] not in references[name].ends} == {}
    # Nothing of another file is heard: all that these hold of their own is silence.
    assert {name: end for name, end in found.items() if name.startswith("mov") and end.get("loudest")} == {}


def test_a_careless_decoder_would_open_them_and_be_caught(references: dict[str, Case], folder: Path) -> None:
    """What the test above rests on: these files work, and the kernel sees what FFmpeg opens."""
    names = (
        "m3u8, a file",
        "m3u8, an address",
        "ffconcat, a file",
        "sdp, an address",
        "mov by alias, a file",
    )
    found = outcomes("follow", {name: references[name] for name in names}, folder)
    assert {name: end["end"] for name, end in found.items()} == dict.fromkeys(
        names, f"died of {-signal.SIGSYS}"
    )
