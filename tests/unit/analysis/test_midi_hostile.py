"""MIDI files made to break things: each gets its code, in bounded time and memory."""

import resource
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.curve_file import encode
from analysis.document import document, to_json
from analysis.midi import MidiError, MidiOptions, read, song_file
from analysis.midi.sieve import MOST_BYTES, MOST_EVENTS, MOST_TRACKS
from tests.unit.analysis.by_hand import song
from tests.unit.analysis.midi_by_hand import END, after, chunk, file, head, meta, note, signature, tempo

MOST_SECONDS = 20.0  # of processor time, on a machine that others use too
MOST_MEMORY = 400e6

RIFF = b"RIFF\x10\x00\x00\x00RMID"
ONE = note(60) + END
WHOLE = file([after(0, b"\xc0\x21"), note(40), note(41)], [note(36, channel=9)])


def track(*events: bytes) -> bytes:
    return chunk(b"MTrk", b"".join(events))


REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("not_midi", lambda: b""),
    "text": ("not_midi", lambda: b"Dear Sir or Madam,"),
    "an MP3": ("not_midi", lambda: b"ID3\x04" + bytes(100)),
    "RIFF of sound": ("not_midi", lambda: b"RIFF\x10\x00\x00\x00WAVE" + bytes(100)),
    "RIFF without data": ("corrupt_midi", lambda: RIFF + bytes(1000)),
    "RIFF of RIFF": (
        "not_midi",
        lambda: b"RIFF\x10\x00\x00\x00RMIDdata\x10\x00\x00\x00RIFF\x10\x00\x00\x00RMID",
    ),
    "half a header": ("corrupt_midi", lambda: head(1, 1)[:11]),
    "a header of 4 GB": ("corrupt_midi", lambda: chunk(b"MThd", bytes(6), 0xFFFFFFFF) + track(ONE)),
    "a header of no bytes": ("corrupt_midi", lambda: chunk(b"MThd", b"") + track(ONE)),
    "no tracks": ("corrupt_midi", lambda: head(1, 1)),
    "format 2": ("unsupported_midi", lambda: head(2, 1) + track(ONE)),
    "format 65535": ("unsupported_midi", lambda: head(65535, 1) + track(ONE)),
    "a division of zero": ("unsupported_midi", lambda: head(1, 1, 0) + track(ONE)),
    "frames of no ticks": ("unsupported_midi", lambda: head(1, 1, 0xE700) + track(ONE)),
    "frames of no rate": ("unsupported_midi", lambda: head(1, 1, 0x8001) + track(ONE)),
    "a track of 4 GB": ("corrupt_midi", lambda: head(1, 1) + chunk(b"MTrk", ONE, 0xFFFFFFFF)),
    "a track a byte too long": ("corrupt_midi", lambda: head(1, 1) + chunk(b"MTrk", ONE, len(ONE) + 1)),
    "a track cut by its own length": ("corrupt_midi", lambda: head(1, 1) + chunk(b"MTrk", ONE, 6)),
    "a meta event of 256 MB": ("corrupt_midi", lambda: head(1, 1) + track(b"\x00\xff\x01\xff\xff\xff\x7f")),
    "sysex of 256 MB": ("corrupt_midi", lambda: head(1, 1) + track(b"\x00\xf0\xff\xff\xff\x7f")),
    "a number without end": ("corrupt_midi", lambda: head(1, 1) + track(b"\xff" * 100_000)),
    "data without a message": ("corrupt_midi", lambda: head(1, 1) + track(b"\x00\x3c\x40")),
    "a message in data": ("corrupt_midi", lambda: head(1, 1) + track(b"\x00\x90\x3c\x90")),
    "a clock": ("corrupt_midi", lambda: head(1, 1) + track(b"\x00\xf8" + ONE)),
    "endless running status": (
        "midi_too_large",
        lambda: head(1, 1) + track(b"\x00\x90\x3c\x40" + b"\x01\x3c\x40" * 1_300_000),
    ),
    "millions of events": ("midi_too_large", lambda: head(0, 1) + track(b"\x00\xff\x01\x00" * 1_000_000)),
    "sysex in sysex": ("midi_too_large", lambda: head(0, 1) + track(b"\x00\xf0\x02\xf0\xf0" * 800_000)),
    "too many bytes": ("midi_too_large", lambda: WHOLE + bytes(MOST_BYTES)),
    "too many tracks": ("midi_too_large", lambda: head(1, 0xFFFF) + track(ONE) * (MOST_TRACKS + 1)),
    "tracks of nothing": ("midi_too_large", lambda: head(1, 0xFFFF) + track() * 300_000),
    "chunks of nothing": ("corrupt_midi", lambda: head(1, 0xFFFF) + chunk(b"nope", b"") * 500_000),
    "hours": ("midi_too_large", lambda: file([note(60, wait=0x0FFFFFFF)])),
    "years": ("midi_too_large", lambda: file([after(0x0FFFFFFF, b"\xb0\x40\x00") * 50_000, note(60)])),
    "millions of beats": ("midi_too_large", lambda: file([tempo(1), note(60, 0x0FFFFFFF)])),
    "bars of a 64th": ("midi_too_large", lambda: file([signature(1, 6), note(60, 0x00FFFFFF)], division=96)),
    "no notes": ("no_notes", lambda: file([tempo(500_000)])),
    "only ends of notes": ("no_notes", lambda: file([after(0, b"\x80\x3c\x00")])),
}

