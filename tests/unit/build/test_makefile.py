"""What make runs against a deployment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def runs(root: Path, *arguments: str) -> str:
    """What make would run, in a shell that names no region."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("target", ["redrive", "deploy"])
def test_a_deployment_is_looked_for_where_it_was_made(root: Path, target: str) -> None:
    # By samconfig.toml, or by the profile. A region of ours would go before them.
    (command,) = [
        line for line in runs(root, target).splitlines() if "deploy" in line or "remote invoke" in line
    ]
    assert "REGION" not in command
    assert "--region" not in command


def test_redrive_takes_a_region(root: Path) -> None:
    assert '--stack-name "mine" --region "eu-west-1"' in runs(
        root, "redrive", "STACK=mine", "REGION=eu-west-1"
    )


@pytest.mark.parametrize(
    ("python", "flags"),
    [(".venv/dev/bin/python", ""), ("no-such-python", " --use-container --mount-symlinks")],
)
def test_what_cannot_be_compiled_here_is_compiled_in_a_container(root: Path, python: str, flags: str) -> None:
    said = runs(root, "build", "SAM=echo", f"LAMBDA_PYTHON={python}", "BUILD_FLAGS=--debug")
    (command,) = [line for line in said.splitlines() if line.startswith("LAMBDA_PYTHON=")]
    done = subprocess.run(["sh", "-c", command], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == f"build{flags} --debug\n"
