"""A MIDI file as what is found in a song."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.events import Analysis, Drum, Hit, Key, Mode, Note, Onset, Stem, Stretch, Tempo
from analysis.key import find_key
from analysis.midi.errors import MidiTooLargeError, NoNotesError
from analysis.midi.note_curves import Sounding, curves_of
from analysis.midi.options import IGNORE, MidiOptions
from analysis.midi.roles import DRUM_OF_NOTE, DRUMS, STEMS, role_of
from analysis.midi.score import Part, Score, score_of
from analysis.midi.sieve import MOST_BYTES
from analysis.midi.tempo_map import TempoMap, beats_of, stretches_of

Floats = npt.NDArray[np.float64]
_Bends = tuple[Floats, Floats]

LONGEST_SECONDS = 1000.0

_TOGETHER = 0.03  # seconds in which starts are one onset
_SILENCE = 0.5  # seconds without a note that end a stretch
_HIT = 0.1  # seconds that a drum sounds at least
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def read(
    source: Path | bytes, options: MidiOptions | None = None, longest_seconds: float = LONGEST_SECONDS
) -> Analysis:
    """
    Read a Standard MIDI File of format 0 or 1.

    Parameters
    ----------
    source : Path or bytes
        The file, or what is in it.
    options : MidiOptions, optional
        How to read it.
    longest_seconds : float
        The most that a song may last.

    Returns
    -------
    Analysis
        With `stems` that are drums, bass, vocals, piano, other, and what the options name. What only sound
        has is None: the mix, the sample rate, loudness. Curves are those of `note_curves`.

    Raises
    ------
    MidiError
        If it cannot be read, or nothing sounds in it.
    """
    options = options or MidiOptions()
    score = score_of(_bytes_of(source), sustain=options.sustain)
    tempi = TempoMap(score.ticks, score.ticks_a_second, score.tempi, options.tempo)
    roles: dict[str, list[Sounding]] = {}
    bends: dict[int, _Bends] = {}  # those of a channel are one list, and are kept once
    for part in _parts(score, options):
        role = role_of(part, options)
        if role != IGNORE:
            if id(part.bends) not in bends:
                bends[id(part.bends)] = _bends(part, tempi, options)
            sounding = _sounding(part, bends[id(part.bends)], tempi, options, is_drums=role == DRUMS)
            roles.setdefault(role, []).append(sounding)
    roles = {role: parts for role, parts in roles.items() if any(len(part.begin) for part in parts)}
    if not roles:
        raise NoNotesError("The MIDI file has no notes, or the options leave none of them. Look at both.")
    shortest = 1 / options.frame_rate  # a song has a frame
    duration = max(float(part.end.max(initial=shortest)) for parts in roles.values() for part in parts)
    if duration > longest_seconds:
        raise MidiTooLargeError(
            f"The MIDI file lasts longer than {longest_seconds:g} seconds. Send a part of it."
        )
    order = [*(name for name in STEMS if name in roles), *(name for name in roles if name not in STEMS)]
    end = duration - options.offset
    stretches = stretches_of(tempi, score.signatures, end)
    beats, signature = beats_of(tempi, stretches)
    moved = (replace(beat, time=beat.time + options.offset) for beat in beats)
    stems = {role: _stem(role, roles[role], duration, options.frame_rate) for role in order}
    return Analysis(
        duration=duration,
        sample_rate=None,
        tempo=Tempo(
            bpm=tempi.bpm(stretches),
            stable=tempi.is_steady(end),
            confidence=1.0 if tempi.is_stated else 0.0,
        ),
        meter=signature.beats,
        key=_key(score.key, options.transpose)
        or find_key([note for stem in stems.values() for note in stem.notes or ()]),
        beats=tuple(beat for beat in moved if 0 <= beat.time < duration),
        stems=stems,
        signature=signature,
    )


def _bytes_of(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    with source.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _parts(score: Score, options: MidiOptions) -> list[Part]:
    """The parts, or each track's parts as one."""
    if options.split_channels:
        return score.parts
    tracks: dict[int, list[Part]] = {}
    for part in score.parts:
        tracks.setdefault(part.track, []).append(part)
    joined = []
    for parts in tracks.values():
        leader = max(parts, key=lambda part: len(part.played))
        played = [note for part in parts for note in part.played]
        joined.append(Part(leader.track, leader.channel, leader.name, leader.program, played, leader.bends))
    return joined


def _bends(part: Part, tempi: TempoMap, options: MidiOptions) -> _Bends:
    """Seconds, and semitones from there."""
    bends = np.array(part.bends, np.float64).reshape(-1, 2)
    return tempi.seconds(bends[:, 0]) + options.offset, bends[:, 1]


