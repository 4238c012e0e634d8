"""A song's events as Standard MIDI Files, 480 ticks a quarter note. Tick 0 is sample 0 of the stems."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from operator import itemgetter

import mido

from analysis.events import DRUM_NOTES, Analysis, Hit, Note, Stem
from analysis.midi.grid import TICKS, Grid, grid_of
from analysis.names import tonic_name
from analysis.roles import Role, role_named

DRUM_CHANNEL = 9  # called 10, counted from 1
PROGRAMS: Mapping[Role, int] = {
    "vocals": 53,
    "bass": 33,
    "piano": 0,
}  # voice oohs, fingered bass, grand piano
OTHER_PROGRAM = 48  # strings

_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
_HIT_SECONDS = 0.1

Timed = tuple[int, int, mido.Message | mido.MetaMessage]  # tick, order within the tick, message


def song_file(analysis: Analysis, title: str | None) -> bytes:
    """
    All of the song, in format 1.

    The first track has tempi, time signatures, the key signature, the title, and a marker at each downbeat
    with the number of its bar. Then comes a track for each stem, under its name; drums are on channel 10.
    More than 15 other stems share channels.

    Parameters
    ----------
    analysis : Analysis
    title : str or None
        The song's.
    """
    grid = grid_of(analysis.beats, analysis.meter, analysis.tempo)
    tracks = [_track(_conductor(analysis, grid, title or ""))]
    melodic = 0
    for name, stem in analysis.stems.items():
        channel = DRUM_CHANNEL if stem.hits is not None else _CHANNELS[melodic % len(_CHANNELS)]
        melodic += stem.hits is None
        tracks.append(_track(_stem(name, stem, channel, grid)))
    return _to_bytes(1, tracks)


def stem_file(analysis: Analysis, name: str) -> bytes:
    """
    One stem, in format 0: the same tempi, bars and ticks, and its events, in one track under its name.

    Parameters
    ----------
    analysis : Analysis
    name : str
        Of `analysis.stems`.
    """
    stem = analysis.stems[name]
    grid = grid_of(analysis.beats, analysis.meter, analysis.tempo)
    channel = DRUM_CHANNEL if stem.hits is not None else 0
    return _to_bytes(0, [_track([*_conductor(analysis, grid, None), *_stem(name, stem, channel, grid)])])


def _conductor(analysis: Analysis, grid: Grid, title: str | None) -> Iterator[Timed]:
    if title is not None:
        yield 0, 0, mido.MetaMessage("track_name", name=_text(title))
    if analysis.key is not None:
        name = tonic_name(analysis.key) + ("m" if analysis.key.mode == "minor" else "")
        yield 0, 1, mido.MetaMessage("key_signature", key=name)
    for bar in grid.signatures:
        yield (
            bar.tick,
            1,
            mido.MetaMessage("time_signature", numerator=bar.numerator, denominator=bar.denominator),
        )
    for tempo in grid.tempi:
        yield tempo.tick, 1, mido.MetaMessage("set_tempo", tempo=tempo.quarter)
    for tick, bar_number in grid.downbeats:
        yield tick, 1, mido.MetaMessage("marker", text=f"Bar {bar_number}")
    yield grid.tick(analysis.duration), 4, mido.MetaMessage("end_of_track")


def _stem(name: str, stem: Stem, channel: int, grid: Grid) -> Iterator[Timed]:
    yield 0, 0, mido.MetaMessage("track_name", name=_text(name))
    if stem.hits is None:
        program = PROGRAMS.get(role_named(name), OTHER_PROGRAM)
        yield 0, 2, mido.Message("program_change", channel=channel, program=program)
    for begin, end, pitch, velocity in _sounding(stem.notes if stem.hits is None else stem.hits, grid):
        yield begin, 3, _strike(channel, pitch, velocity)
        yield end, 2, _strike(channel, pitch, 0)


def _strike(channel: int, pitch: int, velocity: int) -> mido.Message:
    """A note that begins, or with a velocity of 0 one that ends. Checks would take longer than all else."""
    return mido.Message("note_on", skip_checks=True, channel=channel, note=pitch, velocity=velocity)


def _sounding(events: tuple[Note | Hit, ...] | None, grid: Grid) -> list[tuple[int, int, int, int]]:
    """Begin and end in ticks, pitch and velocity; no pitch sounds twice at once."""
    latest: dict[int, int] = {}
    sounding: list[tuple[int, int, int, int]] = []
    for event in sorted(events or (), key=lambda event: event.time):
        pitch = DRUM_NOTES[event.drum] if isinstance(event, Hit) else min(max(0, int(event.pitch)), 127)
        long = _HIT_SECONDS if isinstance(event, Hit) else event.duration
        begin = grid.tick(event.time)
        end = max(begin + 1, grid.tick(event.time + long))
        velocity = min(max(1, round(127 * event.velocity)), 127)
        if pitch in latest:
            before = sounding[latest[pitch]]
            if before[0] == begin:
                sounding[latest[pitch]] = (begin, max(end, before[1]), pitch, max(velocity, before[3]))
                continue
            sounding[latest[pitch]] = (before[0], min(before[1], begin), *before[2:])
        latest[pitch] = len(sounding)
        sounding.append((begin, end, pitch, velocity))
    return sounding


def _track(events: list[Timed] | Iterator[Timed]) -> mido.MidiTrack:
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(events, key=itemgetter(0, 1)):
        message.time = tick - now
        track.append(message)
        now = tick
    return track


def _text(text: str) -> str:
    """Without what no line of text has, or no encoding."""
    return "".join(sign for sign in text if sign.isprintable()).encode(errors="replace").decode()


def _to_bytes(form: int, tracks: list[mido.MidiTrack]) -> bytes:
    file = BytesIO()
    mido.MidiFile(type=form, ticks_per_beat=TICKS, charset="utf-8", tracks=tracks).save(file=file)
    return file.getvalue()
