import csv
import json
from io import StringIO
from pathlib import Path

import jams
import mido
import numpy as np
import numpy.typing as npt
import pytest

from analysis.curve_file import CodedCurves, encode, scale_of
from analysis.events import Curves
from analysis.files import write_files
from analysis.jams_file import jams as jams_of
from analysis.keyframes import keyframes
from analysis.midi import read
from analysis.names import tracks
from analysis.tables import chan, columns, curves_csv, events_csv
from tests.unit.analysis.by_hand import bare, named, song, stem
from tests.unit.analysis.midi_by_hand import file as midi
from tests.unit.analysis.midi_by_hand import note, signature

CODED = encode(song())
assert CODED is not None
CURVES: CodedCurves = CODED


def test_all_files_have_their_names(tmp_path: Path) -> None:
    written = write_files(song(), tmp_path, "Song")
    document_file = next(iter(written))
    assert document_file == tmp_path / "analysis.json"
    assert sorted(path.name for path in written) == sorted(path.name for path in tmp_path.iterdir())
    assert {path.name for path in written} == {
        "analysis.json",
        "song.mid",
        "drums.mid",
        "bass.mid",
        "vocals.mid",
        "curves.bin",
        "curves.csv",
        "curves.chan",
        "events.csv",
        "keyframes.json",
        "song.jams",
    }
    stems = {path.name: stem for path, stem in written.items() if stem is not None}
    assert stems == {"drums.mid": "drums", "bass.mid": "bass", "vocals.mid": "vocals"}
    manifest = json.loads(document_file.read_bytes())["curves"]
    assert (tmp_path / manifest["file"]).stat().st_size == manifest["bytes"]
    assert mido.MidiFile(tmp_path / "bass.mid").type == 0


def test_without_curves_and_notes_there_are_no_files_of_them(tmp_path: Path) -> None:
    names = {path.name for path in write_files(bare(other=stem()), tmp_path)}
    assert names == {"analysis.json", "song.mid", "events.csv", "keyframes.json", "song.jams"}


def test_stems_of_any_name_have_files_of_their_own(tmp_path: Path) -> None:
    stems = {name: stem(notes=()) for name in ("song", "../up", "SONG", "a/b", "a:b")}
    written = write_files(named(stems), tmp_path)
    assert len({str(path).casefold() for path in written}) == len(written) == 10
    assert {path.parent for path in written} == {tmp_path}
    named_inside = {path: mido.MidiFile(path).tracks[0].name for path, stem in written.items() if stem}
    assert named_inside == {path: stem for path, stem in written.items() if stem}
    assert sorted(named_inside.values()) == sorted(stems)


def test_the_csv_has_a_time_and_each_value_in_its_unit() -> None:
    rows = list(csv.reader(StringIO("".join(curves_csv(CURVES)))))
    assert rows[0] == ["time", *columns(CURVES)]
    assert len(rows) == 1 + 120
    assert [float(row[0]) for row in rows[1:]] == pytest.approx(np.arange(120) / 30, abs=5e-5)
    place = rows[0].index("bass.pitch")
    assert [row[place] for row in rows[1:61]] == [""] * 60
    assert [float(row[place]) for row in rows[61:]] == pytest.approx([33.25] * 60, abs=0.01)
    for name, track in tracks(song()):
        assert track.curves is not None
        level = [float(row[rows[0].index(f"{name}.rms")]) for row in rows[1:]]
        assert level == pytest.approx(track.curves.values["rms"].tolist(), abs=0.2)


def test_chan_is_a_row_of_numbers_for_each_frame() -> None:
    table: npt.NDArray[np.float64] = np.loadtxt("".join(chan(CURVES)).splitlines(), delimiter="\t")
    assert table.shape == (120, len(columns(CURVES)))
    assert 0 <= table.min() < table.max() <= 1
    level = song().stems["drums"].curves
    assert level is not None
    scale = scale_of("rms")
    shares = (level.values["rms"] - scale.low) / (scale.high - scale.low)
    assert table[:, columns(CURVES).index("drums.rms")] == pytest.approx(shares, abs=0.003)
    assert np.all(table[:60, columns(CURVES).index("bass.pitch")] == 0)


