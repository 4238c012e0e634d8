"""What is found in songs of which everything is known, in tables of Markdown."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, get_args

from analysis.events import Analysis
from separation import Engine
from tests.quality.analysis import PLANS, Plan, Scores, Way, heard, played, scores
from tests.songs.files import soundfont
from training import packages, sources

WAYS: tuple[Way, ...] = get_args(Way)


class Row(NamedTuple):
    """What is aimed at, of true parts and of separated ones, and what others have published."""

    goal: str = ""
    published: str = ""


# Published figures are of other music, mostly recordings: what is usual. docs/quality.md has the sources.
ROWS: Mapping[str, Row] = {
    "drum onsets": Row("0.98 / 0.95"),
    "beats": Row("0.98 / 0.98", "0.81 [1]"),
    "beats, median error": Row("< 5 ms"),
    "downbeats": Row("0.95 / 0.95", "0.54 [1]"),
    "tempo, largest error": Row("< 0.5 %"),
    "kick": Row("0.95 / 0.90", "all drums 0.60 - 0.75 [2]"),
    "snare": Row("0.90 / 0.88"),
    "hi-hat": Row("0.90 / 0.85"),
    "open hat": Row(),
    "tom": Row(),
    "crash": Row(),
    "bass notes, 50 ms": Row("0.85 / 0.75"),
    "bass notes, 100 ms": Row(),
    "lead notes, 50 ms": Row("0.85 / 0.70", "0.76 - 0.83 [3]"),
    "lead notes, 100 ms": Row(),
    "piano notes, 50 ms": Row("0.85 / 0.65"),
    "piano notes, 100 ms": Row(),
    "accompaniment notes, 50 ms": Row(),
    "accompaniment notes, 100 ms": Row(),
    "key, mean score": Row("0.8 / 0.8"),
}
_BY_SONG = (
    "beats",
    "downbeats",
    "drum onsets",
    "kick",
    "snare",
    "hi-hat",
    "bass notes, 50 ms",
    "lead notes, 50 ms",
    "piano notes, 50 ms",
    "key, mean score",
)


def print_tables(engine: Engine) -> None:
    """For each soundfont that is here a row for each measure; then one for each song and way."""
    songs = []
    for name, path in _soundfonts().items():
        sums: defaultdict[Way, Scores] = defaultdict(Scores)
        for plan in PLANS:
            song = played(plan, path)
            for way in WAYS:
                with TemporaryDirectory() as folder:
                    found = heard(song, way, engine, Path(folder))
                score = scores(song.truth, found)
                sums[way].add(score)
                if way != "2stems":
                    songs.append(_song_row(name, plan, way, found, score))
        print(f"\n| {name} | {' | '.join(WAYS)} | goal | published |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for measure, row in ROWS.items():
            figures = (_figure(sums[way].values.get(measure), measure) for way in WAYS)
            print(f"| {measure} | {' | '.join(figures)} | {row.goal} | {row.published} |", flush=True)
    print(f"\n| song | tempo | meter | {' | '.join(name.partition(', ')[0] for name in _BY_SONG)} |")
    print(f"| --- | ---: | ---: |{' ---: |' * len(_BY_SONG)}")
    print("\n".join(songs))


def _soundfonts() -> Mapping[str, Path]:
    """TimGM6mb; and the one that drums were learned from, if `make train-drums` has fetched it."""
    fonts = {"TimGM6mb": soundfont()}
    if packages.is_here(packages.FLUID):
        fonts["FluidR3Mono"] = sources.fluid()
    else:
        print("\nFluidR3Mono: LEFT OUT. It is not here; `make train-drums` fetches it.")
    return fonts


def _song_row(name: str, plan: Plan, way: Way, found: Analysis, score: Scores) -> str:
    tempo = f"{found.tempo.bpm:.2f}" if found.tempo else "none"
    figures = (_figure(score.values.get(measure), measure) for measure in _BY_SONG)
    title = f"{name}, {plan.bpm:g} in {plan.meter}, kit {plan.kit}, {way}"
    return f"| {title} | {tempo} | {found.meter} | {' | '.join(figures)} |"


def _figure(value: float | None, measure: str) -> str:
    if value is None:
        return ""
    unit = {"beats, median error": " ms", "tempo, largest error": " %"}.get(measure, "")
    return f"{value:.1f}{unit}" if unit == " ms" else f"{value:.2f}{unit}"
