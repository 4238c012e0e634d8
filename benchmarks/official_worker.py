# mypy: ignore-errors
"""Runs in Spleeter's own environment: separates a song, decoded once, whenever it is asked to.

python -P official_worker.py SONG     (-P keeps this folder out of the imports)
"""

import json
import os
import resource
import sys
import time


def main(song: str) -> None:
    """Answer each line of standard input with the seconds that `Separator.separate` took."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Spleeter and TensorFlow print is no answer
    from spleeter.audio.adapter import AudioAdapter
    from spleeter.separator import Separator

    separator = Separator("spleeter:2stems", multiprocess=False)
    waveform, _ = AudioAdapter.default().load(song, sample_rate=44100)
    for _ in sys.stdin:
        began = time.perf_counter()
        separator.separate(waveform)
        seconds = time.perf_counter() - began
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_mb": peak_mb}), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
