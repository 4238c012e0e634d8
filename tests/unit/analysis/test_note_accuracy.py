"""How many notes of composed songs are found: from their true parts, and from stems of a bad separator.

The limits are a few points short of what was reached when they were set.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Literal, NamedTuple

import mir_eval
import numpy as np
import numpy.typing as npt
import pytest

from analysis.events import Key, Note
from analysis.key import find_key
from analysis.notes import NoteTranscriber
from analysis.pitch import PitchListener, sung_notes
from media.samples import SAMPLE_RATE, Samples
from tests.songs import Composition, compose, play, separated
from tests.songs.files import soundfont
from tests.unit.analysis.networks import basic_pitch, swift_f0
from tests.unit.analysis.sounds import hertz

Kind = Literal["true", "separated"]
Notes = Mapping[str, Collection[Note]]

SONGS = ((301, 110, 4), (302, 150, 3))  # seed, beats a minute, beats in a bar
TONICS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


class Found(NamedTuple):
    truth: Composition
    notes: Mapping[Kind, Notes]


@cache
def found() -> list[Found]:
    results = []
    for seed, bpm, meter in SONGS:
        song = play(compose(seed, bpm, meter, bars=8), soundfont())
        stems: dict[Kind, Mapping[str, Samples]] = {
            "true": song.parts,
            "separated": separated(song.parts),
        }
        results.append(Found(song.truth, {kind: transcribed(parts) for kind, parts in stems.items()}))
    return results


def transcribed(parts: Mapping[str, Samples]) -> Notes:
    voice = PitchListener(SAMPLE_RATE, swift_f0())
    voice.add(parts["lead"])
    notes = {"lead": sung_notes(voice.finish())}
    others = [parts[part] for part in ("bass", "piano", "drums")]
    accompaniment: Samples = np.stack(others).sum(axis=0)
    for stem, sound in [*parts.items(), ("accompaniment", accompaniment)]:
        if stem not in ("lead", "drums"):
            instrument = NoteTranscriber(SAMPLE_RATE, stem, basic_pitch())
            instrument.add(sound)
            notes[stem] = instrument.finish()
    return notes


def true_notes(song: Found, part: str) -> Collection[Note]:
    if part == "accompaniment":
        return [*song.truth.notes["bass"], *song.truth.notes["piano"]]
    return song.truth.notes[part]


def f_measure(truth: Collection[Note], notes: Collection[Note], tolerance: float) -> float:
    """Of onsets and pitches."""
    assert notes
    scores = mir_eval.transcription.precision_recall_f1_overlap(
        *arrays(truth), *arrays(notes), onset_tolerance=tolerance, offset_ratio=None
    )
    return float(scores[2])


def arrays(notes: Collection[Note]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    intervals = np.array([(note.time, note.time + note.duration) for note in notes])
    return intervals, np.array([hertz(note.pitch) for note in notes])


@pytest.mark.parametrize(
    ("part", "kind", "limit", "limit_at_100_ms"),
    [
        ("bass", "true", 0.92, 0.92),
        ("bass", "separated", 0.87, 0.88),
        ("piano", "true", 0.97, 0.97),
        ("piano", "separated", 0.79, 0.79),
        ("accompaniment", "true", 0.68, 0.69),
        ("accompaniment", "separated", 0.68, 0.69),
        ("lead", "true", 0.95, 0.95),
        ("lead", "separated", 0.88, 0.92),
    ],
)
def test_notes_are_found(part: str, kind: Kind, limit: float, limit_at_100_ms: float) -> None:
    for tolerance, least in ((0.05, limit), (0.1, limit_at_100_ms)):
        scores = [f_measure(true_notes(song, part), song.notes[kind][part], tolerance) for song in found()]
        assert np.mean(scores) >= least


@pytest.mark.parametrize(("kind", "limit"), [("true", 0.9), ("separated", 0.9)])
def test_the_key_is_found(kind: Kind, limit: float) -> None:
    """By mir_eval's score, which gives part of it to relatives."""
    scores = []
    for song in found():
        key = find_key([note for part in ("bass", "piano", "lead") for note in song.notes[kind][part]])
        assert key is not None
        scores.append(mir_eval.key.weighted_score(named(song.truth.key), named(key)))
    assert np.mean(scores) >= limit


def named(key: Key) -> str:
    return f"{TONICS[key.tonic]} {key.mode}"


def test_where_the_lead_pauses_nothing_is_sung() -> None:
    """Its last notes are those of bar 6; what leaks from the other parts goes on."""
    for song in found():
        last = max(note.time + note.duration for note in song.truth.notes["lead"])
        assert song.truth.duration > last + 2
        late = [note for note in song.notes["separated"]["lead"] if note.time > last + 0.5]
        assert len(late) <= 2
