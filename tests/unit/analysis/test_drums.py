"""On kits of TimGM6mb, of which nothing was learned."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analysis.drums import DRUMS, WEIGHTS, DrumHits, load, pack, unpack
from analysis.events import Hit
from downloads.errors import ModelDamagedError, ModelMissingError
from media.samples import SAMPLE_RATE, Samples
from training import sources
from training.accompaniment import accompaniments
from training.evaluation import CLASSES, SECONDS, Part, counted, f_measure, heard, parts
from training.kits import Kit, from_soundfont

Found = list[tuple[Part, tuple[Hit, ...]]]


@pytest.fixture(scope="module")
def kits() -> list[Kit]:
    return from_soundfont(sources.timgm(), (0, 16, 25))


@pytest.fixture(scope="module")
def true_parts(kits: list[Kit]) -> list[Part]:
    return list(parts(kits, [], [1]))


@pytest.fixture(scope="module")
def in_true_parts(true_parts: list[Part]) -> Found:
    return heard(load(), true_parts)


@pytest.fixture(scope="module")
def in_separated_parts(kits: list[Kit]) -> Found:
    music = accompaniments(sources.timgm(), 2, SECONDS, np.random.default_rng(1))
    return heard(load(), parts(kits, music, [1]))


@pytest.mark.parametrize(("name", "least"), [("kick", 0.91), ("snare", 0.93), ("hi-hat", 0.89)])
def test_hits_of_true_parts_are_heard(in_true_parts: Found, name: str, least: float) -> None:
    assert f_measure(counted(in_true_parts, CLASSES[name]))[0] > least


@pytest.mark.parametrize(("name", "least"), [("kick", 0.9), ("snare", 0.88), ("hi-hat", 0.86)])
def test_hits_of_separated_parts_are_heard(in_separated_parts: Found, name: str, least: float) -> None:
    assert f_measure(counted(in_separated_parts, CLASSES[name]))[0] > least


def test_hits_come_in_order_and_when_they_are_played(in_true_parts: Found) -> None:
    errors: list[float] = []
    for part, hits in in_true_parts:
        assert list(hits) == sorted(hits, key=lambda hit: hit.time)
        kicks = np.array([hit.time for hit in hits if hit.drum == "kick"])
        played = [stroke.time for stroke in part.strokes if stroke.drum == "kick"]
        errors += [float(np.abs(kicks - time).min()) for time in played]
    assert np.median(errors) < 0.004


def test_harder_snares_have_more_velocity(in_true_parts: Found) -> None:
    played, reported = [], []
    for part, hits in in_true_parts:
        for stroke in part.strokes:
            near = [
                hit
                for hit in hits
                if stroke.drum == hit.drum == "snare" and abs(hit.time - stroke.time) < 0.03
            ]
            if near:
                played.append(stroke.velocity)
                reported.append(near[0].velocity)
    assert all(0 <= velocity <= 1 for velocity in reported)
    assert np.corrcoef(played, reported)[0, 1] > 0.5


def stereo(sound: Samples) -> Samples:
    return np.repeat(sound[:, None], 2, axis=1)


def hits_of(blocks: Sequence[Samples], sample_rate: int = SAMPLE_RATE) -> tuple[Hit, ...]:
    drums = DrumHits(sample_rate)
    for block in blocks:
        drums.add(block)
    return drums.finish()


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_blocks_do_not_matter(true_parts: list[Part], sample_rate: int) -> None:
    samples = stereo(true_parts[0].sound[: 5 * SAMPLE_RATE])
    whole = hits_of([samples], sample_rate)
    assert len(whole) > 5
    cuts = np.cumsum(np.random.default_rng(5).integers(0, 9000, size=100))
    found = hits_of(np.split(samples, cuts), sample_rate)
    assert [hit.drum for hit in found] == [hit.drum for hit in whole]
    assert [hit.time for hit in found] == pytest.approx([hit.time for hit in whole], abs=1e-4)
    assert [hit.velocity for hit in found] == pytest.approx([hit.velocity for hit in whole], abs=1e-3)


def test_nothing_is_heard_in_silence_nor_in_what_a_separation_left() -> None:
    assert hits_of([]) == ()
    assert hits_of([np.zeros((30 * SAMPLE_RATE, 2), np.float32)]) == ()
    residue = 1e-4 * np.random.default_rng(0).standard_normal((5 * SAMPLE_RATE, 2))
    assert hits_of([residue.astype(np.float32)]) == ()


def test_a_long_silence_changes_nothing(true_parts: list[Part]) -> None:
    part = stereo(true_parts[0].sound[: 5 * SAMPLE_RATE])
    silence = np.zeros((20 * SAMPLE_RATE, 2), np.float32)
    found = hits_of([part, silence])
    assert {hit.drum for hit in found} <= set(DRUMS)
    assert max(hit.time for hit in found) < 6


def test_weights_that_are_damaged_or_missing_are_named(tmp_path: Path) -> None:
    damaged = tmp_path / "drums.npz"
    damaged.write_bytes(WEIGHTS.read_bytes()[:-1])
    with pytest.raises(ModelDamagedError, match=r"drums\.npz"):
        load(damaged)
    with pytest.raises(ModelMissingError, match=r"none\.npz"):
        load(tmp_path / "none.npz")


def test_weights_are_small_and_packing_loses_nothing_of_them() -> None:
    model = load()
    assert WEIGHTS.stat().st_size < 200_000
    again = unpack(pack(model))
    for network, copy in zip(model.networks, again.networks, strict=True):
        for weight, same in zip(network.weights, copy.weights, strict=True):
            np.testing.assert_allclose(weight, same, atol=1e-7)
