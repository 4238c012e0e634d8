"""How well hits are heard, on kits that nothing was learned from, in named styles."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import mir_eval
import numpy as np

from analysis.drums import DRUMS, Array, Model, bands_of, estimate, pick
from analysis.events import Drum, Hit
from training.kits import Kit, Sound
from training.patterns import STYLES, Stroke, styled
from training.sound import render, separated

SECONDS = 20
WINDOW = 0.05  # seconds between a hit and its report
NEARLY = 0.005  # of F, that a threshold may cost
CLASSES: Mapping[str, Sequence[Drum]] = {
    "kick": ("kick",),
    "snare": ("snare",),
    "hi-hat": ("closed_hat", "open_hat"),
    "closed hat": ("closed_hat",),
    "open hat": ("open_hat",),
    "tom": ("tom",),
    "crash": ("crash",),
    "ride": ("ride",),
}


@dataclass(frozen=True)
class Part:
    """A part that was played, true or separated from music, and what was played."""

    kit: str
    style: str
    strokes: Sequence[Stroke]
    sound: Sound


def parts(kits: Sequence[Kit], music: Sequence[Sound], seeds: Iterable[int]) -> Iterator[Part]:
    """Four styles a kit and seed; true where there is no music, else separated by masks."""
    names = sorted(STYLES)
    for seed in seeds:
        for number, kit in enumerate(kits):
            for turn in range(4):
                style = names[(number + seed + 2 * turn) % len(names)]
                rng = np.random.default_rng([seed, number, turn])
                strokes = [one for one in styled(style, SECONDS, rng) if one.drum in kit.drums]
                sound = render(kit, strokes, SECONDS)
                sound /= np.abs(sound).max()
                if music:
                    sound = separated(sound, 0.7 * music[int(rng.integers(len(music)))])
                yield Part(kit.name, style, strokes, sound)


def choose_thresholds(outputs: Sequence[tuple[Part, Array]]) -> Array:
    """Of each drum, the highest threshold whose F over all parts is as good as the best, or nearly.

    What is reported should have been played: a miss is seen less than a flash at nothing.
    """
    grid = np.arange(0.1, 0.76, 0.025, dtype=np.float32)
    scores = []
    for threshold in grid:
        found = [(part, pick(output, np.full(len(DRUMS), threshold))) for part, output in outputs]
        scores.append([f_measure(counted(found, [drum]))[0] for drum in DRUMS])
    smooth = np.apply_along_axis(np.convolve, 0, np.array(scores), np.ones(3) / 3, "same")
    good = smooth[1:-1] > smooth[1:-1].max(axis=0) - NEARLY
    return np.array([grid[1 + np.flatnonzero(column)[-1]] for column in good.T])


def heard(model: Model, played: Iterable[Part]) -> list[tuple[Part, tuple[Hit, ...]]]:
    """What the model hears in each part."""
    return [(part, pick(estimate(model, bands_of(part.sound)), model.thresholds)) for part in played]


def counted(found: Iterable[tuple[Part, Sequence[Hit]]], drums: Sequence[Drum]) -> Counter[str]:
    """How many hits of these drums were played, reported, and reported rightly."""
    counts: Counter[str] = Counter()
    for part, hits in found:
        played = np.array(sorted(stroke.time for stroke in part.strokes if stroke.drum in drums))
        reported = np.array([hit.time for hit in hits if hit.drum in drums])
        matched = (
            mir_eval.util.match_events(played, reported, WINDOW) if len(played) and len(reported) else []
        )
        counts.update(played=len(played), reported=len(reported), matched=len(matched))
    return counts


def f_measure(counts: Counter[str]) -> tuple[float, float, float]:
    """F, precision and recall."""
    precision = counts["matched"] / max(1, counts["reported"])
    recall = counts["matched"] / max(1, counts["played"])
    return 2 * precision * recall / max(1e-9, precision + recall), precision, recall


def table(found: Sequence[tuple[Part, Sequence[Hit]]]) -> str:
    """All classes in a row each; then the three that matter by kit and by style."""
    lines = [f"{'':24}    F   precision  recall  hits"]
    for name, drums in CLASSES.items():
        counts = counted(found, drums)
        lines.append(
            f"{name:24} {f_measure(counts)[0]:.3f}    {f_measure(counts)[1]:.3f}     "
            f"{f_measure(counts)[2]:.3f}  {counts['played']:5}"
        )
    for one in ("kit", "style"):
        for value in sorted({getattr(part, one) for part, _ in found}):
            some = [pair for pair in found if getattr(pair[0], one) == value]
            three = [f_measure(counted(some, CLASSES[name]))[0] for name in ("kick", "snare", "hi-hat")]
            lines.append(f"{value:24} {three[0]:.3f}  {three[1]:.3f}  {three[2]:.3f}")
    return "\n".join(lines)
