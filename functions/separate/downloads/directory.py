"""Where models are kept."""

import os
from pathlib import Path


def models_directory() -> Path:
    """`$STEMPIPE_MODELS`, else `stempipe/models` in the user's cache."""
    if chosen := os.environ.get("STEMPIPE_MODELS"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stempipe" / "models"
