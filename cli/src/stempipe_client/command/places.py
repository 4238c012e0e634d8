"""Where the command keeps what it remembers."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import platformdirs


def config_folder() -> Path:
    """The user's settings and logins."""
    return platformdirs.user_config_path("stempipe", appauthor=False)


def state_folder() -> Path:
    """What is under way."""
    return platformdirs.user_state_path("stempipe", appauthor=False)


def read_json(path: Path) -> dict[str, Any]:
    """A file's JSON object; empty if there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a file for this user's eyes alone, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # of mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
    Path(temporary).replace(path)
