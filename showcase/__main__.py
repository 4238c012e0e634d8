"""Makes the built-in song for the page: its stems to play and draw, and what there is to hear in them.

python -m showcase FOLDER
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis import analyse_stems
from analysis.curve_file import FILE as CURVES_FILE
from analysis.curve_file import encode
from analysis.document import document, to_json
from analysis.events import Analysis
from analysis.files import DOCUMENT_FILE
from media.audio_output import AudioOutput, AudioWriter
from media.player import PlayerFiles
from media.samples import Samples
from showcase import score
from showcase.playing import play

SONG_FILE = "song.json"
SEED = 14
FRAME_RATE = 60
_LICENCE = "CC0-1.0"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m showcase", description="Make the built-in song.")
    parser.add_argument("folder", type=Path, help="made if it is not there")
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    make(play(score.compose(SEED), score.SECONDS, SEED), score.TITLE, folder)
    return 0


def make(stems: Mapping[str, Samples], title: str, folder: Path) -> None:
    """Write a song's files for the page.

    Parameters
    ----------
    stems : mapping of str to ndarray (samples, 2), float32
        By names that are those of files, too.
    title : str
    folder : Path
        Is there.
    """
    found = analysed(stems, folder)
    curves = encode(found)
    (folder / DOCUMENT_FILE).write_bytes(to_json(document(found, curves, title)))
    if curves is not None:
        (folder / CURVES_FILE).write_bytes(curves.to_bytes())
    files = {name: PlayerFiles.of_stem(folder, name) for name in stems}
    listed = [
        {"name": name, "audio": of.audio.name, "index": of.byte_index.name, "peaks": of.peaks.name}
        for name, of in files.items()
    ]
    song = {
        "title": title,
        "licence": _LICENCE,
        "analysis": DOCUMENT_FILE,
        "curves": CURVES_FILE,
        "stems": listed,
    }
    (folder / SONG_FILE).write_text(json.dumps(song, indent=1) + "\n")


def analysed(stems: Mapping[str, Samples], player: Path | None = None) -> Analysis:
    """What the service finds in stems, shape (samples, 2); what plays them goes to the folder `player`."""
    with TemporaryDirectory() as made:
        sounds = {}
        for number, (name, samples) in enumerate(stems.items()):
            sounds[name] = Path(made) / f"{number}.wav"
            with AudioWriter(sounds[name], AudioOutput()) as writer:
                writer.write(samples)
                writer.finish()
        return analyse_stems(
            sounds,
            player or Path(made),
            notes=True,
            frame_rate=FRAME_RATE,
            max_seconds=600,
            player=player is not None,
        ).analysis


if __name__ == "__main__":
    sys.exit(main())
