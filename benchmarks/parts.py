"""Writes a song of four parts and its mix, as a process of its own: see `songs` for why.

python -m benchmarks.parts FOLDER SECONDS
"""

import sys
from pathlib import Path

import numpy as np

from tests.songs import compose, play
from tests.songs.files import soundfont
from tests.unit.media.songs import KINDS, write

# As 4stems names them. The lead, which pauses half the time as singers do, stands for the vocals.
_STEMS = {"lead": "vocals", "drums": "drums", "bass": "bass", "piano": "other"}
_BPM, _METER = 112, 4


def main(folder: Path, seconds: float) -> None:
    """Write `mix.wav` and a file for each part, about so long, in 16 bits."""
    song = play(compose(0, _BPM, _METER, bars=round(seconds * _BPM / 60 / _METER)), soundfont())
    for name, sound in {
        "mix": song.mix,
        **{_STEMS[part]: sound for part, sound in song.parts.items()},
    }.items():
        write(folder / f"{name}.wav", np.ascontiguousarray(sound.T), KINDS["wav"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
