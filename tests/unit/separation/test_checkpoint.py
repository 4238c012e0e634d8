import shutil
from pathlib import Path

import numpy as np
import pytest

from downloads.directory import models_directory
from downloads.errors import ModelDamagedError
from separation.models.checkpoint import read_checkpoint
from separation.models.weights import verify

DATA = "model.data-00000-of-00001"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A copy of 2stems that may be damaged."""
    official = verify("2stems", models_directory())
    shutil.copy(official.with_name("model.index"), tmp_path)
    (tmp_path / DATA).symlink_to(official.with_name(DATA))
    return tmp_path / "model"


def test_every_variable_of_spleeters_checkpoint_is_read(prefix: Path) -> None:
    weights = read_checkpoint(prefix)
    assert len(weights) == 148
    assert sum(values.size for values in weights.values()) == 2 * 9_826_759
    assert weights["conv2d/kernel"].shape == (5, 5, 2, 16)
    assert weights["conv2d_transpose_11/kernel"].shape == (5, 5, 1, 32)
    assert all(np.isfinite(values).all() for values in weights.values())
    assert (weights["batch_normalization/moving_variance"] > 0).all()


def test_a_missing_file_is_a_damaged_model(prefix: Path) -> None:
    (prefix.parent / DATA).unlink()
    with pytest.raises(ModelDamagedError, match="cannot be read"):
        read_checkpoint(prefix)


def test_data_that_is_cut_is_a_damaged_model(prefix: Path) -> None:
    (prefix.parent / DATA).unlink()
    (prefix.parent / DATA).write_bytes(b"\0" * 1000)
    with pytest.raises(ModelDamagedError, match="outside the data file"):
        read_checkpoint(prefix)


@pytest.mark.parametrize("keep", [0, 1, 47, 100, 2622, 5243])
def test_an_index_that_is_cut_is_a_damaged_model(prefix: Path, keep: int) -> None:
    index = prefix.with_name("model.index")
    index.write_bytes(index.read_bytes()[:keep])
    with pytest.raises(ModelDamagedError, match=r"model\.index"):
        read_checkpoint(prefix)


def test_no_damage_to_the_index_escapes_as_another_error(prefix: Path) -> None:
    index = prefix.with_name("model.index")
    whole = index.read_bytes()
    random = np.random.default_rng(0)
    for position in random.choice(len(whole), 150, replace=False):
        index.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            read_checkpoint(prefix)
        except ModelDamagedError:
            continue
