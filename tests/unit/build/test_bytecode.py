"""bytecode.mk, by which the Makefiles of sam build compile: bytecode, or a word that there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def compiled(root: Path, folder: Path, python: Path) -> str:
    """Compile a folder as the Makefiles do; gives what make prints to its standard output."""
    (folder / "module.py").write_text("ANSWER = 42\n")
    makefile = folder / "Makefile"
    makefile.write_text(f"include {root}/layers/common/bytecode.mk\nbuild:\n\t$(call compile,{folder})\n")
    done = subprocess.run(
        ["make", "--silent", "--file", makefile, "build"],
        env=os.environ | {"LAMBDA_PYTHON": str(python)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lambdas_python(folder: Path) -> Path:
    """This Python, which says that it is Lambda's."""
    python = folder / "python3.13"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] || exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


def test_bytecode_is_not_checked_against_its_source(root: Path, tmp_path: Path) -> None:
    assert compiled(root, tmp_path, lambdas_python(tmp_path)) == ""
    (bytecode,) = tmp_path.rglob("module*.pyc")
    # PEP 552: by hash, and not checked.
    assert int.from_bytes(bytecode.read_bytes()[4:8], "little") == 0b01


def test_what_is_imported_is_the_bytecode_whatever_time_the_source_has(root: Path, tmp_path: Path) -> None:
    compiled(root, tmp_path, lambdas_python(tmp_path))
    source = tmp_path / "module.py"
    source.write_text("ANSWER = None\n")  # by which one sees what was imported
    os.utime(source, (0, 0))  # sam's zip gives sources a time of its own
    done = subprocess.run(
        [sys.executable, "-c", "import module; print(module.ANSWER)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "42\n"


@pytest.mark.parametrize("python", ["no-such-python", sys.executable])
def test_without_lambdas_python_there_is_none_and_whoever_builds_is_told(
    root: Path, tmp_path: Path, python: str
) -> None:
    if sys.version_info[:2] == (3, 13) and python == sys.executable:
        pytest.skip("This is Lambda's Python.")
    assert "WITHOUT BYTECODE" in compiled(root, tmp_path, Path(python))
    assert list(tmp_path.rglob("*.pyc")) == []


@pytest.mark.parametrize("folder", ["layers/common", "functions/authorize"])
def test_whatever_brings_packages_compiles_them_last(root: Path, folder: str) -> None:
    *_, last = (root / folder / "Makefile").read_text().strip().splitlines()
    assert last.strip().startswith("$(call compile,$(ARTIFACTS_DIR)")
    assert (root / folder / "bytecode.mk").is_file()
