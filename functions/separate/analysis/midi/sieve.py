"""What may be read of a MIDI file: its bounds, and a copy that holds only what they and a reader allow.

The copy is what mido reads. mido believes lengths that a file declares, takes a running status from what
has none, loses the time before events that it does not know, and ends in errors of many kinds at events
that are not as they should be. None of this is in the copy. It is made in one pass, in time that grows with
the bytes of the file alone.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from analysis.midi.errors import CorruptMidiError, MidiTooLargeError, NotMidiError, UnsupportedMidiError

MOST_BYTES = 4 * 1024 * 1024
MOST_EVENTS = 200_000  # of any kind
MOST_TRACKS = 256

_TEXT = 256  # bytes of a name that are kept: 64 letters, by which a role may name its track
_FRAME_RATES = {24: Fraction(24), 25: Fraction(25), 29: Fraction(30_000, 1001), 30: Fraction(30)}
# Notes and their ends, programs and bends, whole; of controllers the pedal, parameters, resets, ends of all.
_KEPT = {0x80, 0x90, 0xC0, 0xE0}
_CONTROL = 0xB0
_CONTROLLERS = {6, 64, *range(98, 102), 120, 121, *range(123, 128)}
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_END_OF_TRACK, _NAME, _PORT, _TEMPO, _SIGNATURE, _KEY = 0x2F, 0x03, 0x21, 0x51, 0x58, 0x59


@dataclass(frozen=True)
class Sieved:
    """A file that can be read.

    Attributes
    ----------
    format : int
        0 or 1.
    ticks : int or None
        Ticks a quarter note; None if they divide seconds.
    ticks_a_second : Fraction or None
        Where they do, as SMPTE's frames say.
    copy : bytes
        The file, with nothing in it but what is read.
    """

    format: int
    ticks: int | None
    ticks_a_second: Fraction | None
    copy: bytes


def sieve(data: bytes) -> Sieved:
    """
    Check a file and copy what is read of it.

    Raises
    ------
    MidiError
        If it is not MIDI, is damaged, is of no kind that can be read, or is too large.
    """
    if len(data) > MOST_BYTES:
        raise MidiTooLargeError(f"The MIDI file is larger than {MOST_BYTES >> 20} MB. Send a part of it.")
    data = _unwrapped(data)
    if data[:4] != b"MThd":
        raise NotMidiError("The file is not MIDI: it does not begin as such files do. Send a .mid file.")
    if len(data) < 14 or not 6 <= int.from_bytes(data[4:8]) <= len(data) - 8:
        raise CorruptMidiError("The MIDI file ends within its header. Export it again.")
    kind, _, division = struct.unpack(">HHH", data[8:14])
    if kind > 1:
        raise UnsupportedMidiError(f"MIDI of format {kind} is not one song. Export it as format 0 or 1.")
    ticks, ticks_a_second = _division(division)
    counter = _Counter()
    tracks: list[bytes] = []
    for track in _track_chunks(data, 8 + int.from_bytes(data[4:8])):
        if len(tracks) == MOST_TRACKS:
            raise MidiTooLargeError(f"The MIDI file has more tracks than {MOST_TRACKS}. Send some of them.")
        tracks.append(_sieved(track, len(tracks) + 1, counter))
    if not tracks:
        raise CorruptMidiError("The MIDI file has no tracks. Export it again.")
    head = struct.pack(">4sIHHH", b"MThd", 6, kind, len(tracks), ticks or 1)
    body = b"".join(struct.pack(">4sI", b"MTrk", len(track)) + track for track in tracks)
    return Sieved(kind, ticks, ticks_a_second, head + body)


class _Counter:
    """Counts events, of all tracks together."""

    def __init__(self) -> None:
        self._events = 0

    def count(self) -> None:
        self._events += 1
        if self._events > MOST_EVENTS:
            raise MidiTooLargeError(f"The MIDI file has more events than {MOST_EVENTS:,}. Send a part of it.")


class _Bytes:
    """A track's bytes, read one after another."""

    def __init__(self, data: memoryview, track: int) -> None:
        self._data = data
        self._track = track
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self._data)

    def corrupt(self, what: str) -> CorruptMidiError:
        return CorruptMidiError(f"The MIDI file is damaged: track {self._track} {what}. Export it again.")

    def one(self) -> int:
        if self.at >= len(self._data):
            raise self.corrupt("ends within an event")
        self.at += 1
        return self._data[self.at - 1]

    def some(self, count: int) -> memoryview:
        if count > len(self._data) - self.at:
            raise self.corrupt("has an event that says it is longer than its track")
        self.at += count
        return self._data[self.at - count : self.at]

    def number(self) -> int:
        """A number of variable length, of four bytes at most."""
        number = 0
        for _ in range(4):
            byte = self.one()
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        raise self.corrupt("has a number that does not end")


