"""All files of a song's analysis, in a folder."""

from collections.abc import Iterable
from pathlib import Path

from analysis.curve_file import FILE as CURVES_FILE
from analysis.curve_file import encode
from analysis.document import document, to_json
from analysis.events import Analysis
from analysis.jams_file import jams
from analysis.keyframes import keyframes
from analysis.midi.writing import song_file, stem_file
from analysis.names import file_names
from analysis.tables import chan, curves_csv, events_csv

DOCUMENT_FILE = "analysis.json"
SONG_FILE = "song.mid"
CURVE_TABLE = "curves.csv"
CHANNELS_FILE = "curves.chan"
EVENT_TABLE = "events.csv"
KEYFRAMES_FILE = "keyframes.json"
JAMS_FILE = "song.jams"


def write_files(analysis: Analysis, folder: Path, title: str | None = None) -> dict[Path, str | None]:
    """
    Write the song's `analysis.json`, `song.mid`, `keyframes.json`, `events.csv`, `song.jams`, for each stem
    with notes or hits its `{stem}.mid`, and if there are curves `curves.bin`, `curves.csv` and
    `curves.chan`.

    Parameters
    ----------
    analysis : Analysis
    folder : Path
        Is there. Files of these names in it are replaced.
    title : str, optional
        The song's.

    Returns
    -------
    dict
        The files, `analysis.json` first, each with the stem that it is of; None is the song's own.
    """
    curves = encode(analysis)
    written: dict[Path, str | None] = {}

    def write(name: str, parts: Iterable[bytes], stem: str | None = None) -> None:
        path = folder / name
        with path.open("wb") as file:
            file.writelines(parts)
        written[path] = stem

    def lines(text: Iterable[str]) -> Iterable[bytes]:
        return (part.encode(errors="replace") for part in text)

    write(DOCUMENT_FILE, [to_json(document(analysis, curves, title))])
    write(SONG_FILE, [song_file(analysis, title)])
    playing = [
        name for name, stem in analysis.stems.items() if stem.notes is not None or stem.hits is not None
    ]
    for stem, name in file_names(playing, taken=[Path(SONG_FILE).stem]).items():
        write(f"{name}.mid", [stem_file(analysis, stem)], stem)
    if curves is not None:
        write(CURVES_FILE, [curves.to_bytes()])
        write(CURVE_TABLE, lines(curves_csv(curves)))
        write(CHANNELS_FILE, lines(chan(curves)))
    write(EVENT_TABLE, lines([events_csv(analysis)]))
    write(KEYFRAMES_FILE, [to_json(keyframes(analysis, curves))])
    write(JAMS_FILE, [to_json(jams(analysis, title))])
    return written
