"""The built-in song, as `make web` puts it beside the page: what was composed is what is heard in it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from showcase import score
from showcase.__main__ import SEED

from media.audio_input import AudioInput
from media.samples import SAMPLE_RATE, Samples

FOLDER = Path(__file__).parents[2] / "web" / "public" / "song"
MOST_BYTES = 12_000_000


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / "analysis.json").read_text())
    return document


def test_all_its_files_are_there_and_small() -> None:
    song = json.loads((FOLDER / "song.json").read_text())
    named = {song["analysis"], song["curves"]}
    named |= {stem[kind] for stem in song["stems"] for kind in ("audio", "index", "peaks")}
    assert {path.name for path in FOLDER.iterdir()} == named | {"song.json"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_what_was_composed_is_heard(found: dict[str, Any]) -> None:
    composed = score.compose(SEED)
    assert found["tempo"]["bpm"] == pytest.approx(score.BPM, abs=0.1)
    assert (found["key"]["tonic"], found["key"]["mode"]) == ("A", "minor")
    struck = Counter(hit.sound for hit in composed.drums)
    heard = Counter(hit["drum"] for hit in found["stems"]["drums"]["hits"])
    assert heard["kick"] == pytest.approx(struck["kick"], rel=0.05)
    assert heard["snare"] == pytest.approx(struck["snare"], rel=0.1)
    downbeats = [beat["t"] for beat in found["beats"] if beat["beat"] == 1]
    bars = np.arange(score.BARS) * score.BAR
    assert np.abs(np.array(downbeats[: score.BARS]) - bars).max() < 0.05


@pytest.mark.parametrize(("stem", "part"), [("vocals", "voice"), ("bass", "bass"), ("other", "keys")])
def test_so_are_its_notes(found: dict[str, Any], stem: str, part: str) -> None:
    composed = getattr(score.compose(SEED), part)
    heard = found["stems"][stem]["notes"]
    there = sum(
        any(abs(note["t"] - wanted.time) < 0.08 and note["p"] == wanted.pitch for note in heard)
        for wanted in composed
    )
    assert there > 0.85 * len(composed)


def samples(stem: str) -> Samples:
    with AudioInput(FOLDER / f"{stem}.player.flac", 600) as source:
        return np.concatenate([block.T for block in source.blocks()])


def test_its_stems_sum_to_a_mix_that_does_not_clip() -> None:
    stems = {name: samples(name) for name in ("drums", "vocals", "other", "bass")}
    lengths = {len(stem) for stem in stems.values()}
    assert lengths == {round(score.SECONDS * SAMPLE_RATE)}
    mix = np.sum(list(stems.values()), axis=0)
    assert 0.8 < np.abs(mix).max() < 0.9
    intro = slice(0, 4 * round(score.BAR * SAMPLE_RATE))
    assert not stems["vocals"][intro].any()  # nobody sings yet
    assert all(np.sqrt(np.mean(stem**2)) > 0.01 for stem in stems.values())
    assert all(abs(stem.mean()) < 0.001 for stem in stems.values())
    assert not any(stem[-1].any() for stem in stems.values())  # all have faded out
