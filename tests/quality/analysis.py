"""How much of songs of which everything is known is found, from their true parts and from separated ones."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import mir_eval
import numpy as np
import numpy.typing as npt

from analysis import analyse
from analysis.events import Analysis, Drum, Key, Note
from media import AudioOutput
from media.samples import Samples
from separation import Engine, separate
from tests.songs import Composition, Song, compose, play, separated
from tests.unit.media.songs import KINDS, write

Way = Literal["true parts", "imitated", "2stems"]

ONSET = 0.05  # seconds between what is played and what is found
NOTE = (0.05, 0.1)
BEAT = 0.07
DRUMS: Mapping[str, Sequence[Drum]] = {
    "kick": ("kick",),
    "snare": ("snare",),
    "hi-hat": ("closed_hat", "open_hat"),
    "open hat": ("open_hat",),
    "tom": ("tom",),
    "crash": ("crash",),
}
_SECONDS = 40
_STEM_OF = {"drums": "drums", "bass": "bass", "piano": "piano", "lead": "vocals"}
_TONICS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


class Plan(NamedTuple):
    """A song to compose: its seed, beats a minute and in a bar, and the program of its drums."""

    seed: int
    bpm: float
    meter: int
    kit: int


# No other test and no tuning has these seeds, and both soundfonts have these kits. There is no ride in them.
PLANS = (
    Plan(9001, 70, 4, 0),
    Plan(9002, 81, 3, 8),
    Plan(9003, 93, 4, 16),
    Plan(9004, 107, 4, 24),
    Plan(9005, 119, 3, 25),
    Plan(9006, 134, 4, 32),
    Plan(9007, 151, 3, 40),
    Plan(9008, 170, 4, 0),
)


@dataclass
class Tally:
    """How many things were played, how many found, and how many of these rightly."""

    played: int = 0
    found: int = 0
    matched: int = 0

    @property
    def f_measure(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.matched / max(1, self.played + self.found)

    def add(self, other: "Tally") -> None:
        self.played += other.played
        self.found += other.found
        self.matched += other.matched


@dataclass
class Scores:
    """What was found in some songs.

    Attributes
    ----------
    tallies : dict of str to Tally
        By what was listened for.
    beat_errors : list of float
        Seconds by which each beat that was found is off.
    tempo_errors, keys : list of float
        Of each song: how far the tempo is off, as a share of it, 1 where none was found; and mir_eval's score
        of the key, which gives part of it to relatives.
    """

    tallies: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    beat_errors: list[float] = field(default_factory=list)
    tempo_errors: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)

    def add(self, other: "Scores") -> None:
        for name, tally in other.tallies.items():
            self.tallies[name].add(tally)
        self.beat_errors += other.beat_errors
        self.tempo_errors += other.tempo_errors
        self.keys += other.keys

    @property
    def values(self) -> dict[str, float]:
        """F of each tally, all songs' events together; and the rest, in milliseconds, percent and points."""
        return {name: tally.f_measure for name, tally in self.tallies.items()} | {
            "beats, median error": 1000 * float(np.median(self.beat_errors)) if self.beat_errors else np.nan,
            "tempo, largest error": 100 * max(self.tempo_errors),
            "key, mean score": float(np.mean(self.keys)),
        }


def played(plan: Plan, soundfont: Path) -> Song:
    """The song of a plan, 40 s of whole phrases of four bars."""
    bars = 4 * round(_SECONDS * plan.bpm / 60 / plan.meter / 4)
    return play(compose(plan.seed, plan.bpm, plan.meter, bars), soundfont, plan.kit)


def heard(song: Song, way: Way, engine: Engine, folder: Path) -> Analysis:
    """What the product finds in the files of a song and its stems, the lead being its vocals.

    Parameters
    ----------
    song : Song
    way : Way
        The parts as they were played, such as an imitation of a separator gives them, or the two stems that
        `engine` makes of their mix.
    engine : Engine
    folder : Path
        For the files.
    """
    mix = _write(folder, "mix", song.mix)
    if way == "2stems":
        stems = separate(
            mix,
            folder,
            engine,
            stems=engine.stems,
            mask_extension="average",
            output=AudioOutput("wav"),
            max_seconds=600,
        ).stems
    else:
        parts = song.parts if way == "true parts" else separated(song.parts)
        stems = {_STEM_OF[part]: _write(folder, _STEM_OF[part], sound) for part, sound in parts.items()}
    return analyse(mix, stems, notes=True, frame_rate=60, max_seconds=600)


def scores(truth: Composition, found: Analysis) -> Scores:
    """Compare; what was listened for in no stem is left out."""
    result = Scores()
    tallies = result.tallies
    beats = [beat.time for beat in found.beats]
    pairs = _pairs(truth.beat_times, beats, BEAT)
    result.beat_errors = [abs(beats[two] - truth.beat_times[one]) for one, two in pairs]
    tallies["beats"] = Tally(len(truth.beats), len(beats), len(pairs))
    downbeats = [beat.time for beat in found.beats if beat.beat == 1]
    tallies["downbeats"] = _times(truth.downbeat_times, downbeats, BEAT)
    result.tempo_errors = [abs(found.tempo.bpm / truth.bpm - 1) if found.tempo else 1.0]
    score = mir_eval.key.weighted_score(_named(truth.key), _named(found.key)) if found.key else 0.0
    result.keys = [float(score)]
    if (drums := found.stems.get("drums")) is not None:
        onsets = [onset.time for onset in drums.onsets]
        tallies["drum onsets"] = _times(truth.onset_times("drums"), onsets, ONSET)
        for name, kinds in DRUMS.items():
            hit, reported = (
                [hit.time for hit in hits if hit.drum in kinds] for hits in (truth.hits, drums.hits or ())
            )
            tallies[name] = _times(hit, reported, ONSET)
    true: Mapping[str, Collection[Note]] = truth.notes
    if "accompaniment" in found.stems:
        # The soundfonts' singers sing no words: Spleeter takes them for instruments.
        true = {"accompaniment": [note for notes in truth.notes.values() for note in notes]}
    for part, notes in true.items():
        if (stem := found.stems.get(_STEM_OF.get(part, part))) is not None:
            for within in NOTE:
                tallies[f"{part} notes, {1000 * within:.0f} ms"] = _notes(notes, stem.notes or (), within)
    return result


def _times(played: Sequence[float], found: Sequence[float], within: float) -> Tally:
    return Tally(len(played), len(found), len(_pairs(played, found, within)))


def _pairs(played: Sequence[float], found: Sequence[float], within: float) -> list[tuple[int, int]]:
    if not (played and found):
        return []
    pairs: list[tuple[int, int]] = mir_eval.util.match_events(np.array(played), np.array(found), within)
    return pairs


def _notes(played: Collection[Note], found: Collection[Note], within: float) -> Tally:
    """By pitch and beginning."""
    pairs = (
        mir_eval.transcription.match_notes(
            *_arrays(played), *_arrays(found), onset_tolerance=within, offset_ratio=None
        )
        if played and found
        else []
    )
    return Tally(len(played), len(found), len(pairs))


def _arrays(notes: Iterable[Note]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    intervals = np.array([(note.time, note.time + note.duration) for note in notes])
    return intervals, 440 * 2 ** ((np.array([note.pitch for note in notes]) - 69) / 12)


def _named(key: Key) -> str:
    return f"{_TONICS[key.tonic]} {key.mode}"


def _write(folder: Path, name: str, samples: Samples) -> Path:
    """In 16 bits, as stems are."""
    return write(folder / f"{name}.wav", np.ascontiguousarray(samples.T), KINDS["wav"])
