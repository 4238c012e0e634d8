"""Spleeter's networks, as its own TensorFlow code builds them, from checkpoints of random weights.

The weights of 4stems and 5stems need not be at hand for their graphs to be proved.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from separation.checkpoint import read_checkpoint
from separation.engine import BINS, Bandwidth, OpenVinoEngine
from separation.network import build_network
from separation.weights import VARIANTS, VariantName
from tests.parity.conftest import ORACLE


@pytest.mark.parametrize(
    ("variant", "bandwidth"),
    [("2stems", "11khz"), ("4stems", "11khz"), ("5stems", "11khz"), ("4stems", "16khz")],
)
def test_estimates_are_tensorflows(
    variant: VariantName,
    bandwidth: Bandwidth,
    spleeter_python: Path,
    spleeter_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    configuration = f"spleeter:{variant}" + ("-16kHz" if bandwidth == "16khz" else "")
    command: list[str | Path] = [spleeter_python, ORACLE, "random-model", configuration, tmp_path]
    done = subprocess.run(command, env=spleeter_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    magnitude, expected = np.load(tmp_path / "magnitude.npy"), np.load(tmp_path / "estimates.npy")
    shares = expected / np.maximum(magnitude, 1e-3)
    assert np.mean((shares > 0.02) & (shares < 0.98)) > 0.5  # saturated heads would prove nothing
    specification, bins = VARIANTS[variant], BINS[bandwidth]

    network = build_network(
        read_checkpoint(tmp_path / "model"),
        stems=len(specification.stems),
        activation=specification.activation,
        head=specification.head,
        frames=512,
        bins=bins,
    )
    found = OpenVinoEngine(network, specification.stems, bins).estimate(magnitude)

    assert "\n".join(specification.stems) == (tmp_path / "stems.txt").read_text()
    for stem, one, other in zip(specification.stems, expected, found, strict=True):
        decibels = 10 * np.log10(np.sum(one**2) / np.sum((one - other) ** 2))
        print(f"{variant} {bandwidth} {stem}: {decibels:.1f} dB")
        assert decibels >= 60
