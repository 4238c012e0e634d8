"""What is played: random loops for training, which know no style, and named styles for evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.events import Drum

NEAREST = 0.045  # seconds between two hits of a drum


@dataclass(frozen=True)
class Stroke:
    """A hit to be played: `variant` counts the toms, kicks and so on of a kit."""

    time: float
    drum: Drum
    velocity: float
    variant: int = 0


def random_loops(seconds: float, rng: np.random.Generator) -> list[Stroke]:
    """Loops of a bar or two, drum by drum, that change a little each time round."""
    beat = 60 / rng.uniform(70, 190)
    steps_a_beat = int(rng.choice([2, 3, 4, 4, 4, 6, 8]))
    while beat / steps_a_beat < 0.06:
        steps_a_beat -= 1
    step = beat / steps_a_beat
    length = steps_a_beat * int(rng.choice([3, 4, 4, 4, 8]))
    swing = rng.uniform(0, 0.33) if rng.random() < 0.3 else 0.0
    jitter = rng.uniform(0, 0.008)
    loops = {
        drum: _loop(drum, length, steps_a_beat, rng) for drum, usual in _USUAL.items() if rng.random() < usual
    }
    hardest = {drum: rng.uniform(0.5, 1) for drum in _USUAL}
    strokes = []
    total = int(seconds / step)
    for number in range(total):
        time = number * step + (swing * step if number % 2 else 0)
        for drum, loop in loops.items():
            velocity = loop[number % length]
            if rng.random() < 0.04:
                velocity = 0 if velocity else rng.uniform(0.3, 0.9)
            if velocity:
                shaken = float(np.clip(velocity * hardest[drum] * rng.normal(1, 0.1), 0.12, 1))
                at = max(0.0, time + jitter * rng.standard_normal())
                strokes.append(
                    Stroke(
                        at, drum, shaken, int(rng.integers(6)) if drum == "tom" else int(rng.random() < 0.1)
                    )
                )
    if rng.random() < 0.5:
        strokes = _with_rolls(strokes, seconds, step, rng)
    return _playable(strokes, seconds)


_USUAL: Mapping[Drum, float] = {
    "kick": 0.93, "snare": 0.92, "closed_hat": 0.75, "open_hat": 0.4, "tom": 0.3, "crash": 0.45, "ride": 0.38,
}  # fmt: skip


def _loop(drum: Drum, length: int, steps_a_beat: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Velocities of a loop's steps, 0 for none."""
    loop = np.zeros(length)
    if drum in ("closed_hat", "ride") and rng.random() < 0.8:
        period = int(rng.choice([1, 2, 2, 3, 4]))
        loop[int(rng.integers(period)) if rng.random() < 0.3 else 0 :: period] = 1
        loop *= rng.random(length) > rng.uniform(0, 0.3)
        loop[1::2] *= rng.uniform(0.3, 1)
    elif drum in ("crash", "open_hat"):
        loop[rng.random(length) < rng.uniform(0.02, 0.15)] = 1
    else:
        loop[rng.random(length) < rng.uniform(0.04, 0.3)] = 1
        if rng.random() < 0.6:  # on the beats, or between them
            loop[int(rng.integers(2)) * steps_a_beat :: 2 * steps_a_beat] = 1
    loop *= rng.uniform(0.6, 1, size=length)
    if drum == "snare" and rng.random() < 0.35:  # ghost notes
        ghosts = (loop == 0) & (rng.random(length) < 0.25)
        loop[ghosts] = rng.uniform(0.15, 0.4, size=length)[ghosts]
    return loop