def _sounding(
    part: Part, bends: _Bends, tempi: TempoMap, options: MidiOptions, *, is_drums: bool
) -> Sounding:
    """The part's notes in seconds, as the options want them, in the order in which they begin."""
    ticks = np.array([(note.begin, note.end) for note in part.played], np.float64).reshape(-1, 2)
    pitch = np.array([note.pitch for note in part.played], np.int64)
    velocity = np.array([note.velocity for note in part.played], np.float64)
    begin, end = tempi.seconds(ticks[:, 0]), tempi.seconds(ticks[:, 1])
    long = np.maximum(end - begin, _HIT if is_drums else options.shortest)
    if options.quantise is not None:
        step = 4 / options.quantise
        begin = tempi.seconds_at(np.round(tempi.quarters(ticks[:, 0]) / step) * step)
    begin = begin + options.offset
    if not is_drums:
        pitch = pitch + options.transpose
    stays = (begin >= 0) & (pitch >= 0) & (pitch <= 127)
    order = np.lexsort((pitch, begin))
    order = order[stays[order]]
    return Sounding(
        begin=begin[order],
        end=(begin + long)[order],
        pitch=pitch[order],
        velocity=((velocity / 127) ** options.velocity_curve)[order],
        bend_times=bends[0],
        bends=bends[1],
    )


def _key(name: str | None, transpose: int) -> Key | None:
    """The key that a file states; None of C major, which many programs state of whatever they write."""
    if name is None or name == "C":
        return None
    mode: Mode = "minor" if name.endswith("m") else "major"
    tonic = _PITCH_CLASSES[name[0]] + name.count("#") - name.count("b")
    return Key((tonic + transpose) % 12, mode, 1.0)


def _stem(role: str, parts: list[Sounding], duration: float, frame_rate: int) -> Stem:
    is_drums = role == DRUMS
    begin = np.concatenate([part.begin for part in parts])
    order = np.argsort(begin, kind="stable")
    begin = begin[order]
    end = np.concatenate([part.end for part in parts])[order]
    velocity = np.concatenate([part.velocity for part in parts])[order]
    key = np.concatenate([part.pitch for part in parts])[order]
    bend = np.concatenate([part.bend_at(part.begin) for part in parts])[order]
    return Stem(
        loudness=None,
        active=_active(begin, end),
        onsets=_onsets(begin, velocity),
        curves=curves_of(parts, duration, frame_rate, are_pitched=not is_drums),
        notes=None if is_drums else _notes(begin, end, np.clip(np.rint(key + bend), 0, 127), velocity),
        hits=_hits(begin, key, velocity) if is_drums else None,
    )


def _notes(begin: Floats, end: Floats, pitch: Floats, velocity: Floats) -> tuple[Note, ...]:
    rows = zip(begin.tolist(), (end - begin).tolist(), pitch.tolist(), velocity.tolist(), strict=True)
    return tuple(Note(time, long, int(which), strength) for time, long, which, strength in rows)


def _hits(begin: Floats, key: npt.NDArray[np.int64], velocity: Floats) -> tuple[Hit, ...]:
    """What is like a drum that has a name; of two that are the same at the same time, the stronger."""
    hits: dict[tuple[float, Drum], Hit] = {}
    for time, note, strength in zip(begin.tolist(), key.tolist(), velocity.tolist(), strict=True):
        drum = DRUM_OF_NOTE.get(note)
        if drum is not None and ((time, drum) not in hits or hits[time, drum].velocity < strength):
            hits[time, drum] = Hit(time, drum, strength)
    return tuple(hits.values())


def _onsets(begin: Floats, velocity: Floats) -> tuple[Onset, ...]:
    onsets: list[Onset] = []
    for time, strength in zip(begin.tolist(), velocity.tolist(), strict=True):
        if onsets and time - onsets[-1].time < _TOGETHER:
            onsets[-1] = Onset(onsets[-1].time, max(strength, onsets[-1].strength))
        else:
            onsets.append(Onset(time, strength))
    return tuple(onsets)


def _active(begin: Floats, end: Floats) -> tuple[Stretch, ...]:
    stretches: list[Stretch] = []
    for start, stop in zip(begin.tolist(), end.tolist(), strict=True):
        if stretches and start - stretches[-1].end < _SILENCE:
            stretches[-1] = Stretch(stretches[-1].start, max(stop, stretches[-1].end))
        else:
            stretches.append(Stretch(start, stop))
    return tuple(stretches)
