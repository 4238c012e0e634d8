"""Night Bus: what is played, and when. 104 beats a minute, A minor, 24 bars.

Four bars of keys; a verse of eight; a chorus of eight; four bars in which it goes. The notes in this file are
dedicated to the public domain (CC0 1.0), as is all that is made of them.
"""

from typing import Literal, NamedTuple

import numpy as np

TITLE = "Night Bus"
BPM = 104
BEAT = 60 / BPM
STEP = BEAT / 4  # a sixteenth
BAR = 4 * BEAT
BARS = 24
SECONDS = BARS * BAR + 1.6  # what rings on

Section = Literal["intro", "verse", "chorus", "outro"]
Sound = Literal["kick", "snare", "clap", "hat", "open hat", "crash"]
Vowel = Literal["a", "e", "i", "o", "u"]

_CHORDS = (  # Am7, Fmaj7, Cadd9, G6: two each a bar
    (57, 60, 64, 67),
    (53, 57, 60, 64),
    (55, 60, 62, 64),
    (55, 59, 62, 64),
)
_ROOTS = (33, 29, 36, 31)
_AT_HOME = (2, 22, 23)  # bars that stay on the first chord, so that the key is A minor and not C major

# Two bars each: the sixteenth it begins at, how many it lasts, the pitch, the vowel.
_Line = tuple[tuple[int, int, int, Vowel], ...]
_ASK: _Line = (
    (4, 2, 64, "u"), (6, 2, 67, "a"), (8, 5, 69, "a"), (13, 3, 67, "e"),
    (16, 3, 69, "i"), (19, 4, 72, "a"), (24, 7, 69, "o"),
)  # fmt: skip
_ANSWER: _Line = (
    (2, 2, 67, "e"), (4, 2, 67, "e"), (6, 2, 69, "a"), (8, 4, 67, "o"), (12, 4, 64, "u"),
    (16, 3, 62, "o"), (19, 3, 64, "a"), (22, 8, 62, "a"),
)  # fmt: skip
_CLOSE: _Line = (
    (0, 4, 67, "a"), (4, 4, 64, "e"), (8, 3, 67, "i"), (11, 10, 69, "a"),
)  # fmt: skip
_CALL: _Line = (
    (0, 6, 76, "a"), (6, 2, 74, "e"), (8, 4, 72, "o"), (12, 4, 69, "o"),
    (16, 6, 72, "a"), (22, 2, 74, "i"), (24, 7, 72, "a"),
)  # fmt: skip
_RISE: _Line = (
    (0, 6, 76, "a"), (6, 2, 74, "e"), (8, 4, 72, "o"), (12, 4, 74, "a"),
    (16, 6, 74, "i"), (22, 2, 71, "e"), (24, 7, 67, "u"),
)  # fmt: skip
_HOME: _Line = (
    (0, 4, 76, "a"), (4, 4, 74, "a"), (8, 6, 72, "o"), (14, 2, 71, "e"), (16, 14, 69, "a"),
)  # fmt: skip
_MELODY = {4: _ASK, 6: _ANSWER, 8: _ASK, 10: _CLOSE, 12: _CALL, 14: _RISE, 16: _CALL, 18: _HOME, 20: _CLOSE}


class Hit(NamedTuple):
    """A drum is hit: when, in seconds, and how hard, 0 to 1."""

    time: float
    sound: Sound
    velocity: float


class Note(NamedTuple):
    """A note: when and how long, in seconds, its pitch as MIDI has it, and how hard, 0 to 1."""

    time: float
    seconds: float
    pitch: int
    velocity: float


class Sung(NamedTuple):
    """A sung note, and whether it follows on from the one before without a breath."""

    time: float
    seconds: float
    pitch: int
    vowel: Vowel
    tied: bool


class Score(NamedTuple):
    """All parts, each in the order of time."""

    drums: tuple[Hit, ...]
    bass: tuple[Note, ...]
    keys: tuple[Note, ...]
    pad: tuple[Note, ...]
    voice: tuple[Sung, ...]


def section(bar: int) -> Section:
    """Where in the song a bar is, the first being 0."""
    if bar < 4:
        return "intro"
    if bar < 12:
        return "verse"
    return "chorus" if bar < 20 else "outro"


def _chord(bar: int) -> int:
    return 0 if bar in _AT_HOME else bar % 4


def compose(seed: int) -> Score:
    """Write it down; the seed says how hard each note is struck."""
    random = np.random.default_rng(seed)
    return Score(_drums(random), _bass(random), _keys(random), _pad(), _voice())


