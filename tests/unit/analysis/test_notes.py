import numpy as np
import pytest

from analysis.basic_pitch import FRAME_RATE, LOWEST, NOTES, NoteActivations
from analysis.events import Note
from analysis.notes import NoteTranscriber, Rules, transcribed
from media.samples import Samples
from tests.unit.analysis.networks import basic_pitch
from tests.unit.analysis.sounds import blocks, plucked

ANY = Rules(LOWEST, LOWEST + NOTES - 1, 0.6, 0.4, monophonic=False, mixed=False)
FRAMES = 200


class Page:
    """Activations and levels to write on."""

    def __init__(self) -> None:
        self.sounding = np.zeros((FRAMES, NOTES), np.float16)
        self.beginning = np.zeros((FRAMES, NOTES), np.float16)
        self.levels = np.full((60, NOTES), -120, np.float32)

    def write(self, pitch: int, begin: int, end: int, sounding: float = 0.8, level: float = -20) -> None:
        self.sounding[begin:end, pitch - LOWEST] = sounding
        self.beginning[begin, pitch - LOWEST] = 0.9
        at = round(begin / FRAME_RATE * 20)
        self.levels[at : at + 4, pitch - LOWEST] = level

    def read(self, rules: Rules = ANY) -> list[tuple[int, int, int]]:
        """Pitch, first frame and frame after the last of each note."""
        notes = transcribed(NoteActivations(self.sounding, self.beginning), self.levels, rules)
        begins = [round(note.time * FRAME_RATE) for note in notes]
        ends = [round((note.time + note.duration) * FRAME_RATE) for note in notes]
        return list(zip([note.pitch for note in notes], begins, ends, strict=True))


@pytest.fixture
def page() -> Page:
    return Page()


def test_nothing_gives_nothing(page: Page) -> None:
    assert page.read() == []
    empty = np.zeros((0, NOTES), np.float16)
    assert transcribed(NoteActivations(empty, empty), np.zeros((0, NOTES), np.float32), ANY) == ()


def test_a_note_sounds_until_it_is_quiet_or_begins_anew(page: Page) -> None:
    page.write(60, 10, 40)
    page.sounding[20:25, 60 - LOWEST] = 0.1  # too short a pause
    page.write(60, 41, 70)
    page.write(60, 80, 110)
    page.write(LOWEST + NOTES - 1, 190, FRAMES)
    assert page.read() == [(60, 10, 41), (60, 41, 70), (60, 80, 110), (108, 190, FRAMES)]


def test_what_is_short_or_unsure_is_no_note(page: Page) -> None:
    page.write(60, 10, 15)
    page.write(64, 10, 40)
    page.beginning[10, 64 - LOWEST] = 0.5
    page.sounding[10:90, 70 - LOWEST] = 0.9  # sounds, and never began
    assert page.read() == []


def test_of_beginnings_side_by_side_the_surest_counts(page: Page) -> None:
    page.write(60, 10, 60)
    page.beginning[8:14, 60 - LOWEST] = [0.7, 0.8, 0.9, 0.9, 0.8, 0.7]
    assert page.read() == [(60, 10, 60)]


@pytest.mark.parametrize("interval", [12, 19, 24, 28, 31])
def test_a_harmonic_is_no_note(page: Page, interval: int) -> None:
    page.write(40, 10, 60, 0.8)
    page.write(40 + interval, 10, 50, 0.6)
    page.write(40 + interval, 80, 120, 0.6)  # by itself it is one
    assert page.read() == [(40, 10, 60), (40 + interval, 80, 120)]


def test_what_is_far_louder_than_the_tone_below_is_not_its_harmonic(page: Page) -> None:
    page.write(40, 10, 60, 0.8, level=-30)
    page.write(52, 10, 60, 0.6, level=-20)
    assert page.read() == [(40, 10, 60), (52, 10, 60)]


def test_where_several_instruments_play_harmonics_may_be_notes(page: Page) -> None:
    page.write(40, 10, 60, 0.8)
    page.write(52, 10, 60, 0.6)
    assert page.read(ANY._replace(mixed=True)) == [(40, 10, 60), (52, 10, 60)]


def test_an_octave_that_is_as_sure_stays(page: Page) -> None:
    page.write(40, 10, 60, 0.8)
    page.write(52, 10, 60, 0.85)
    assert page.read() == [(40, 10, 60), (52, 10, 60)]


def test_what_is_far_softer_than_the_rest_has_leaked(page: Page) -> None:
    for i in range(5):
        page.write(50 + i, 10 + 20 * i, 28 + 20 * i, level=-20)
    page.write(70, 120, 160, level=-41)
    page.write(72, 120, 160, level=-39)
    assert [pitch for pitch, _, _ in page.read()] == [50, 51, 52, 53, 54, 72]


def test_a_bass_plays_one_note_at_a_time(page: Page) -> None:
    page.write(40, 10, 60, 0.8)
    page.write(45, 12, 60, 0.7)
    page.write(47, 40, 90, 0.7)
    page.write(20 + 60, 100, 140, 0.9)  # too high for it
    assert page.read(Rules(23, 60, 0.6, 0.3, monophonic=True, mixed=False)) == [(40, 10, 40), (47, 40, 90)]


# ---- with the network -------------------------------------------------------------------------

LINE = [
    Note(0.5 + 0.5 * i, 0.45, pitch, v)
    for i, (pitch, v) in enumerate(zip([33, 45, 40, 36, 38], [1, 0.8, 0.6, 1, 1], strict=True))
]
CHORDS = [Note(0.5 + i, 0.9, pitch + 2 * i, 0.8) for i in range(4) for pitch in (48, 55, 64)]


def heard(parts: list[Samples], stem: str, sample_rate: int = 44_100) -> tuple[Note, ...]:
    transcriber = NoteTranscriber(sample_rate, stem, basic_pitch())
    for part in parts:
        transcriber.add(part)
    return transcriber.finish()


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
@pytest.mark.parametrize(("stem", "notes"), [("bass", LINE), ("piano", CHORDS), ("other", CHORDS)])
def test_the_notes_of_a_clip(stem: str, notes: list[Note], sample_rate: int) -> None:
    found = heard([plucked(notes, 5, sample_rate)], stem, sample_rate)
    assert sorted((round(n.time, 1), n.pitch) for n in found) == [(round(n.time, 1), n.pitch) for n in notes]
    for note, true in zip(sorted(found, key=lambda n: (round(n.time, 1), n.pitch)), notes, strict=True):
        assert abs(note.time - true.time) < 0.03


def test_velocity_follows_loudness() -> None:
    notes = [Note(0.5 + 0.6 * i, 0.5, 60, v) for i, v in enumerate([1, 0.9, 0.8, 0.7, 0.6, 1])]
    for gain in (1, 0.1):
        velocities = [note.velocity for note in heard([np.float32(gain) * plucked(notes, 5)], "piano")]
        assert velocities == pytest.approx([note.velocity for note in notes], abs=0.05)


def test_how_samples_are_cut_changes_nothing() -> None:
    sound = plucked(CHORDS, 5)
    whole = heard([sound], "piano")
    assert all(heard(blocks(sound, seed), "piano") == whole for seed in range(2))


def test_silence_and_soft_noise_give_nothing() -> None:
    for stem in ("bass", "piano"):
        assert heard([np.zeros((10 * 44_100, 2), np.float32)], stem) == ()
        assert heard([], stem) == ()
        noise = np.random.default_rng(0).normal(0, 1e-4, (3 * 44_100, 2)).astype(np.float32)
        assert heard([noise], stem) == ()
