"""Spleeter's networks, as its own TensorFlow code builds them, from checkpoints of random weights.

The weights of 4stems and 5stems need not be at hand for their graphs to be proved.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.processes import Worker
from separation.models.weights import VARIANTS, VariantName
from tests.parity.conftest import DECIBELS, EngineUnderTest, signal_to_error


@pytest.fixture(scope="session")
def random_model(
    spleeter: Worker, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[VariantName], Path]:
    """Gives the folder of a variant's checkpoint, inputs and estimates."""

    @cache
    def make(variant: VariantName) -> Path:
        folder = tmp_path_factory.mktemp(variant)
        spleeter.ask(do="random_model", variant=variant, seed=seed, folder=str(folder))
        return folder

    return make


@pytest.mark.parametrize("variant", ["2stems", "4stems", "5stems"])
@pytest.mark.parametrize("bandwidth", ["11khz", "16khz"])
def test_estimates_are_spleeters(
    engine: EngineUnderTest,
    variant: VariantName,
    bandwidth: str,
    random_model: Callable[[VariantName], Path],
    tmp_path: Path,
) -> None:
    model, stems = random_model(variant), VARIANTS[variant].stems
    magnitude, expected = (np.load(model / f"{name} {bandwidth}.npy") for name in ("magnitude", "estimates"))
    shares = expected / np.maximum(magnitude, 1e-3)
    assert np.mean((shares > 0.02) & (shares < 0.98)) > 0.5  # saturated heads would prove nothing

    engine.process.ask(
        do="estimate",
        checkpoint=str(model / "model"),
        variant=variant,
        bandwidth=bandwidth,
        magnitude=str(model / f"magnitude {bandwidth}.npy"),
        estimates=str(tmp_path / "estimates.npy"),
    )

    found = np.load(tmp_path / "estimates.npy")
    assert "\n".join(stems) == (model / "stems.txt").read_text()
    for stem, one, other in zip(stems, expected, found, strict=True):
        decibels = signal_to_error(one, other)
        print(f"{variant} {bandwidth} {stem}: {decibels:.1f} dB")
        assert decibels >= DECIBELS