def _with_rolls(strokes: list[Stroke], seconds: float, step: float, rng: np.random.Generator) -> list[Stroke]:
    """Runs of one drum or over the toms, in place of the others that play then."""
    for _ in range(int(rng.integers(1, 4))):
        begin, spacing = rng.uniform(0, seconds), max(step, rng.uniform(0.06, 0.16))
        count = int(rng.integers(3, 13))
        drum: Drum = rng.choice(["snare", "tom", "tom", "kick", "closed_hat"])
        if rng.random() < 0.7:
            strokes = [one for one in strokes if not begin - 0.02 < one.time < begin + count * spacing]
        strokes += [
            Stroke(begin + index * spacing, drum, float(rng.uniform(0.4, 1)), 2 + index // 3)
            for index in range(count)
        ]
    return strokes


def _playable(strokes: list[Stroke], seconds: float) -> list[Stroke]:
    """In order, within the clip, none of a drum too near the one before it; a hat is open or closed."""
    kept: list[Stroke] = []
    latest: dict[str, float] = {}
    for stroke in sorted(strokes, key=lambda one: (one.time, one.drum)):
        played = "hat" if stroke.drum.endswith("hat") else stroke.drum
        if stroke.time < seconds - 0.05 and stroke.time - latest.get(played, -1) >= NEAREST:
            latest[played] = stroke.time
            kept.append(stroke)
    return kept


# ---- for evaluation -------------------------------------------------------------------------

Bar = Callable[["_Writer", int], None]


class _Writer:
    """Writes bars of sixteenths in 4/4."""

    def __init__(self, bpm: float, swing: float, jitter: float, rng: np.random.Generator) -> None:
        self.rng = rng
        self.strokes: list[Stroke] = []
        self.bar = 0
        self._step, self._swing, self._jitter = 15 / bpm, swing, jitter

    def hit(self, drum: Drum, step: float, velocity: float, variant: int = 0) -> None:
        late = self._swing * self._step if step % 4 == 2 else 0
        time = (16 * self.bar + step) * self._step + late + self._jitter * self.rng.standard_normal()
        hard = float(np.clip(velocity + 0.05 * self.rng.standard_normal(), 0.1, 1))
        self.strokes.append(Stroke(max(0.0, float(time)), drum, hard, variant))

    def hits(self, drum: Drum, steps: str, velocity: float) -> None:
        """A line of sixteen: `X` is hard, `x` as it is said, `o` soft."""
        for step, sign in enumerate(steps):
            if sign in "Xxo":
                self.hit(drum, step, velocity * {"X": 1.2, "x": 1, "o": 0.45}[sign])


def _straight(w: _Writer, bar: int) -> None:
    w.hits("kick", ("X.......X.......", "X.....x.X.......")[bar % 2], 0.8)
    w.hits("snare", "....X.......X...", 0.75)
    w.hits("closed_hat", "X.x.X.x.X.x.X.x." if bar % 4 != 3 else "X.x.X.x.X.x.X...", 0.6)
    if bar % 4 == 3:
        w.hit("open_hat", 14, 0.7)
    if bar % 8 == 0:
        w.hit("crash", 0, 0.8)


def _swing(w: _Writer, bar: int) -> None:
    w.hits("ride", "X...X.x.X...X.x.", 0.6)
    w.hits("closed_hat", "....x.......x...", 0.5)
    w.hits("kick", ("x.........o.....", "x.......o.......")[bar % 2], 0.6)
    w.hits("snare", ("......o.........", "..o.......x...o.")[bar % 2], 0.6)


def _fills(w: _Writer, bar: int) -> None:
    if bar % 2 == 0:
        _straight(w, bar)
        return
    w.hits("kick", "X.......X.......", 0.8)
    w.hits("snare", "....X...xoxo....", 0.7)
    w.hits("closed_hat", "x.x.x.x.........", 0.6)
    for index, step in enumerate(range(12, 16)):
        w.hit("tom", step, 0.75, (index // 2 + bar) % 3)


def _blast(w: _Writer, bar: int) -> None:
    w.hits("kick", "x.x.x.x.x.x.x.x." if bar % 2 else "xxxxxxxxxxxxxxxx", 0.75)
    w.hits("snare", ".x.x.x.x.x.x.x.x" if bar % 2 else "....X.......X...", 0.75)
    w.hits("closed_hat", "x.x.x.x.x.x.x.x.", 0.7)
    if bar % 4 == 0:
        w.hit("crash", 0, 0.9)


def _sparse(w: _Writer, bar: int) -> None:
    w.hits("kick", ("X...............", "X.........x.....")[bar % 2], 0.7)
    w.hits("snare", "........X.......", 0.6)
    w.hits("closed_hat", ("....x.......x...", "....x...x...x...")[bar % 2], 0.45)


def _breakbeat(w: _Writer, bar: int) -> None:
    w.hits("kick", ("X.x.......xx....", "X.x.......x.....")[bar % 2], 0.8)
    w.hits("snare", ("....X..o.o..X..o", "....X..o.o....X.")[bar % 2], 0.75)
    w.hits("closed_hat", "X.x.X.x.X.x.X.x.", 0.6)


def _electronic(w: _Writer, bar: int) -> None:
    w.hits("kick", "X...X...X...X...", 0.85)
    w.hits("snare", "....X.......X...", 0.75)
    if bar % 4 < 2:
        w.hits("open_hat", "..x...x...x...x.", 0.65)
        w.hits("closed_hat", "x..xx..xx..xx..x", 0.5)
    else:
        w.hits("closed_hat", "xoxoxoxoxoxoxoxo", 0.6)


def _cymbals(w: _Writer, bar: int) -> None:
    w.hits("ride", "X.x.X.x.X.x.X.x.", 0.65)
    w.hits("kick", "X.....x.X.......", 0.8)
    w.hits("snare", "....X.......X..o", 0.75)
    if bar % 2 == 0:
        w.hit("crash", 0, 0.8)


STYLES: Mapping[str, tuple[Bar, tuple[float, float], float]] = {
    # A bar, the range of quarters a minute, and by how much of a sixteenth offbeat eighths are late.
    "straight": (_straight, (80, 140), 0.0),
    "swing": (_swing, (100, 160), 0.66),
    "fills": (_fills, (80, 140), 0.0),
    "blast": (_blast, (90, 115), 0.0),
    "sparse": (_sparse, (60, 110), 0.0),
    "breakbeat": (_breakbeat, (85, 120), 0.2),
    "electronic": (_electronic, (100, 135), 0.0),
    "cymbals": (_cymbals, (90, 140), 0.0),
}


def styled(style: str, seconds: float, rng: np.random.Generator) -> list[Stroke]:
    """A drummer's part in one of STYLES."""
    bar, tempi, swing = STYLES[style]
    writer = _Writer(rng.uniform(*tempi), swing, 0.004, rng)
    while not writer.strokes or writer.strokes[-1].time < seconds:
        bar(writer, writer.bar)
        writer.bar += 1
    return _playable(writer.strokes, seconds)
