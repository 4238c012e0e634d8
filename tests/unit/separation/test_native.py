"""The library of `separation.native`: what it computes, and that it touches nothing else."""

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pytest

from separation.engines.network import build_network
from separation.engines.silent_openvino import ov
from separation.engines.variables import LEVELS
from separation.models.weights import Activation, Head
from separation.native.bindings import Floats, Network, declared, expected_shapes, open_library
from separation.native.build import FLAGS, INSTRUCTIONS, SOURCES, compile_library
from tests.unit.separation.libraries import libraries

FRAMES, BINS = 128, 128
Kind = tuple[int, Activation, Head]
KINDS: list[Kind] = [
    (2, "leaky_relu", "sigmoid"),
    (2, "elu", "sigmoid"),
    (3, "elu", "softmax"),
]
COMPILER = shutil.which("gcc") or shutil.which("clang")


@cache
def random_stem(seed: int) -> list[Floats]:
    """Variables that keep signals in range."""
    random = np.random.default_rng(seed)
    variables = []
    for index, shape in enumerate(expected_shapes()):
        if len(shape) > 1:
            inputs = shape[3] if 4 * LEVELS <= index < 8 * LEVELS else shape[2]
            value = random.uniform(-1.7, 1.7, shape) * (shape[0] * shape[1] * inputs) ** -0.5
        else:
            value = random.uniform(0.5, 1.5, shape) if index % 4 == 2 else random.uniform(-0.3, 0.3, shape)
        variables.append(value.astype(np.float32))
    return variables


def random_stems(count: int) -> list[list[Floats]]:
    return [random_stem(seed) for seed in range(count)]


def names() -> list[str]:
    """Of a stem's variables in the library's order, without the norms' own; the first stem's."""
    found = []
    for kind, first in (("conv2d", 0), ("conv2d_transpose", LEVELS)):
        for level in range(LEVELS):
            layer, norm = (f"{kind}_{level}", f"batch_normalization_{first + level}")
            found += [f"{layer}/kernel", f"{layer}/bias", f"{norm}/gamma", f"{norm}/beta"]
    return [*found, f"conv2d_{LEVELS}/kernel", f"conv2d_{LEVELS}/bias"]


def checkpoint(stems: Sequence[Sequence[Floats]]) -> dict[str, Floats]:
    """The same as TensorFlow would number it. Norms have a mean of zero and a variance of one."""
    per_stem = {"conv2d": LEVELS + 1, "conv2d_transpose": LEVELS, "batch_normalization": 2 * LEVELS}
    weights: dict[str, Floats] = {}
    for stem, variables in enumerate(stems):
        for name, value in zip(names(), variables, strict=True):
            layer, variable = name.split("/")
            kind, number = layer.rsplit("_", 1)
            index = int(number) + stem * per_stem[kind]
            layer = f"{kind}_{index}" if index else kind
            weights[f"{layer}/{variable}"] = value
            if kind == "batch_normalization":
                weights[f"{layer}/moving_mean"] = np.zeros_like(value)
                weights[f"{layer}/moving_variance"] = np.full_like(value, np.float32(1) - np.float32(1e-3))
    return weights


@lru_cache(maxsize=4)
def network(library: ctypes.CDLL, kind: Kind, threads: int = 2) -> Network:
    count, activation, head = kind
    return Network(
        library,
        random_stems(count),
        frames=FRAMES,
        bins=BINS,
        is_elu=activation == "elu",
        is_softmax=head == "softmax",
        threads=threads,
    )


def magnitudes() -> Floats:
    return np.random.default_rng(1).exponential(5, (FRAMES, BINS, 2)).astype(np.float32)


@pytest.fixture(scope="session")
def library() -> ctypes.CDLL:
    return open_library()


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_openvino_does(kind: Kind) -> None:
    count, activation, head = kind
    weights = checkpoint(random_stems(count))
    model = build_network(weights, stems=count, activation=activation, head=head, frames=FRAMES, bins=BINS)
    request = (
        ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    )
    request.infer([np.ascontiguousarray(magnitudes().transpose(2, 0, 1)[np.newaxis])])
    expected = request.get_output_tensor().data.transpose(0, 2, 3, 1)

    assert libraries()
    for instructions, library in libraries().items():
        found = network(library, kind).estimate(magnitudes())
        error = np.sum((found - expected) ** 2) / np.sum(expected**2)
        assert error < 1e-10, instructions


@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_no_bit(library: ctypes.CDLL, kind: Kind) -> None:
    expected = network(library, kind, threads=1).estimate(magnitudes())
    for threads in (2, 5):
        crowded = network(library, kind, threads)
        for _ in range(3):
            assert np.array_equal(crowded.estimate(magnitudes()), expected)


@pytest.mark.parametrize("level", [0, 1e-30, 1, 4096, 1e12])
@pytest.mark.parametrize("kind", KINDS)
def test_no_input_makes_what_is_no_number(library: ctypes.CDLL, kind: Kind, level: float) -> None:
    """Logits are far beyond what e^x can take, at the end."""
    loud = np.full((FRAMES, BINS, 2), level, np.float32)
    noisy = (magnitudes() * level).astype(np.float32)
    for magnitude in (loud, noisy):
        estimates = network(library, kind).estimate(magnitude)
        assert ((estimates >= 0) & (estimates <= magnitude)).all()


@pytest.mark.slow
def test_wide_vectors_compute_the_same(library: ctypes.CDLL, tmp_path: Path) -> None:
    """What AVX-512 runs, of vectors of 16, on a processor that need not have it."""
    if COMPILER is None:
        pytest.skip("there is no compiler")
    wide = tmp_path / "wide.so"
    flags = [*FLAGS, "-O1", *INSTRUCTIONS["avx2"], "-DLANES=16", "-Wno-psabi"]
    compile_library(wide, flags, [COMPILER])
    for kind in KINDS:
        found = network(declared(ctypes.CDLL(str(wide))), kind).estimate(magnitudes())
        expected = network(library, kind).estimate(magnitudes())
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_it_touches_nothing_that_is_not_its_own(sanitizers: str, tmp_path: Path) -> None:
    if COMPILER is None:
        pytest.skip("there is no compiler")
    program = tmp_path / "exercise"
    flags = ["-std=gnu11", "-O1", "-g", "-ffp-contract=fast", "-pthread", *INSTRUCTIONS["avx2"]]
    watched = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
    sources = [Path(__file__).with_name("exercise.c"), *sorted(SOURCES.glob("*.c"))]
    subprocess.run([COMPILER, *flags, *watched, f"-I{SOURCES}", "-o", program, *sources, "-lm"], check=True)
    done = subprocess.run([program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "all as it should be\n"


def test_variables_of_other_shapes_are_refused(library: ctypes.CDLL) -> None:
    stem = list(random_stem(0))
    stem[4] = stem[4][:, :, :-1]
    with pytest.raises(ValueError, match="shapes"):
        Network(library, [stem], frames=FRAMES, bins=BINS, is_elu=False, is_softmax=False)


@pytest.mark.parametrize("shape", [(FRAMES, BINS), (FRAMES, BINS + 1, 2), (2, FRAMES, BINS)])
def test_magnitudes_of_another_shape_are_refused(library: ctypes.CDLL, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Magnitudes"):
        network(library, KINDS[0]).estimate(np.zeros(shape, np.float32))
