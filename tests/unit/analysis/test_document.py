import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

import jsonschema
import numpy as np
import pytest

from analysis.curve_file import encode
from analysis.document import VERSION, document, to_json
from analysis.events import DRUM_NOTES, FRAME_RATES, Analysis, Key, Note, Stem
from analysis.midi import read
from analysis.midi.writing import song_file
from analysis.names import file_names, tonic_name
from tests.unit.analysis.by_hand import bare, song, stem
from tests.unit.analysis.midi_by_hand import file as midi
from tests.unit.analysis.midi_by_hand import note, signature, tempo


@pytest.fixture(scope="session")
def schema(root: Path) -> Any:
    return json.loads((root / "docs/analysis.schema.json").read_text())


def documented(analysis: Analysis, title: str | None = None) -> Any:
    return json.loads(to_json(document(analysis, encode(analysis), title)))


SONGS = {
    "everything": song(),
    "without curves": replace(song(), mix=None, stems={"bass": stem(notes=())}),
    "silence": bare(other=Stem(None, (), (), None)),
    "midi": read(song_file(song(), None)),
}


@pytest.mark.parametrize("analysis", SONGS.values(), ids=SONGS)
def test_a_document_is_as_its_schema_says(analysis: Analysis, schema: Any) -> None:
    jsonschema.Draft202012Validator(schema).validate(documented(analysis, "Song"))


def test_the_schema_is_one_and_describes_every_property(schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    undescribed = [name for name, part in properties(schema) if "description" not in part]
    assert undescribed == []


def test_the_schema_has_no_property_that_a_whole_document_does_not_have(schema: Any) -> None:
    # No object takes others, or lacks one: so a document that has all parts has all properties.
    objects = [part for part in parts(schema) if "properties" in part]
    assert all(part["additionalProperties"] is False for part in objects)
    assert all(part["required"] == list(part["properties"]) for part in objects)
    whole = documented(song())
    parts_that_may_lack = [whole[name] for name in ("mix", "tempo", "key", "curves", "beats")]
    assert all([*parts_that_may_lack, whole["stems"]["drums"]["hits"], whole["stems"]["bass"]["notes"]])


def test_the_schema_and_the_code_agree_on_what_there_can_be(schema: Any) -> None:
    hit = schema["$defs"]["track"]["properties"]["hits"]["items"]["properties"]
    assert hit["drum"]["enum"] == list(DRUM_NOTES)
    assert hit["note"]["enum"] == list(DRUM_NOTES.values())
    assert schema["properties"]["version"]["const"] == VERSION
    assert tuple(schema["properties"]["curves"]["properties"]["fps"]["enum"]) == FRAME_RATES
    tonics = {tonic_name(Key(tonic, mode, 1)) for tonic in range(12) for mode in ("major", "minor")}
    assert set(schema["properties"]["key"]["properties"]["tonic"]["enum"]) == tonics


def test_what_beats_are_written_as_is_of_midi_alone() -> None:
    assert documented(song())["quartersPerBeat"] is None
    found = documented(read(midi([tempo(500_000), signature(6, 3), note(60, 1440)])))
    assert (found["tempo"]["bpm"], found["meter"], found["quartersPerBeat"]) == (80, 2, 1.5)
    assert [beat["t"] for beat in found["beats"]] == [0, 0.75]


def test_seconds_have_four_decimals_and_numpys_numbers_are_numbers() -> None:
    note = Note(np.float64(0.123456), np.float32(0.41239), np.int64(33), np.float32(0.66666))  # type: ignore[arg-type]
    (found,) = documented(bare(bass=stem((note,))))["stems"]["bass"]["notes"]
    assert found == {"t": 0.1235, "d": 0.4124, "p": 33, "v": 0.667}


def test_it_is_compact_and_in_utf_8() -> None:
    text = to_json(document(song(), None, "Motörhead")).decode()
    assert "Motörhead" in text
    assert ": " not in text
    assert "\n" not in text


def test_a_number_that_json_does_not_have_is_no_document() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json(document(replace(song(), duration=float("nan")), None, None))


def test_names_of_files_are_safe_and_no_two_alike() -> None:
    stems = ["bass", "Bass", "a/b", "a:b", "song", "..", "", "é" * 100, "\U00020000" * 64, "bass-2", "aux"]
    stems += ["Caf\u00e9", "cafe\u0301", "\u1112\u1161\u11ab", "\ud55c"]
    names = file_names(stems, taken=["song"])
    assert list(names) == stems
    assert names["bass"] == "bass"
    assert names["Caf\u00e9"] == "Caf\u00e9"
    folded = [normalize("NFC", name).casefold() for name in names.values()]
    assert len({*folded, "song", "aux"}) == len(stems) + 2
    assert all(
        name and "/" not in name and name.strip(".") and len(name.encode()) <= 110 for name in names.values()
    )


def parts(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts(part)


def properties(schema: Any) -> Iterator[tuple[str, Any]]:
    for part in parts(schema):
        if isinstance(part.get("properties"), dict):
            yield from part["properties"].items()
