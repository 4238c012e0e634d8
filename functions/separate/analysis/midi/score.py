"""The parts of a MIDI file: what each track plays on each channel."""

from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO

import mido

from analysis.midi.errors import CorruptMidiError
from analysis.midi.sieve import sieve

_BEND_RANGE = 2.0  # semitones, until a file says otherwise
_BEND_MOST = 8192
_PEDAL, _DATA, _PARAMETER_LOW, _PARAMETER_HIGH = 64, 6, 100, 101
_ALL_OFF = (120, 123)


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
        Ticks, and semitones from there.
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
    programs: dict[int, int] = {}
    parts: list[Part] = []
    for number, track in enumerate(file.tracks, 1):
        players: dict[int, _Player] = {}
        now = 0
        name = _decoded(track.name)
        for message in track:
            now += message.time
            if message.type == "set_tempo":
                tempi.append((now, message.tempo))
            elif message.type == "time_signature":
                signatures.append((now, message.numerator, message.denominator))
            elif message.type == "key_signature":
                keys.append((now, message.key))
            elif not message.is_meta:
                channel = message.channel
                if channel not in players:
                    players[channel] = _Player(Part(number, channel, name), sustain=sustain)
                players[channel].play(now, message)
                if message.type == "program_change":
                    programs.setdefault(channel, message.program)
        for player in players.values():
            player.end(now)
            if player.part.played:
                parts.append(player.part)
    for part in parts:
        if part.program is None:
            part.program = programs.get(part.channel)
    key = min(keys, default=(0, None), key=lambda stated: stated[0])[1]
    return Score(sieved.format, sieved.ticks, sieved.ticks_a_second, tempi, signatures, key, parts)


class _Player:
    """Plays a part's messages.

    A key that is struck again while it is down ends its note and begins another, and has to be let go as
    often as it was struck.
    """

    def __init__(self, part: Part, *, sustain: bool) -> None:
        self.part = part
        self._sustain = sustain
        self._pedal = False
        self._sounding: dict[int, tuple[int, int]] = {}  # by pitch: since when, how hard
        self._down: dict[int, int] = {}  # by pitch: strikes that were not let go
        self._parameter = [127, 127]  # high and low number of what the next data are for; this is none
        self._range = _BEND_RANGE
        self._wheel = 0

    def play(self, now: int, message: mido.Message) -> None:
        """Take one message."""
        if message.type == "note_on" and message.velocity:
            self._stop(message.note, now)
            self._sounding[message.note] = (now, message.velocity)
            self._down[message.note] = self._down.get(message.note, 0) + 1
        elif message.type in ("note_on", "note_off"):
            self._let_go(message.note, now)
        elif message.type == "program_change" and self.part.program is None:
            self.part.program = message.program
        elif message.type == "pitchwheel":
            self._wheel = message.pitch
            self._bend(now)
        elif message.type == "control_change":
            self._control(now, message.control, message.value)

    def end(self, now: int) -> None:
        """End what still sounds."""
        for pitch in list(self._sounding):
            self._stop(pitch, now)

    def _let_go(self, pitch: int, now: int) -> None:
        self._down[pitch] = max(0, self._down.get(pitch, 0) - 1)
        if not self._down[pitch] and not self._pedal:
            self._stop(pitch, now)

    def _stop(self, pitch: int, now: int) -> None:
        if pitch in self._sounding:
            begin, velocity = self._sounding.pop(pitch)
            self.part.played.append(Played(begin, now, pitch, velocity))

    def _bend(self, now: int) -> None:
        self.part.bends.append((now, self._wheel / _BEND_MOST * self._range))

    def _control(self, now: int, control: int, value: int) -> None:
        if control == _PEDAL and self._sustain:
            self._pedal = value >= 64
            if not self._pedal:
                for pitch in [pitch for pitch in self._sounding if not self._down.get(pitch)]:
                    self._stop(pitch, now)
        elif control in (_PARAMETER_HIGH, _PARAMETER_LOW):
            self._parameter[control == _PARAMETER_LOW] = value
        elif control == _DATA and self._parameter == [0, 0]:
            self._range = float(value)
            self._bend(now)
        elif control in _ALL_OFF:
            self._down.clear()
            self.end(now)


def _decoded(name: str) -> str:
    """A name in the encoding that it is in, which files do not say."""
    data = name.encode("latin-1")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = name
    return "".join(sign for sign in text if sign.isprintable()).strip()
