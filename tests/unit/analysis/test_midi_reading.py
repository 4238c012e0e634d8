from pathlib import Path

import numpy as np
import pytest

from analysis.events import Note
from analysis.midi import MidiOptions, read, song_file, stem_file
from tests.unit.analysis.by_hand import bare, beats, hits, notes, song, starts, stem
from tests.unit.analysis.midi_by_hand import after, chunk, file, head, meta, note, signature, tempo

PEDAL_DOWN, PEDAL_UP = b"\xb0\x40\x7f", b"\xb0\x40\x00"


def test_what_was_written_is_read_again() -> None:
    written = song()
    found = read(song_file(written, "Song"))
    assert list(found.stems) == ["drums", "bass"]  # the vocals are silent
    assert sorted(hits(found)) == sorted(hits(written))
    expected, got = (np.array(notes(one, "bass")) for one in (written, found))
    assert np.allclose(expected, got, atol=0.001)
    assert found.tempo is not None
    assert found.tempo.bpm == pytest.approx(120)
    assert (found.tempo.stable, found.meter) == (True, 4)
    assert found.key is not None
    assert (found.key.tonic, found.key.mode) == (9, "minor")
    downbeats = [beat.time for beat in found.beats if beat.beat == 1 and beat.time > 0.1]
    assert downbeats == pytest.approx([0.25, 2.25])


def test_beats_that_stray_are_read_where_they_were_written() -> None:
    times = np.cumsum(0.5 * np.exp(np.random.default_rng(1).normal(0, 0.05, 40)))
    piano = stem((Note(0.1, 0.5, 60, 0.5), Note(20.0, 2.0, 60, 0.5)))
    found = read(song_file(bare(beats(times), 22.0, piano=piano), None))
    got = np.array([beat.time for beat in found.beats])
    assert np.abs(got[:, None] - times).min(0).max() < 1e-4
    assert found.tempo is not None
    assert not found.tempo.stable
    assert found.tempo.bpm == pytest.approx(60 / np.median(np.diff(times)), rel=0.01)


