"""Separates one song as a whole process: imports, model, song.

python -m benchmarks.engine_once SONG FOLDER MAX_SECONDS
"""

import json
import sys
import time
from pathlib import Path


def main(song: Path, folder: Path, max_seconds: float) -> None:
    """Write the song's two stems as WAV, and print what the parts took."""
    began = time.perf_counter()
    from media import AudioOutput
    from separation import load_engine, separate

    imported = time.perf_counter()
    engine = load_engine("2stems", "11khz")
    loaded = time.perf_counter()
    separate(
        song,
        folder,
        engine,
        stems=engine.stems,
        mask_extension="zeros",
        output=AudioOutput("wav"),
        max_seconds=max_seconds,
    )
    done = time.perf_counter()
    print(json.dumps({"import": imported - began, "load": loaded - imported, "separate": done - loaded}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
