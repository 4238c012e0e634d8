"""The parts of a MIDI file: what each track plays on each channel.

Pedal, bends and programs are a channel's, whichever track they are in; a channel is one of a port's, where
tracks name ports.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import merge
from io import BytesIO
from typing import Any

import mido

from analysis.midi.errors import CorruptMidiError
from analysis.midi.sieve import sieve

_BEND_RANGE = 2.0  # semitones, until a file says otherwise
_BEND_MOST = 8192
_PEDAL, _DATA, _PARAMETER_LOW, _PARAMETER_HIGH = 64, 6, 100, 101
_UNREGISTERED = (98, 99)  # parameters of makers' own
_SOUND_OFF, _RESET = 120, 121
_NOTES_OFF = range(123, 128)  # changes of a channel's mode let go of its keys too
_NO_PARAMETER = (127, 127)

_Message = Any  # of mido, which has no types
_Timed = tuple[int, int, _Message]  # tick, track counted from 1, message
_Key = tuple[int, int]  # a part's number, and the key's
_Pitch = tuple[int, int]  # a channel's number, and the key's


@dataclass(frozen=True)
class Played:
    """A note that is played, from tick to tick."""

    begin: int
    end: int
    pitch: int
    velocity: int


@dataclass
class Part:
    """What a track plays on a channel.

    Attributes
    ----------
    track : int
        Counted from 1.
    channel : int
        Counted from 0.
    name : str
        The track's.
    program : int or None
        The first that the channel has, counted from 0; None if the file names none.
    played : list of Played
        In the order in which they end.
    bends : list of (int, float)
        Ticks, and semitones from there; the channel's, which all of its parts share.
    """

    track: int
    channel: int
    name: str
    program: int | None = None
    played: list[Played] = field(default_factory=list)
    bends: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Score:
    """All that is read of a file.

    Attributes
    ----------
    format : int
    ticks : int or None
        Ticks a quarter note.
    ticks_a_second : Fraction or None
        If ticks divide seconds.
    tempi : list of (int, int)
        Ticks, and microseconds a quarter note from there.
    signatures : list of (int, int, int)
        Ticks, and a bar's notes and which note they are.
    key : str or None
        The first key signature.
    parts : list of Part
        Those that play.
    """

    format: int
    ticks: int | None
    ticks_a_second: Fraction | None
    tempi: list[tuple[int, int]]
    signatures: list[tuple[int, int, int]]
    key: str | None
    parts: list[Part]


def score_of(data: bytes, *, sustain: bool) -> Score:
    """Read a file.

    Parameters
    ----------
    data : bytes
    sustain : bool
        Whether the pedal holds notes.

    Raises
    ------
    MidiError
        If it cannot be read.
    """
    sieved = sieve(data)
    try:
        file = mido.MidiFile(file=BytesIO(sieved.copy))
    except (OSError, EOFError, ValueError, LookupError) as error:
        raise CorruptMidiError("The MIDI file is damaged. Export it again.") from error
    tempi: list[tuple[int, int]] = []
    signatures: list[tuple[int, int, int]] = []
    keys: list[tuple[int, str]] = []
    band = _Band(file.tracks, sustain=sustain)
    for now, number, message in _in_order(file.tracks):
        if message.type == "set_tempo":
            tempi.append((now, message.tempo))
        elif message.type == "time_signature":
            signatures.append((now, message.numerator, message.denominator))
        elif message.type == "key_signature":
            keys.append((now, message.key))
        else:
            band.play(now, number, message)
    key = min(keys, default=(0, None), key=lambda stated: stated[0])[1]
    return Score(sieved.format, sieved.ticks, sieved.ticks_a_second, tempi, signatures, key, band.parts())


def _in_order(tracks: Sequence[Iterable[_Message]]) -> Iterator[_Timed]:
    """All tracks' messages by their ticks, each track's in its own order.

    At one tick, tracks let go of keys before others move the pedal, and move it before others strike keys.
    """

    def timed(number: int, track: Iterable[_Message]) -> Iterator[_Timed]:
        now = 0
        for message in track:
            now += message.time
            yield now, number, message

    def place(timed: _Timed) -> tuple[int, int]:
        now, _, message = timed
        if message.type == "note_off" or (message.type == "note_on" and not message.velocity):
            return now, 0
        return now, 2 if message.type in ("note_on", "end_of_track") else 1

    return merge(*(timed(number, track) for number, track in enumerate(tracks, 1)), key=place)


class _Band:
    """Gives messages to the channels and the parts that they are for."""

    def __init__(self, tracks: Sequence[mido.MidiTrack], *, sustain: bool) -> None:
        self._names = [_decoded(track.name) for track in tracks]
        self._stuck = [_stuck(track) for track in tracks]
        self._sustain = sustain
        self._ports = [0] * len(tracks)
        self._channels: dict[tuple[int, int], _Channel] = {}
        self._players: list[dict[tuple[int, int], int]] = [{} for _ in tracks]  # each track's parts

    def play(self, now: int, track: int, message: _Message) -> None:
        """Take one message."""
        players = self._players[track - 1]
        if message.type == "midi_port":
            self._ports[track - 1] = message.port
        elif message.type == "end_of_track":
            for place, part in players.items():
                self._channels[place].leave(now, part)
        elif not message.is_meta:
            place = (self._ports[track - 1], message.channel)
            if place not in self._channels:
                self._channels[place] = _Channel(sustain=self._sustain)
            channel = self._channels[place]
            if place not in players:
                joins = Part(track, message.channel, self._names[track - 1])
                players[place] = channel.join(joins, self._stuck[track - 1])
            channel.play(now, players[place], message)

    def parts(self) -> list[Part]:
        """Those that play, in the order of their tracks."""
        for channel in self._channels.values():
            channel.finish()
        parts = [
            self._channels[place].parts[part] for players in self._players for place, part in players.items()
        ]
        return [part for part in parts if part.played]


class _Channel:
    """Plays a channel's messages.

    A key that is struck again while it is down ends its note and begins another, and has to be let go as
    often as it was struck; but not where a track never lets it go as often. What a message does takes time
    that grows with the notes it ends alone.
    """

    def __init__(self, *, sustain: bool) -> None:
        self.parts: list[Part] = []
        self._stuck: list[Set[_Pitch]] = []  # each part's
        self._sustain = sustain
        self._last = 0
        self._program: int | None = None
        self._pedal = False
        self._sounding: dict[_Key, tuple[int, int]] = {}  # since when, how hard
        self._down: dict[_Key, int] = {}  # strikes that were not let go
        self._held: set[_Key] = set()  # by the pedal alone
        self._parameter = _NO_PARAMETER  # high and low number of what the next data are for
        self._range = _BEND_RANGE
        self._wheel = 0
        self._bends: list[tuple[int, float]] = []

    def join(self, part: Part, stuck: Set[_Pitch]) -> int:
        """Take a part and what its track does not let go as often as it strikes it; give its number."""
        part.bends = self._bends
        self.parts.append(part)
        self._stuck.append(stuck)
        return len(self.parts) - 1

    def leave(self, now: int, part: int) -> None:
        """Let go of the keys of a part whose track ends."""
        self._last = max(self._last, now)
        for pitch in range(128):
            if self._down.pop((part, pitch), 0):
                self._release((part, pitch), now)

    def finish(self) -> None:
        """End what still sounds, and name the program of parts that do not."""
        for key in list(self._sounding):
            self._stop(key, self._last)
        for part in self.parts:
            if part.program is None:
                part.program = self._program

    def play(self, now: int, part: int, message: _Message) -> None:
        """Take one message that a part has."""
        self._last = now
        if message.type == "note_on" and message.velocity:
            key = (part, message.note)
            self._stop(key, now)
            self._held.discard(key)
            self._sounding[key] = (now, message.velocity)
            is_stuck = (message.channel, message.note) in self._stuck[part]
            self._down[key] = 1 if is_stuck else self._down.get(key, 0) + 1
        elif message.type in ("note_on", "note_off"):
            self._let_go((part, message.note), now)
        elif message.type == "program_change":
            if self._program is None:
                self._program = message.program
            if self.parts[part].program is None:
                self.parts[part].program = message.program
        elif message.type == "pitchwheel":
            self._bend(now, message.pitch)
        elif message.type == "control_change":
            self._control(now, message.control, message.value)

    def _let_go(self, key: _Key, now: int) -> None:
        strikes = self._down.pop(key, 0)
        if strikes > 1:
            self._down[key] = strikes - 1
        else:
            self._release(key, now)

    def _release(self, key: _Key, now: int) -> None:
        """End a note whose key is up, unless the pedal holds it."""
        if self._pedal and key in self._sounding:
            self._held.add(key)
        else:
            self._stop(key, now)

    def _stop(self, key: _Key, now: int) -> None:
        if key in self._sounding:
            begin, velocity = self._sounding.pop(key)
            part, pitch = key
            self.parts[part].played.append(Played(begin, now, pitch, velocity))

    def _lift(self, now: int) -> None:
        self._pedal = False
        for key in self._held:
            self._stop(key, now)
        self._held.clear()

    def _bend(self, now: int, wheel: int) -> None:
        self._wheel = wheel
        self._bends.append((now, wheel / _BEND_MOST * self._range))

    def _control(self, now: int, control: int, value: int) -> None:
        if control == _PEDAL and self._sustain:
            if value >= 64:
                self._pedal = True
            else:
                self._lift(now)
        elif control == _PARAMETER_HIGH:
            self._parameter = (value, self._parameter[1])
        elif control == _PARAMETER_LOW:
            self._parameter = (self._parameter[0], value)
        elif control in _UNREGISTERED:
            self._parameter = _NO_PARAMETER
        elif control == _DATA and self._parameter == (0, 0):
            self._range = float(value)
            self._bend(now, self._wheel)
        elif control == _RESET:
            self._lift(now)
            self._parameter = _NO_PARAMETER
            self._bend(now, 0)
        elif control == _SOUND_OFF:
            for key in list(self._sounding):
                self._stop(key, now)
            self._down.clear()
            self._held.clear()
        elif control in _NOTES_OFF:
            down = list(self._down)
            self._down.clear()
            for key in down:
                self._release(key, now)


def _stuck(track: Iterable[_Message]) -> Set[_Pitch]:
    """Keys that a track strikes more often than it lets them go."""
    strikes: Counter[_Pitch] = Counter()
    for message in track:
        if message.type in ("note_on", "note_off"):
            is_strike = message.type == "note_on" and message.velocity
            strikes[message.channel, message.note] += 1 if is_strike else -1
    return {key for key, more in strikes.items() if more > 0}


def _decoded(name: str) -> str:
    """A name in the encoding that it is in, which files do not say."""
    data = name.encode("latin-1")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = name
    return "".join(sign for sign in text if sign.isprintable()).strip()
