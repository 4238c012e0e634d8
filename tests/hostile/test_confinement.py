"""What a song's own process can still do: the tests of `inside.py`, in a process of their own.

They fork what runs them. The suite's process has threads by now, whose fork is good for little.
"""

import subprocess
import sys
from pathlib import Path


def test_a_songs_process_can_do_no_more_than_decode() -> None:
    inside = Path(__file__).with_name("inside.py")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(inside)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