def _drums(random: np.random.Generator) -> tuple[Hit, ...]:
    hits: list[Hit] = []
    for bar in range(BARS):
        for step in range(16):
            for sound, velocity in _struck(bar, step):
                hits.append(
                    Hit(
                        bar * BAR + step * STEP,
                        sound,
                        float(np.clip(velocity + random.normal(0, 0.03), 0.1, 1)),
                    )
                )
    hits.append(Hit(BARS * BAR, "kick", 0.8))
    return tuple(hits)


def _struck(bar: int, step: int) -> list[tuple[Sound, float]]:
    """What is hit at a sixteenth of a bar."""
    part = section(bar)
    fill = bar in (11, 19) and step >= 12
    struck: list[tuple[Sound, float]] = []
    kicks = {
        "intro": (0, 10) if bar == 3 else (0,),
        "verse": (0, 7, 10) if bar % 2 else (0, 10),
        "chorus": (0, 4, 8, 12),
        "outro": (0, 10) if bar < 22 else (0,),
    }[part]
    if step in kicks:
        struck.append(("kick", 0.95))
    if part in ("verse", "chorus") or (part == "outro" and bar < 22):
        if step in (4, 12):
            struck.append(("snare", 0.9))
            if part == "chorus":
                struck.append(("clap", 0.6))
        elif fill:
            struck.append(("snare", 0.45 + 0.12 * (step - 12)))
        elif step == 15 and bar % 4 == 3:
            struck.append(("snare", 0.45))
    if part == "chorus":
        if step % 4 == 2:
            struck.append(("open hat", 0.55))
        elif step % 2 == 0 or step % 8 in (3, 7):
            struck.append(("hat", 0.55 if step % 4 == 0 else 0.35))
    elif part == "verse" or (part == "outro" and bar < 22):
        if step % 2 == 0:
            struck.append(("hat", 0.6 if step % 4 == 2 else 0.38))
    elif part == "intro" and step % 4 == 2:
        struck.append(("hat", 0.5))
    if step == 0 and bar in (12, 16, 20):
        struck.append(("crash", 0.7))
    return struck


def _bass(random: np.random.Generator) -> tuple[Note, ...]:
    notes: list[Note] = []
    for bar in range(3, BARS):
        root = _ROOTS[_chord(bar)]
        part = section(bar)
        if part == "intro":
            pattern = [(12, 2, 7), (14, 2, 10)]
        elif part == "chorus":
            pattern = [(0, 3, 0), (3, 2, 0), (6, 2, 12), (8, 3, 0), (11, 2, 12), (14, 2, 7)]
        elif part == "verse":
            pattern = [(0, 3, 0), (3, 3, 0), (8, 3, 0), (11, 2, 12), (14, 2, 7)]
        else:
            pattern = [(0, 10, 0)] if bar < 23 else [(0, 15, 0)]
        for step, length, up in pattern:
            strength = 0.95 if step % 8 == 0 else 0.75
            notes.append(
                Note(
                    bar * BAR + step * STEP,
                    0.92 * length * STEP,
                    root + up,
                    float(np.clip(strength + random.normal(0, 0.04), 0.3, 1)),
                )
            )
    notes.append(Note(BARS * BAR, 1.2, _ROOTS[0], 0.8))
    return tuple(notes)


def _keys(random: np.random.Generator) -> tuple[Note, ...]:
    notes: list[Note] = []
    for bar in range(BARS):
        rhythm = [(0, 15)] if section(bar) == "outro" and bar >= 22 else [(0, 5.5), (6, 5.5), (12, 3.6)]
        for step, length in rhythm:
            for place, pitch in enumerate(_CHORDS[_chord(bar)]):
                roll = 0.012 * place  # a hand is not a machine
                notes.append(
                    Note(
                        bar * BAR + step * STEP + roll,
                        length * STEP - roll,
                        pitch,
                        float(np.clip(0.62 + 0.1 * (step == 0) + random.normal(0, 0.05), 0.2, 1)),
                    )
                )
    notes.extend(Note(BARS * BAR + 0.03 * place, 1.3, pitch, 0.55) for place, pitch in enumerate(_CHORDS[0]))
    return tuple(notes)


def _pad() -> tuple[Note, ...]:
    return tuple(
        Note(bar * BAR, BAR, pitch + 12, 0.5) for bar in range(12, 20) for pitch in _CHORDS[_chord(bar)][1:]
    )


def _voice() -> tuple[Sung, ...]:
    sung: list[Sung] = []
    for bar, line in _MELODY.items():
        for step, length, pitch, vowel in line:
            time = bar * BAR + step * STEP
            tied = bool(sung) and time - (sung[-1].time + sung[-1].seconds) < 0.06
            sung.append(Sung(time, length * STEP - 0.03, pitch, vowel, tied))
    return tuple(sung)
