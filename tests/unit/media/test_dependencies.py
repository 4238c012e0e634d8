"""Dependencies point one way."""

import subprocess
import sys
from pathlib import Path

FUNCTION = Path(__file__).parents[3] / "functions/separate"


def test_media_comes_without_separation() -> None:
    """Whoever reads a song's file, such as the process that decodes uploads, needs no networks for it."""
    modules = [f"media.{path.stem}" for path in (FUNCTION / "media").glob("[!_]*.py")]
    assert len(modules) > 5
    program = (
        f"import {', '.join(modules)}, sys; "
        "assert not {'separation', 'stempipe', 'boto3'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(FUNCTION)}, check=True)
