"""The examples of docs/api.md, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import Deployment
from media import MediaError
from separation import ModelError
from stempipe.errors import StempipeError
from tests.routes import routes

PROGRAMS = {"sh": ["bash", "-euo", "pipefail"], "python": [sys.executable], "js": ["node"]}
NEEDED = {"sh": ["bash", "curl", "jq"], "python": [], "js": ["node"]}
SUFFIXES = {"sh": ".sh", "python": ".py", "js": ".mjs"}


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_examples_run(
    cloud: Deployment,
    sign_in: Callable[[str], httpx.Client],
    root: Path,
    song: Path,
    tmp_path: Path,
    language: str,
) -> None:
    if missing := [name for name in NEEDED[language] if not shutil.which(name)]:
        pytest.skip(f"needs {', '.join(missing)}")
    shutil.copy(song, tmp_path / "song.mp3")
    blocks = re.findall(rf"^```{language}\n(.*?)^```", (root / "docs/api.md").read_text(), re.M | re.S)
    script = tmp_path / f"example{SUFFIXES[language]}"
    script.write_text("".join(blocks))
    email = f"{language}@example.com"
    done = subprocess.run(
        [*PROGRAMS[language], str(script)],
        cwd=tmp_path,
        env=os.environ | {"API": cloud.api_url, "TOKEN": cloud.token(email)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for stem in ("vocals", "accompaniment"):
        assert (tmp_path / f"{stem}.wav").read_bytes().startswith(b"RIFF")
    # Everything is deleted or cancelled again.
    jobs = sign_in(email).get("/v1/jobs").json()["jobs"]
    assert {job["status"] for job in jobs} <= {"cancelled"}


def test_there_is_an_example_of_every_route_in_every_language(root: Path) -> None:
    text = (root / "docs/api.md").read_text()
    for route in routes():
        (section,) = re.findall(rf"^## [^\n]*`{re.escape(str(route))}`.*?(?=^## |\Z)", text, re.M | re.S)
        assert set(PROGRAMS) <= set(re.findall(r"^```(\w+)$", section, re.M))


def test_every_error_that_a_client_may_see_is_explained(root: Path) -> None:
    text = (root / "docs/api.md").read_text()
    elsewhere = {"already_received", "body_too_large"}  # what R2's Worker is answered: docs/r2.md
    errors = [error for base in (StempipeError, MediaError, ModelError) for error in subclasses(base)]
    codes = {error.code for error in errors} - elsewhere
    assert {code for code in codes if f"`{code}`" not in text} == set()


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for error in kind.__subclasses__():
        yield error
        yield from subclasses(error)