def test_tables_of_many_frames_are_cut_nowhere() -> None:
    ramp = np.linspace(0, 128, 10_001, dtype=np.float32)
    curves = encode(bare(bass=stem(curves=Curves(60, {"pitch": ramp}))))
    assert curves is not None
    rows = "".join(curves_csv(curves)).splitlines()[1:]
    assert [float(row.split(",")[1]) for row in rows] == pytest.approx(ramp.tolist(), abs=0.01)
    assert rows[-1].split(",")[0] == f"{10_000 / 60:.4f}"


def test_the_events_are_a_row_each_in_the_order_of_time() -> None:
    rows = list(csv.DictReader(StringIO(events_csv(song()))))
    times = [float(row["time"]) for row in rows]
    assert times == sorted(times)
    kinds = [row["event"] for row in rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "active": 3,
        "beat": 8,
        "onset": 4,
        "hit": 9,
        "note": 7,
    }
    kick = next(row for row in rows if row["what"] == "kick")
    assert kick == {
        "time": "0.25",
        "duration": "",
        "track": "drums",
        "event": "hit",
        "what": "kick",
        "note": "36",
        "strength": "0.9",
    }
    assert [row["what"] for row in rows if row["event"] == "beat"][:5] == ["1.1", "1.2", "1.3", "1.4", "2.1"]


def test_jams_opens_the_jams_file_and_finds_nothing_wrong(tmp_path: Path) -> None:
    write_files(song(), tmp_path, "Song")
    file = jams.load(str(tmp_path / "song.jams"), validate=True, strict=True)
    assert file.validate(strict=True)
    assert file.file_metadata.title == "Song"
    assert file.file_metadata.duration == 4.0
    (key,) = file.search(namespace="key_mode")[0].data
    assert key.value == "A:minor"
    (tempo,) = file.search(namespace="tempo")[0].data
    assert tempo.value == 120.0
    bass = next(one for one in file.search(namespace="note_midi") if one.sandbox.track == "bass")
    times, pitches = bass.to_event_values()
    assert times.tolist() == [0.25 + 0.5 * number for number in range(7)]
    assert pitches == list(range(33, 40))
    (beats,) = file.search(namespace="^beat$")
    assert beats.to_event_values()[1] == [1, 2, 3, 4] * 2


@pytest.mark.parametrize(
    ("over", "under", "positions"), [(4, 4, [1, 2, 3, 4]), (6, 8, [1, 4]), (7, 8, [*range(1, 8)])]
)
def test_jams_counts_beats_in_the_notes_that_bars_are_written_in(
    over: int, under: int, positions: list[int], tmp_path: Path
) -> None:
    played = [note(60, 1920 // under) for _ in range(over)]
    path = tmp_path / "song.jams"
    path.write_text(json.dumps(jams_of(read(midi([signature(over, under.bit_length() - 1), *played])), None)))
    (beats,) = jams.load(str(path), validate=True, strict=True).search(namespace="beat_position")
    assert [one.value for one in beats.data] == [
        {"position": position, "measure": 1, "num_beats": over, "beat_units": under} for position in positions
    ]


def test_jams_of_a_song_with_nothing_in_it(tmp_path: Path) -> None:
    path = tmp_path / "song.jams"
    path.write_text(json.dumps(jams_of(bare(other=stem()), None)))
    assert jams.load(str(path)).validate(strict=True)


def test_keyframes_have_a_value_for_each_time_and_events_in_pairs() -> None:
    frames = keyframes(song(), CURVES)
    assert len(frames["times"]) == 120
    assert frames["times"][30] == 1.0
    assert "mix.band_60" in frames["curves"]
    for values in frames["curves"].values():
        assert len(values) == 120
        assert 0 <= min(values) <= max(values) <= 1
    assert frames["events"]["drums.kick"] == [[0.25, 0.9], [1.25, 0.9], [2.25, 0.9], [3.25, 0.9]]
    assert [strength for _, strength in frames["events"]["beats"][:5]] == [1, 0.5, 0.5, 0.5, 1]
    assert len(frames["events"]["bass.notes"]) == 7


def test_keyframes_without_curves_have_events() -> None:
    frames = keyframes(bare(other=stem()), None)
    assert (frames["fps"], frames["times"], frames["curves"]) == (None, [], {})
