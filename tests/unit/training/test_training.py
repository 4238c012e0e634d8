"""Training, small enough for a second: from synthesised kits alone."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from analysis.drums import BANDS, DRUMS, FRAME_RATE, Network, bands_of
from analysis.events import Hit
from training.clips import SECONDS, Clip, Family, clip, targets_of
from training.copies import copies
from training.evaluation import Part, counted, f_measure
from training.kits import Kit, Layer, drum_of
from training.network import beginning, loss_and_gradients, train
from training.patterns import NEAREST, STYLES, Stroke, random_loops, styled
from training.sound import render, separated
from training.synthesis import synthesised

Array = npt.NDArray[Any]  # gradients are compared in double precision


@pytest.fixture(scope="module")
def kit() -> Kit:
    return synthesised(0, np.random.default_rng(0))


def clips(seed: int) -> list[Clip]:
    families = [Family([synthesised(0, np.random.default_rng(seed))], 1)]
    music = [np.random.default_rng(1).standard_normal(int(SECONDS * 44_100), np.float32)]
    return [clip(families, music, np.random.default_rng([seed, number])) for number in range(3)]


def test_the_same_seed_gives_the_same_weights() -> None:
    one, same, other = (train(clips(0), epochs=3, seed=seed, report=False) for seed in (1, 1, 2))
    for weight, again in zip([*one.weights, *one.biases], [*same.weights, *same.biases], strict=True):
        assert np.array_equal(weight, again)
    assert not np.array_equal(one.weights[0], other.weights[0])


def test_gradients_are_those_of_the_network_that_runs() -> None:
    rng = np.random.default_rng(0)
    parameters: list[Array] = [value + 0.05 * rng.standard_normal(value.shape) for value in beginning(rng)]
    inputs: Array = rng.standard_normal((2, 40, 2 * BANDS))
    targets: Array = (rng.random((2, 40, len(DRUMS))) < 0.1) * rng.random((2, 40, len(DRUMS)))
    velocities: Array = rng.random(targets.shape)

    def loss() -> float:
        outputs = np.stack([Network(parameters[0::2], parameters[1::2])(one) for one in inputs])
        hits, levels = np.split(outputs, 2, axis=2)
        of_hits = -np.mean(2 * targets * np.log(hits) + (1 - targets) * np.log(1 - hits))
        return float(of_hits + 0.5 * np.mean(np.where(targets > 0, (levels - velocities) ** 2, 0)))

    _, gradients = loss_and_gradients(parameters, inputs, targets, velocities)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        place = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
        value, step = parameter[place], 1e-5
        parameter[place] = value + step
        above = loss()
        parameter[place] = value - step
        below = loss()
        parameter[place] = value
        assert gradient[place] == pytest.approx((above - below) / (2 * step), rel=1e-3)


def test_targets_are_where_hits_sound(kit: Kit) -> None:
    strokes = [Stroke(0.5, "snare", 0.9), Stroke(1.2346, "kick", 0.6)]
    bands = bands_of(render(kit, strokes, 2))
    targets, velocities = targets_of(strokes, len(bands))
    for stroke in strokes:
        column = targets[:, DRUMS.index(stroke.drum)].astype(float)
        middle = np.sum(column * np.arange(len(column))) / np.sum(column)
        assert middle / FRAME_RATE == pytest.approx(stroke.time, abs=1e-3)
        assert velocities[column.argmax(), DRUMS.index(stroke.drum)] == pytest.approx(
            stroke.velocity, abs=1e-3
        )
        risen = np.diff(bands.sum(axis=1))[column.argmax() - 5 : column.argmax() + 5].argmax() - 4
        assert abs(risen) <= 2


def test_a_copy_is_found_whatever_its_level_and_beginning(kit: Kit) -> None:
    snare = kit.drums["snare"][0][-1]
    other = synthesised(1, np.random.default_rng(1))
    assert copies([other], [kit]) == []
    louder = Layer(np.concatenate([np.zeros(200, np.float32), -3 * snare.sound]), snare.velocity)
    (found,) = copies([Kit("copy", {"snare": [[louder]]})], [kit])
    assert "copy's snare 0" in found
    assert "synthesised 0's snare 0" in found


@pytest.mark.parametrize("seed", range(5))
def test_no_drum_is_hit_twice_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for strokes in (random_loops(10, rng), *(styled(style, 10, rng) for style in STYLES)):
        assert strokes
        for drum in DRUMS:
            times = [stroke.time for stroke in strokes if stroke.drum == drum]
            assert np.diff(times).min(initial=1) >= NEAREST


def test_a_separation_keeps_the_drums_and_little_else(kit: Kit) -> None:
    drums = render(kit, styled("straight", 4, np.random.default_rng(0)), 4)
    music = 0.1 * np.sin(np.arange(len(drums)) * 0.05).astype(np.float32)
    left = separated(drums, music)
    assert np.sum((left - drums) ** 2) < 0.5 * np.sum(music**2)
    np.testing.assert_allclose(separated(drums, np.zeros_like(music), blur=0), drums, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "drum"),
    [
        ("Hat Semi-Open", "open_hat"),
        ("Closed HH", "closed_hat"),
        ("VariBreaks Hat 1 Op", "open_hat"),
        ("Ride (Custom, Zagrebin 22)", "ride"),
        ("Snare (Pearl Free Floating Maple)", "snare"),
        ("Snare Roll", None),
        ("BassDrum", "kick"),
        ("tomhi2", "tom"),
        ("ride-crash20inch", "crash"),
        ("Cowbell", None),
    ],
)
def test_names_of_instruments(name: str, drum: str | None) -> None:
    assert drum_of(name) == drum


def test_evaluation_counts_what_is_right_missed_and_false() -> None:
    strokes = [Stroke(0.5, "kick", 1), Stroke(1.0, "kick", 1), Stroke(1.5, "snare", 1)]
    part = Part("kit", "style", strokes, np.zeros(0, np.float32))
    counts = counted([(part, [Hit(0.52, "kick", 1), Hit(1.2, "kick", 1)])], ["kick"])
    assert counts == {"played": 2, "reported": 2, "matched": 1}
    assert f_measure(counts) == pytest.approx((0.5, 0.5, 0.5))
