"""Fuzzes the reading of MIDI: any bytes end in a song that can be written, or in an error of its own."""

import sys
from collections.abc import Iterator

import atheris

with atheris.instrument_imports(include=["analysis"]):
    from analysis.curve_file import encode
    from analysis.document import document, to_json
    from analysis.midi import MidiError, MidiOptions, read, song_file
from tests.unit.analysis import by_hand
from tests.unit.analysis.midi_by_hand import after, file, note, signature, tempo

MAX_SONG_SECONDS = 60.0
OPTIONS = (MidiOptions(frame_rate=24), MidiOptions(frame_rate=24, sustain=False, quantise=16, tempo=90.0))


def one(data: bytes) -> None:
    for options in OPTIONS:
        try:
            song = read(data, options, MAX_SONG_SECONDS)
        except MidiError as error:
            assert str(error)
            continue
        assert 0 < song.duration <= MAX_SONG_SECONDS
        for stem in song.stems.values():
            assert all(0 <= note.time < song.duration and 0 <= note.pitch <= 127 for note in stem.notes or ())
            assert all(0 < note.velocity <= 1 and note.duration > 0 for note in stem.notes or ())
        times = [beat.time for beat in song.beats]
        assert times == sorted(times)
        to_json(document(song, encode(song), None))
        song_file(song, None)


def seeds() -> Iterator[bytes]:
    yield song_file(by_hand.song(), "Song")
    yield file(
        [tempo(400_000), signature(6, 3), after(0, b"\xb0\x40\x7f"), note(60), note(36, channel=9)], kind=0
    )
    yield file([after(0, b"\xf0\x02\x01\xf7"), after(0, b"\xe0\x00\x50"), note(60)], division=0xE728)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
