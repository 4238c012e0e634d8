"""Where models are kept, and what else is made once for all runs."""

import os
from pathlib import Path


def models_directory() -> Path:
    """`$STEMPIPE_MODELS`, else `stempipe/models` in the user's cache."""
    return _chosen("STEMPIPE_MODELS", "models")


def native_directory() -> Path:
    """Of the native engine's libraries: `$STEMPIPE_NATIVE`, else `stempipe/native` in the user's cache."""
    return _chosen("STEMPIPE_NATIVE", "native")


def _chosen(variable: str, name: str) -> Path:
    if chosen := os.environ.get(variable):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stempipe" / name
