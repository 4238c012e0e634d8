"""How the native engine is compiled, and what happens where it cannot be."""

import logging
import stat
from pathlib import Path

import pytest

from separation import load_engine
from separation.engines.openvino import OpenVinoEngine
from separation.native import build as building
from separation.native.build import NotBuiltError, build


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with no compiler, and nothing compiled; the folder that is its PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("STEMPIPE_NATIVE", str(tmp_path / "native"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    return programs


def compiler(path: Path, script: str) -> None:
    """Put a program there that is called as a compiler is."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


WORKS = 'while [ "$1" != -o ]; do shift; done; echo made > "$2"'


def test_without_a_compiler_openvino_does_the_work_and_one_line_says_so(
    bare: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = load_engine("2stems", "11khz")
    assert isinstance(engine, OpenVinoEngine)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "OpenVINO" in record.getMessage()
    assert "pip install ziglang" in record.getMessage()


def test_whoever_asks_for_the_native_engine_gets_no_other(bare: Path) -> None:
    with pytest.raises(NotBuiltError, match="no C compiler"):
        load_engine("2stems", "11khz", engine="native")


def test_it_is_compiled_once(bare: Path) -> None:
    compiler(bare / "cc", WORKS)
    folder = build()
    assert sorted(path.name for path in folder.iterdir()) == ["avx2.so", "avx512.so"]
    compiler(bare / "cc", "exit 1")
    assert build() == folder


def test_another_compiler_is_tried_where_one_fails(bare: Path) -> None:
    compiler(bare / "cc", "echo no such header >&2; exit 1")
    compiler(bare / "clang", WORKS)
    assert (build() / "avx2.so").exists()


def test_what_the_compiler_says_is_passed_on_and_nothing_is_left(bare: Path, tmp_path: Path) -> None:
    compiler(bare / "cc", "echo no such header >&2; exit 1")
    with pytest.raises(NotBuiltError, match="no such header"):
        build()
    assert list((tmp_path / "native").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_crash(bare: Path, tmp_path: Path) -> None:
    compiler(bare / "cc", WORKS)
    (tmp_path / "native").write_text("a file")
    with pytest.raises(NotBuiltError, match="cannot be kept"):
        build()


@pytest.mark.parametrize(
    ("system", "machine"), [("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
)
def test_other_machines_are_told_why(
    bare: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    with pytest.raises(NotBuiltError, match=f"this is {system} on {machine}"):
        build()


def test_another_source_is_another_folder(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler(bare / "cc", WORKS)
    folder = build()
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "other.c").write_text("int other;")
    monkeypatch.setattr(building, "SOURCES", sources)
    assert build() != folder
