"""The examples of the client's page run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.service import TOKEN, Service, stem_of


def test_the_examples_of_the_documentation_run(
    home: Path,
    root: Path,
    service: Service,
    song: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_URL", service.url)
    monkeypatch.setenv("TOKEN", TOKEN)
    blocks = re.findall(r"^```python\n(.*?)^```", (root / "docs/python.md").read_text(), re.M | re.S)
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"vocals {Path('stems/song - vocals.wav')}" in done.stdout
    assert (tmp_path / "stems/My song - vocals.wav").read_bytes() == stem_of("vocals")