HANGING = [after(0, bytes([0x90, pitch, min(127, 1 + pitch)])) for pitch in range(128)] + [note(1, 900 * 960)]
KINDS = [kind for kind in range(128) if kind != 0x2F]  # of meta events, but for the end of the track

TAKEN: dict[str, Callable[[], bytes]] = {
    "as many events as are read": lambda: file([note(60 + n % 12, 1) for n in range(MOST_EVENTS // 2 - 1)]),
    "notes that never end": lambda: file(*[HANGING] * 200),
    "tempi": lambda: file([tempo(400_000 + n, ticks=1) for n in range(150_000)], [note(60)]),
    "signatures": lambda: file([signature(1 + n % 9, 2) for n in range(150_000)], [note(60)]),
    "bends": lambda: file([after(1, bytes([0xE0, n % 128, n % 128])) for n in range(150_000)] + [note(60)]),
    "bends of a channel on which many tracks play": lambda: file(
        [after(1, bytes([0xE0, n % 128, n % 128])) for n in range(150_000)], *[[note(60)]] * 250
    ),
    "a pedal and ends of notes over many keys": lambda: file(
        [after(1, bytes([0xB0, (64, 64, 123)[n % 3], (127, 0, 0)[n % 3]])) for n in range(130_000)],
        *[HANGING] * 200,
    ),
    "names": lambda: file([after(0, meta(3, b"x" * 1000)) for _ in range(3_000)] + [note(60)]),
    "a name of 3 MB": lambda: file([after(0, meta(3, b"drums " * 500_000)), note(60)]),
    "each meta event, empty": lambda: file([after(0, meta(kind, b"")) for kind in KINDS], [note(60)]),
    "each meta event, of junk": lambda: file(
        [after(0, meta(kind, b"\xff" * 5)) for kind in KINDS], [note(60)]
    ),
    "no time at all": lambda: file([note(60, 0)]),
}


def bounded(data: bytes) -> None:
    """Read it, and write what is read, within the bounds."""
    began, held = time.process_time(), peak_bytes()
    try:
        analysis = read(data)
        curves = encode(analysis)
        assert curves is not None
        to_json(document(analysis, curves, None))
        song_file(analysis, None)
    finally:
        assert time.process_time() - began < MOST_SECONDS
        assert peak_bytes() - held < MOST_MEMORY


def peak_bytes() -> int:
    """The most memory that this process has ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize(("code", "make"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_gets_its_code(code: str, make: Callable[[], bytes]) -> None:
    with pytest.raises(MidiError) as refusal:
        bounded(make())
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN)
def test_what_is_much_or_odd_is_read_in_bounds(make: Callable[[], bytes]) -> None:
    bounded(make())


def test_a_file_cut_anywhere_is_refused_or_read() -> None:
    codes = set()
    for end in range(len(WHOLE)):
        try:
            read(WHOLE[:end])
        except MidiError as error:
            codes.add(error.code)
    assert codes == {"not_midi", "corrupt_midi"}


SEEDS = st.sampled_from([WHOLE, song_file(song(), "Song"), file([note(60)], division=0xE728)])


@given(seed=SEEDS, changes=st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=4)), max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_change_is_read_or_refused(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
    for place, new in changes:
        seed = seed[:place] + new + seed[place + len(new) :]
    try:
        analysis = read(seed, MidiOptions(frame_rate=24), longest_seconds=60)
    except MidiError as error:
        assert str(error)
    else:
        assert 0 < analysis.duration <= 60
        assert analysis.stems
        to_json(document(analysis, encode(analysis), None))
        song_file(analysis, None)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_track_is_read_or_refused(content: bytes) -> None:
    try:
        read(head(1, 1) + track(content), MidiOptions(frame_rate=24), longest_seconds=60)
    except MidiError as error:
        assert str(error)
