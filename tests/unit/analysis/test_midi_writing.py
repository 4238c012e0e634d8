from io import BytesIO

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.events import Hit, Key, Note
from analysis.midi.writing import song_file, stem_file
from tests.unit.analysis.by_hand import bare, beats, named, song, stem


def opened(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=BytesIO(data), charset="utf-8")


def starts(file: mido.MidiFile, track: int) -> list[tuple[float, int, int]]:
    """Seconds, pitch and velocity of a track's notes, by the arithmetic of ticks and tempi."""
    tempi = []
    now = 0
    for message in file.tracks[0]:
        now += message.time
        if message.type == "set_tempo":
            tempi.append((now, message.tempo))
    notes = []
    now = 0
    for message in file.tracks[track]:
        now += message.time
        if message.type == "note_on" and message.velocity:
            ends = [tick for tick, _ in tempi[1:]] + [now]
            time = sum(
                max(0, min(end, now) - tick) * tempo for (tick, tempo), end in zip(tempi, ends, strict=True)
            )
            notes.append((time / file.ticks_per_beat / 1e6, message.note, message.velocity))
    return notes


def test_the_song_is_a_conductor_and_a_named_track_for_each_stem() -> None:
    file = opened(song_file(song(), "Löng söng 🎵"))
    assert (file.type, file.ticks_per_beat) == (1, 480)
    assert [track.name for track in file.tracks] == ["Löng söng 🎵", "drums", "bass", "vocals"]
    said = {message.type: message for message in file.tracks[0]}
    assert said["key_signature"].key == "Am"
    assert (said["time_signature"].numerator, said["time_signature"].denominator) == (4, 4)
    assert [one.text for one in file.tracks[0] if one.type == "marker"] == ["Bar 1", "Bar 2"]
    channels = [{one.channel for one in track if not one.is_meta} for track in file.tracks[1:]]
    assert channels == [{9}, {0}, {1}]
    programs = [one.program for track in file.tracks for one in track if one.type == "program_change"]
    assert programs == [33, 53]


def test_notes_and_hits_are_where_they_were_heard() -> None:
    file = opened(song_file(song(), None))
    stems = song().stems
    hits, notes = stems["drums"].hits, stems["bass"].notes
    assert hits is not None
    assert notes is not None
    assert np.allclose([time for time, *_ in starts(file, 1)], sorted(hit.time for hit in hits), atol=0.001)
    assert [(pitch, velocity) for _, pitch, velocity in starts(file, 2)] == [
        (note.pitch, 89) for note in notes
    ]
    assert {pitch for _, pitch, _ in starts(file, 1)} == {36, 38, 42, 46}
    assert file.length == pytest.approx(4.0, abs=0.001)


@given(
    times=st.lists(st.floats(0, 300), min_size=1, max_size=40),
    seed=st.integers(0, 20),
    begin=st.floats(0, 5),
)
@settings(max_examples=15)
def test_every_note_is_within_a_millisecond_or_half_a_tick(
    times: list[float], seed: int, begin: float
) -> None:
    steps = np.exp(np.random.default_rng(seed).normal(np.log(0.5), 0.05, 500))
    notes = tuple(Note(time, 0.2, number, 0.5) for number, time in enumerate(sorted(times)))
    analysis = bare(beats(begin + np.cumsum(steps)), 300.0, bass=stem(notes))
    file = opened(song_file(analysis, None))
    slowest = max(one.tempo for one in file.tracks[0] if one.type == "set_tempo") / 480 / 1e6
    found = {pitch: time for time, pitch, _ in starts(file, 1)}
    assert len(found) == len(notes)
    for note in notes:
        assert abs(found[note.pitch] - note.time) <= max(0.001, slowest / 2 + 1e-6)


@given(
    st.lists(
        st.builds(Note, st.floats(0, 9), st.floats(0, 3), st.integers(40, 43), st.floats(0, 1)), max_size=30
    )
)
def test_a_pitch_never_sounds_twice_at_once_and_always_ends(notes: list[Note]) -> None:
    file = opened(stem_file(bare(bass=stem(tuple(notes))), "bass"))
    sounding = set()
    for message in file.tracks[0]:
        if message.type == "note_on" and message.velocity:
            assert message.note not in sounding
            sounding.add(message.note)
        elif message.type == "note_on":
            sounding.remove(message.note)
    assert not sounding


def test_a_stems_file_has_one_track_and_the_songs_ticks() -> None:
    whole, alone = opened(song_file(song(), "Song")), opened(stem_file(song(), "bass"))
    assert (alone.type, len(alone.tracks)) == (0, 1)
    assert alone.tracks[0].name == "bass"
    assert starts(alone, 0) == starts(whole, 2)
    drums = opened(stem_file(song(), "drums"))
    assert starts(drums, 0) == starts(whole, 1)
    assert {one.channel for one in drums.tracks[0] if not one.is_meta} == {9}


def test_sixteen_stems_leave_channel_10_to_drums() -> None:
    stems = {f"stem {number}": stem((Note(0, 1, 60, 0.5),)) for number in range(15)}
    file = opened(song_file(named({**stems, "drums": stem(hits=(Hit(0, "kick", 1),))}), None))
    channels = [next(one.channel for one in track if not one.is_meta) for track in file.tracks[1:]]
    assert sorted(channels) == list(range(16))
    assert channels[-1] == 9


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_every_key_can_be_written(tonic: int, mode: str) -> None:
    analysis = bare(other=stem(()))
    object.__setattr__(analysis, "key", Key(tonic, mode, 1.0))  # type: ignore[arg-type]
    (key,) = [one.key for one in opened(song_file(analysis, None)).tracks[0] if one.type == "key_signature"]
    classes = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    assert (classes[key[0]] + key.count("#") - key.count("b")) % 12 == tonic
    assert key.endswith("m") == (mode == "minor")


def test_programs_are_those_of_what_stems_are_called() -> None:
    names = ("lead.vox", "Sub Bass", "Rhodes", "pads", "vocals")
    file = opened(song_file(named({name: stem(()) for name in names}), None))
    programs = [one.program for track in file.tracks for one in track if one.type == "program_change"]
    assert programs == [53, 33, 0, 48, 53]


def test_velocities_are_from_1_to_127() -> None:
    notes = tuple(Note(time, 0.5, 60, velocity) for time, velocity in enumerate((0.0, 0.001, 1.0, 1.5)))
    file = opened(song_file(bare(piano=stem(notes)), None))
    assert [velocity for *_, velocity in starts(file, 1)] == [1, 1, 127, 127]


def test_titles_and_names_that_no_file_takes() -> None:
    file = opened(song_file(named({"a\nb\ud800": stem(())}), "\x00\ud800new\nline"))
    assert [track.name for track in file.tracks] == ["newline", "ab"]