def _unwrapped(data: bytes) -> bytes:
    """What is in a RIFF file of MIDI, or the file itself."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise CorruptMidiError("The RIFF file has no MIDI in it. Export it again, as .mid.")


def _division(division: int) -> tuple[int | None, Fraction | None]:
    if division < 0x8000:
        if division == 0:
            raise UnsupportedMidiError("The MIDI file divides a quarter note into no ticks. Export it again.")
        return division, None
    rate = _FRAME_RATES.get(256 - (division >> 8))
    if rate is None or not division & 0xFF:
        raise UnsupportedMidiError(
            "The MIDI file's ticks are parts of frames at a rate that SMPTE does not have. Export it again."
        )
    return None, rate * (division & 0xFF)


def _track_chunks(data: bytes, at: int) -> Iterator[memoryview]:
    """The tracks that are in the file, however many its header says. Other chunks are passed over."""
    view = memoryview(data)
    while at + 8 <= len(data):
        kind, size = struct.unpack(">4sI", data[at : at + 8])
        if not kind.isalnum():
            return  # what follows the last chunk
        if kind == b"MTrk" and size > len(data) - at - 8:
            raise CorruptMidiError(
                f"The MIDI file is cut: a track says it has {size:,} bytes, "
                f"and {len(data) - at - 8:,} are there. Send the whole file."
            )
        if kind == b"MTrk":
            yield view[at + 8 : at + 8 + size]
        at += 8 + size


def _sieved(track: memoryview, number: int, counter: _Counter) -> bytes:
    """The track, with what is read of it."""
    source = _Bytes(track, number)
    copy = bytearray()
    waiting = 0  # ticks of what is left out
    status = 0
    while source:
        counter.count()
        waiting += source.number()
        first = source.one()
        kept: bytes | None = None
        if first == 0xFF:
            kind = source.one()
            content = bytes(source.some(source.number()))
            if kind == _END_OF_TRACK:
                break
            kept = _meta(kind, content)
        elif first in (0xF0, 0xF7):
            source.some(source.number())
        elif first >= 0xF0:
            raise source.corrupt("has a message that no file may have")
        else:
            if first >= 0x80:
                status = first
            elif not status:
                raise source.corrupt("has data where a message should begin")
            count = _DATA_BYTES[status & 0xF0]
            values = (
                bytes(source.some(count)) if first >= 0x80 else bytes([first]) + bytes(source.some(count - 1))
            )
            if max(values) > 0x7F:
                raise source.corrupt("has a message in the data of another")
            kind = status & 0xF0
            if kind in _KEPT or (kind == _CONTROL and values[0] in _CONTROLLERS):
                kept = bytes([status]) + values
        if kept is not None:
            copy += _number(waiting) + kept
            waiting = 0
    return bytes(copy + b"\x00\xff\x2f\x00")


def _meta(kind: int, content: bytes) -> bytes | None:
    """A meta event that is read, or None."""
    if kind == _NAME:
        content = content[:_TEXT]
        return bytes([0xFF, kind]) + _number(len(content)) + content
    is_good = {
        _PORT: len(content) == 1,
        _TEMPO: len(content) == 3 and any(content),
        _SIGNATURE: len(content) == 4 and content[0] > 0 and content[1] <= 6,
        _KEY: len(content) == 2 and (content[0] + 7) % 256 <= 14 and content[1] <= 1,
    }.get(kind, False)
    return bytes([0xFF, kind, len(content)]) + content if is_good else None


def _number(value: int) -> bytes:
    """A number of variable length, of as many bytes as it takes."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))
