"""What playing and hearing need, out of pinned wheels."""

import tempfile
from pathlib import Path

from downloads.directory import models_directory
from downloads.fetch import Wheel, file_sha256, require_sha256, unpack_wheel


def soundfont() -> Path:
    """TimGM6mb, a small General MIDI soundfont. It is under the GPL: for tests alone."""
    return _fetched(
        Wheel("pretty_midi==0.2.11.post0", "pretty_midi"),
        "TimGM6mb.sf2",
        "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1",
    )


def beatnet() -> Path:
    """BeatNet's weights."""
    return _fetched(
        Wheel("BeatNet==1.1.3", "BeatNet/models"),
        "model_1_weights.pt",
        "619091bc317ca3e83b45591d46f6de3d5a41588bcb39fe9fe7be30cffa6aca84",
    )


def _fetched(wheel: Wheel, name: str, sha256: str) -> Path:
    folder = models_directory() / "tests"
    path = folder / name
    if not path.exists() or file_sha256(path) != sha256:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            unpack_wheel(wheel, [name], Path(temporary))
            require_sha256(Path(temporary) / name, sha256)
            (Path(temporary) / name).replace(path)
    return path
