from dataclasses import replace
from typing import Any

import pytest

from analysis.midi import MidiOptions, read
from analysis.midi.errors import MidiOptionsError, NoNotesError
from tests.unit.analysis.by_hand import hits, notes, starts
from tests.unit.analysis.midi_by_hand import after, file, meta, named, note, tempo


@pytest.mark.parametrize(
    ("track", "role"),
    [
        ([note(60, channel=9)], "drums"),
        ([named("Drum Kit"), note(60)], "drums"),
        ([named("Bass Drum"), note(36)], "drums"),
        ([named("Slap Bass"), note(60)], "bass"),
        ([named("Bassoon"), after(0, b"\xc0\x46"), note(60)], "other"),
        ([named("Lead Vox"), note(60)], "vocals"),
        ([named("Strings"), after(0, b"\xc0\x30"), note(60)], "other"),
        ([after(0, b"\xc0\x21"), note(60)], "bass"),
        ([after(0, b"\xc0\x35"), note(60)], "vocals"),
        ([after(0, b"\xc0\x02"), note(60)], "piano"),
        ([note(60)], "piano"),
    ],
)
def test_roles_are_guessed_by_channel_name_and_program(track: list[bytes], role: str) -> None:
    assert list(read(file(track)).stems) == [role]


def test_roles_are_corrected_by_track_channel_or_name() -> None:
    data = file([named("One"), note(60), note(62, channel=1)], [named("Two"), note(64)])
    for roles, found in (
        ({"1": "lead"}, {"lead": [60, 62], "piano": [64]}),
        ({"1:2": "lead"}, {"piano": [60, 64], "lead": [62]}),
        ({"tWO": "lead", "1": "ignore"}, {"lead": [64]}),
        ({"1": "piano", "2": "piano"}, {"piano": [60, 64, 62]}),
    ):
        analysis = read(data, MidiOptions(roles=roles))
        assert {name: [pitch for *_, pitch in notes(analysis, name)] for name in analysis.stems} == found
    drums = read(data, MidiOptions(roles={"one": "drums"}))
    assert hits(drums) == [(0.0, "tom"), (0.5, "tom")]


def test_a_role_may_be_spelt_in_any_case() -> None:
    data = file([named("One"), note(60), note(62, channel=1)], [named("Two"), note(64)])
    analysis = read(data, MidiOptions(roles={"1:1": "Drums", "1:2": "Ignore"}))
    assert list(analysis.stems) == ["drums", "piano"]
    assert hits(analysis) == [(0.0, "tom")]
    roles = {"1:1": "Caf\u00e9", "1:2": "CAFE\u0301", "2": "cafe\u0301"}
    assert list(read(data, MidiOptions(roles=roles)).stems) == ["Caf\u00e9"]


def test_a_percussion_sound_that_is_no_drum_is_an_onset() -> None:
    found = read(file([note(56, channel=9), note(38, channel=9)]))
    assert hits(found) == [(0.5, "snare")]
    assert [one.time for one in found.stems["drums"].onsets] == [0.0, 0.5]


def test_options_of_time() -> None:
    data = file([tempo(1_000_000), note(60, 480), note(62, 10, wait=470)])
    assert starts(read(data, MidiOptions(tempo=60))) == [0.0, pytest.approx(1.9792)]
    assert starts(read(data, MidiOptions(tempo=120))) == [0.0, pytest.approx(0.9896)]
    assert starts(read(data, MidiOptions(offset=0.5))) == [0.5, pytest.approx(2.4792)]
    later = read(data, MidiOptions(offset=0.5))
    assert [(beat.time, beat.bar, beat.beat) for beat in later.beats] == [
        (0.5, 1, 1),
        (1.5, 1, 2),
        (2.5, 1, 3),
    ]
    earlier = read(data, MidiOptions(offset=-0.5))
    assert starts(earlier) == [pytest.approx(1.4792)]
    assert [(beat.time, beat.beat) for beat in earlier.beats] == [(0.5, 2), (1.5, 3)]
    assert starts(read(data, MidiOptions(quantise=16))) == [0.0, 2.0]
    assert starts(read(file([note(60, wait=155)]), MidiOptions(quantise=12))) == [pytest.approx(0.1667)]
    assert notes(read(data, MidiOptions(shortest=0.0)))[1][1] == 2.0
    assert notes(read(data, MidiOptions(shortest=0.2)))[1][1] == pytest.approx(2.1792)


def test_options_of_notes() -> None:
    data = file([note(60, velocity=32), note(125), note(36, channel=9)])
    up = read(data, MidiOptions(transpose=5))
    assert [pitch for *_, pitch in notes(up)] == [65]
    assert hits(up) == [(1.0, "kick")]
    lifted = read(data, MidiOptions(velocity_curve=0.5)).stems["piano"].notes
    assert lifted is not None
    assert lifted[0].velocity == pytest.approx((32 / 127) ** 0.5)


def test_transposing_moves_the_key() -> None:
    key = read(file([after(0, meta(0x59, b"\xfd\x01")), note(60)]), MidiOptions(transpose=2)).key
    assert key is not None
    assert (key.tonic, key.mode) == (2, "minor")


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": {"1": ""}},
        {"roles": {"1": "mix"}},
        {"roles": {str(track): f"stem {track}" for track in range(17)}},
        {"tempo": 0},
        {"tempo": float("nan")},
        {"offset": float("inf")},
        {"transpose": 49},
        {"quantise": 5},
        {"velocity_curve": 0},
        {"shortest": -1},
        {"frame_rate": 23},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(MidiOptionsError) as refusal:
        replace(MidiOptions(), **wrong)
    assert next(iter(wrong)).split("_")[0] in str(refusal.value) or "role" in str(refusal.value)


def test_options_that_leave_nothing() -> None:
    for options in (MidiOptions(offset=-600), MidiOptions(roles={"1": "ignore"})):
        with pytest.raises(NoNotesError):
            read(file([note(60)]), options)