def test_what_only_sound_has_is_none(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(song_file(song(), None))
    found = read(path)
    assert (found.mix, found.sample_rate) == (None, None)
    assert {one.loudness for one in found.stems.values()} == {None}
    drums, bass = found.stems["drums"].curves, found.stems["bass"].curves
    assert drums is not None
    assert bass is not None
    assert set(drums.values) == {"onset", "activity"}
    assert set(bass.values) == {"onset", "activity", "pitch", *(f"chroma_{kind}" for kind in range(12))}


def test_format_0_is_split_by_channel() -> None:
    events = [note(40, channel=1), note(36, channel=9), note(60, channel=0), after(0, b"\xc1\x21")]
    found = read(file(events, kind=0))
    assert list(found.stems) == ["drums", "bass", "piano"]
    assert hits(found) == [(0.5, "kick")]
    assert starts(found, "bass") == [0.0]
    whole = read(file(events, kind=0), MidiOptions(split_channels=False))
    assert list(whole.stems) == ["bass"]
    assert len(notes(whole, "bass")) == 3


def test_a_stems_own_file_is_read_too() -> None:
    assert hits(read(stem_file(song(), "drums"))) == hits(read(song_file(song(), None)))


def test_running_status_goes_on_over_meta_events_and_without_note_offs() -> None:
    played = [
        after(0, b"\x90\x3c\x40"),
        after(480, b"\x3c\x00"),
        after(0, meta(0x06, b"marker")),
        after(0, b"\x3e\x40"),
        after(480, b"\x3e\x00"),
    ]
    assert notes(read(file(played))) == [(0.0, 0.5, 60), (0.5, 1.0, 62)]


def test_events_that_nobody_knows_take_their_time() -> None:
    played = [
        after(480, meta(0x60, b"what?")),  # mido forgets the 480 ticks
        after(480, b"\xf0\x03\x01\x02\xf7"),
        after(240, b"\xf7\x01\xf7"),
        after(240, b"\xd0\x10"),
        after(480, meta(0x59, b"\x63\x07")),  # a key that there is not
        after(480, meta(0x51, b"\x00\x00\x00")),  # a tempo that nothing has
        after(480, meta(0x54, b"")),
        note(60),
    ]
    assert starts(read(file(played))) == [3.0]


@pytest.mark.parametrize(
    ("division", "ticks", "seconds"),
    [
        (96, 96, 0.5),
        (480, 480, 0.5),
        (32767, 32767, 0.5),
        (1, 1, 0.5),
        (0xE728, 500, 0.5),  # 25 frames of 40
        (0xE850, 960, 0.5),  # 24 of 80
        (0xE250, 1200, 0.5),  # 30 of 80
        (0xE364, 2997, 0.999999),  # 29.97 of 100
    ],
)
def test_every_division(division: int, ticks: int, seconds: float) -> None:
    found = read(file([note(60, ticks, wait=ticks)], division=division))
    assert list(notes(found)[0][:2]) == pytest.approx([seconds, 2 * seconds], abs=4e-4)


def test_the_tempo_map_places_notes_and_beats() -> None:
    conductor = [tempo(1_000_000), tempo(250_000, ticks=960)]
    found = read(file(conductor, [note(60, wait=480 * beat) for beat in range(3)]))
    assert starts(found) == [0.0, 2.0, 2.75]
    assert [beat.time for beat in found.beats] == pytest.approx([0, 1, 2, 2.25, 2.5, 2.75])


def test_tempi_of_smpte_files_are_those_of_their_beats() -> None:
    found = read(file([tempo(250_000), note(60, 1000)], division=0xE728))
    assert notes(found) == [(0.0, 1.0, 60)]
    assert [beat.time for beat in found.beats] == pytest.approx([0, 0.25, 0.5, 0.75])


def test_the_meter_map_numbers_bars() -> None:
    conductor = [signature(3, 2), signature(4, 2, ticks=6 * 480), signature(6, 3, ticks=8 * 480)]
    found = read(file(conductor, [note(60, 20 * 480)]))
    assert [(beat.bar, beat.beat) for beat in found.beats[:7]] == [
        (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1)
    ]  # fmt: skip
    assert [(beat.bar, beat.beat) for beat in found.beats[13:]] == [(4, 4), (5, 1), (5, 2), (6, 1), (6, 2)]
    assert found.beats[15].time - found.beats[14].time == pytest.approx(0.75)  # of three eighths


def test_no_tempo_in_the_file_is_120_and_said_to_be_nobodys() -> None:
    found = read(file([note(60)]))
    assert found.tempo is not None
    assert (found.tempo.bpm, found.tempo.confidence) == (120.0, 0.0)


def test_the_pedal_holds_notes() -> None:
    played = [
        after(0, PEDAL_DOWN),
        note(60, 240),
        note(62, 240),
        note(60, 240),
        after(240, PEDAL_UP),
        note(64),
    ]
    held, short = read(file(played)), read(file(played), MidiOptions(sustain=False))
    assert notes(held) == [(0, 0.5, 60), (0.25, 1, 62), (0.5, 1, 60), (1, 1.5, 64)]
    assert notes(short) == [(0, 0.25, 60), (0.25, 0.5, 62), (0.5, 0.75, 60), (1, 1.5, 64)]


def test_a_key_that_is_down_when_the_pedal_goes_up_sounds_on() -> None:
    played = [
        after(0, PEDAL_DOWN),
        after(0, b"\x90\x3c\x40"),
        after(240, PEDAL_UP),
        after(240, b"\x80\x3c\x00"),
    ]
    assert notes(read(file(played))) == [(0, 0.5, 60)]


def test_a_key_that_is_struck_twice_is_let_go_twice() -> None:
    on, off = b"\x90\x3c\x40", b"\x80\x3c\x00"
    played = [after(0, on), after(240, on), after(10, off), after(230, off)]
    assert notes(read(file(played))) == [(0, 0.25, 60), (0.25, 0.5, 60)]


def test_a_key_that_is_never_let_go_as_often_as_it_is_struck_is_let_go_at_once() -> None:
    on, off = b"\x90\x3c\x40", b"\x80\x3c\x00"
    played = [after(0, on), after(240, on), after(240, off), note(60, 240, wait=480), note(62)]
    assert notes(read(file(played))) == [(0, 0.25, 60), (0.25, 0.5, 60), (1, 1.25, 60), (1.25, 1.75, 62)]


def test_notes_that_never_end_end_with_the_track() -> None:
    assert notes(read(file([after(0, b"\x90\x3c\x40"), after(960, b"\x90\x3e\x00")]))) == [(0, 1, 60)]


def test_bends_are_in_the_pitch_and_its_curve() -> None:
    up = after(240, b"\xe0\x7f\x7f")
    wide = [after(0, b"\xb0\x65\x00"), after(0, b"\xb0\x64\x00"), after(0, b"\xb0\x06\x0c")]
    for before, reached in (([], 62.0), (wide, 72.0)):
        played = [*before, after(0, b"\x90\x3c\x40"), up, after(240, b"\x80\x3c\x00"), note(60)]
        found = read(file(played))
        assert [pitch for *_, pitch in notes(found)] == [60, round(reached)]
        curves = found.stems["piano"].curves
        assert curves is not None
        pitch = curves.values["pitch"]
        assert pitch[:15].tolist() == [60.0] * 15
        assert pitch[16:] == pytest.approx([reached] * (len(pitch) - 16), abs=0.01)


@pytest.mark.parametrize("low", [98, 99])
def test_a_parameter_of_a_makers_own_is_no_range_of_bends(low: int) -> None:
    registered = [after(0, bytes([0xB0, control, value])) for control, value in ((101, 0), (100, 0), (6, 2))]
    own = [after(0, bytes([0xB0, control, value])) for control, value in ((low, 8), (6, 64))]
    found = read(file([*registered, *own, after(0, b"\xe0\x7f\x7f"), note(60)]))
    assert [pitch for *_, pitch in notes(found)] == [62]


def test_a_song_lasts_a_frame_at_least() -> None:
    found = read(file([note(60, ticks=0)]), MidiOptions(shortest=0, frame_rate=25))
    assert (found.duration, notes(found)) == (0.04, [(0, 0, 60)])
    curves = found.stems["piano"].curves
    assert curves is not None
    assert curves.values["pitch"].tolist() == [60]


def test_curves_are_of_what_sounds_in_each_frame() -> None:
    played = [note(60, 480, velocity=127), note(67, 240, velocity=64, wait=480), note(72, 240)]
    found = read(file(played), MidiOptions(frame_rate=24)).stems["piano"].curves
    assert found is not None
    assert found.frame_rate == 24
    assert found.values["activity"] == pytest.approx([1.0] * 12 + [0] * 12 + [64 / 127] * 6 + [100 / 127] * 6)
    assert np.flatnonzero(found.values["onset"]).tolist() == [0, 24, 30]
    assert found.values["chroma_7"] == pytest.approx([0] * 24 + [1] * 6 + [0] * 6)
    assert np.array_equal(
        found.values["pitch"], [60.0] * 12 + [np.nan] * 12 + [67.0] * 6 + [72.0] * 6, equal_nan=True
    )


def test_onsets_and_stretches() -> None:
    chord = [after(0, bytes([0x90, pitch, 60 + pitch])) for pitch in (50, 60)]
    end = [after(480, bytes([0x80, 50, 0])), after(0, bytes([0x80, 60, 0]))]
    piano = read(file([*chord, *end, note(60, wait=240), note(60, wait=480)])).stems["piano"]
    assert [(one.time, round(one.strength, 3)) for one in piano.onsets] == [
        (0, 0.945), (0.75, 0.787), (1.75, 0.787)
    ]  # fmt: skip
    assert [(one.start, one.end) for one in piano.active] == [(0, 1.25), (1.75, 2.25)]


def test_small_faults_of_programs_are_no_faults_of_songs() -> None:
    track = chunk(b"MTrk", note(60) + b"\x00\xff\x2f\x00" + b"\x00\x00rest")
    many = head(1, 9) + chunk(b"XFIH", b"what") + track + b"\x00\x00\x00"
    without_end = head(1, 1) + chunk(b"MTrk", note(60))
    long_head = chunk(b"MThd", b"\x00\x01\x00\x01\x01\xe0" + b"more") + track
    wrapped = (
        b"RIFF"
        + b"\x00\x00\x00\x00"
        + b"RMID"
        + b"DISP\x01\x00\x00\x00x\x00data"
        + (len(without_end).to_bytes(4, "little") + without_end)
    )
    for data in (many, without_end, long_head, wrapped):
        assert notes(read(data)) == [(0.0, 0.5, 60)]


def test_names_are_read_in_whatever_encoding_they_are() -> None:
    for name in ("Trömmel Drums".encode(), "Trömmel Drums".encode("latin-1")):
        assert list(
            read(
                file(
                    [after(0, meta(3, name)), note(36)],
                )
            ).stems
        ) == ["drums"]
    roles = MidiOptions(roles={"trömmel": "drums"})
    assert list(read(file([after(0, meta(3, "Trömmel".encode())), note(36)]), roles).stems) == ["drums"]
    longest = "🥁" * 64
    roles = MidiOptions(roles={longest: "drums"})
    assert list(read(file([after(0, meta(3, longest.encode())), note(36)]), roles).stems) == ["drums"]


def test_a_channels_pedal_and_bends_are_those_of_all_tracks_that_play_on_it() -> None:
    pedal = [after(0, PEDAL_DOWN), after(960, PEDAL_UP)]
    hands = [[note(60, 240), note(62, 240)], [note(48, 240)]]
    other = [note(72, 240, channel=1)]
    for tracks in ([pedal, *hands, other], [*hands, other, pedal]):
        assert sorted(notes(read(file(*tracks)))) == [(0, 0.25, 72), (0, 1, 48), (0, 1, 60), (0.25, 1, 62)]
    bent = [[after(240, b"\xe0\x7f\x7f"), after(240, b"\xb0\x79\x00")], [note(60, 240) * 3]]
    assert [pitch for *_, pitch in notes(read(file(*bent)))] == [60, 62, 60]


def test_a_channel_of_one_port_is_not_that_of_another() -> None:
    ports = [after(0, meta(0x21, bytes([port]))) for port in (0, 1)]
    pedal = [ports[0], after(0, PEDAL_DOWN), after(960, PEDAL_UP)]
    found = read(file(pedal, [ports[0], note(60, 240)], [ports[1], note(62, 240)]))
    assert notes(found) == [(0, 1, 60), (0, 0.25, 62)]


def test_a_retake_at_the_tick_of_a_chord_holds_the_chord_and_not_the_one_before() -> None:
    pedal = [after(0, PEDAL_DOWN), after(480, PEDAL_UP), after(0, PEDAL_DOWN), after(480, PEDAL_UP)]
    hand = [note(60, 480), note(62, 240)]
    for tracks in ([pedal, hand], [hand, pedal]):
        assert notes(read(file(*tracks))) == [(0, 0.5, 60), (0.5, 1, 62)]


def test_what_a_track_sets_up_at_a_tick_does_not_end_what_another_begins_there() -> None:
    resets = [after(0, bytes([0xB0, control, 0])) for control in (120, 121, 123)]
    assert notes(read(file([note(60)], [*resets, note(62)]))) == [(0, 0.5, 60), (0, 0.5, 62)]


@pytest.mark.parametrize(
    ("control", "end"),
    [(120, 0.5), (121, 0.5), (123, 1.0), (126, 1.0)],
    ids=["all sound off", "reset", "all notes off", "mono"],
)
def test_what_the_pedal_holds_goes_on_until_it_is_lifted_or_all_sound_is_off(
    control: int, end: float
) -> None:
    held = [after(0, PEDAL_DOWN), note(60, 240), after(240, bytes([0xB0, control, 0]))]
    assert notes(read(file([*held, after(480, PEDAL_UP), note(64)])))[0] == (0, end, 60)


def test_all_notes_off_lets_go_of_keys() -> None:
    down = [after(0, b"\x90\x3c\x40"), after(240, b"\xb0\x7b\x00"), note(62)]
    assert notes(read(file(down))) == [(0, 0.25, 60), (0.25, 0.75, 62)]
    under_pedal = [after(0, PEDAL_DOWN), *down, after(240, PEDAL_UP)]
    assert notes(read(file(under_pedal))) == [(0, 1, 60), (0.25, 1, 62)]


def test_a_tempo_that_a_file_states_is_sure_whatever_it_is() -> None:
    for quarter in (500_000, 600_000):
        found = read(file([tempo(quarter), note(60)])).tempo
        assert found is not None
        assert (found.bpm, found.confidence) == (60e6 / quarter, 1.0)


METERS = {
    "4/4": ([(4, 4, 3)], 120, 4, 1),
    "3/4": ([(3, 4, 3)], 120, 3, 1),
    "2/2": ([(2, 2, 3)], 60, 2, 2),
    "6/8": ([(6, 8, 3)], 80, 2, 1.5),
    "7/8": ([(7, 8, 3)], 240, 7, 0.5),
    "9/16": ([(9, 16, 3)], 160, 3, 0.75),
    "12/8": ([(12, 8, 3)], 80, 4, 1.5),
    "4/4 to 6/8 to 7/8": ([(4, 4, 2), (6, 8, 6), (7, 8, 1)], 80, 2, 1.5),
    "3/4 to 5/4": ([(3, 4, 4), (5, 4, 1)], 120, 3, 1),
}


@pytest.mark.parametrize(("bars", "bpm", "meter", "quarters"), METERS.values(), ids=METERS)
@pytest.mark.parametrize("quarter", [500_000, 612_345])
def test_every_meter_is_written_as_it_was_read(
    bars: list[tuple[int, int, int]], bpm: float, meter: int, quarters: float, quarter: int
) -> None:
    """Of (numerator, denominator, bars) one after another: the same beats, and notes at the same times."""
    conductor, wait, played = [tempo(quarter)], 0, []
    for over, under, count in bars:
        conductor.append(signature(over, under.bit_length() - 1, ticks=wait))
        wait = count * over * 1920 // under
        played += [note(60 + one % 12, 1920 // under) for one in range(count * over)]
    found = read(file(conductor, played))
    assert found.tempo is not None
    assert found.signature is not None
    assert found.tempo.bpm == pytest.approx(bpm * 500_000 / quarter)
    assert (found.meter, found.signature.quarters_a_beat) == (meter, quarters)
    again = read(song_file(found, None))
    assert again.tempo == found.tempo
    assert (again.meter, again.signature) == (found.meter, found.signature)
    assert [(beat.bar, beat.beat, beat.signature) for beat in again.beats] == [
        (beat.bar, beat.beat, beat.signature) for beat in found.beats
    ]
    assert [beat.time for beat in again.beats] == pytest.approx([beat.time for beat in found.beats])
    assert np.array(notes(again)) == pytest.approx(np.array(notes(found)), abs=2e-4)
    if len(bars) == 1:
        steps = np.diff([beat.time for beat in found.beats])
        assert found.tempo.bpm == pytest.approx(60 / np.median(steps))


@pytest.mark.parametrize("offset", [-0.6, 0.01, 1.7])
@pytest.mark.parametrize(("over", "power"), [(6, 3), (7, 3), (2, 1)])
def test_what_is_moved_is_written_in_its_meter_all_the_same(offset: float, over: int, power: int) -> None:
    played = [note(60 + one % 12, 240) for one in range(4 * over * 8 >> power)]
    found = read(file([tempo(450_000), signature(over, power)], played), MidiOptions(offset=offset))
    again = read(song_file(found, None))
    assert (again.meter, again.signature) == (found.meter, found.signature)
    assert again.tempo is not None
    assert found.tempo is not None
    assert again.tempo.bpm == pytest.approx(found.tempo.bpm)
    written = np.array([beat.time for beat in again.beats])
    for beat in found.beats:
        assert np.abs(written - beat.time).min() < 1e-3
    assert np.array(notes(again)) == pytest.approx(np.array(notes(found)), abs=5e-4)


def test_a_song_of_one_beat_keeps_its_tempo() -> None:
    found = read(file([tempo(1_000_000), note(60, 480)]))
    assert len(found.beats) == 1
    assert read(song_file(found, None)).tempo == found.tempo
