"""Runs a worker with an engine that sleeps: the pipeline is what works, not the processor.

python -m benchmarks.scale.sleeping_worker -m MODULE ARGUMENT ...

MODULE is what runs functions as Lambda does (awslambdaric), or the worker that polls (poll). SLEEP_SECONDS
says for how long the engine sleeps. What is replaced is replaced in the worker's process, before the worker's
own code imports it; all else is what the template deploys.
"""

import importlib.util
import os
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path

_STEPS = 20


def _install() -> None:
    import sound
    from stempipe.jobs.config import JobConfig
    from stempipe.rules.sound import Separated

    def separate(
        self: sound.Spleeter,
        song: Path,
        destination: Path,
        config: JobConfig,
        title: str,
        on_progress: Callable[[float], None],
    ) -> Separated:
        for step in range(_STEPS):
            time.sleep(float(os.environ["SLEEP_SECONDS"]) / _STEPS)
            on_progress((step + 1) / _STEPS)
        stems = {stem: destination / f"{stem}.wav" for stem in config.kept}
        for file in stems.values():
            file.write_bytes(b"RIFF")
        return Separated(stems, seconds=180.0, sample_rate=44100, channels=2, codec="none", gain_db=0.0)

    sound.Spleeter.separate = separate  # type: ignore[method-assign]


if importlib.util.find_spec("sound"):  # the other functions have none
    _install()

del sys.argv[:2]  # what runs now sees its own
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
