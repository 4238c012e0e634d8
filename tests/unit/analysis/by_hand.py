"""Analyses of songs that nobody has played, made by hand."""

from collections.abc import Iterable, Mapping

import numpy as np

from analysis.events import (
    Analysis,
    Beat,
    Curves,
    Hit,
    Key,
    Loudness,
    Note,
    Onset,
    Stem,
    Stretch,
    Tempo,
)

NAN = float("nan")


def beats(times: Iterable[float], meter: int = 4, first: int = 1) -> tuple[Beat, ...]:
    """Beats at these times, of which the first has this place in its bar."""
    begin = first - 1
    bar = 1 if first == 1 else 0
    return tuple(
        Beat(float(time), bar + (begin + number) // meter, 1 + (begin + number) % meter)
        for number, time in enumerate(times)
    )


def bare(beats: tuple[Beat, ...] = (), duration: float = 60.0, **stems: Stem) -> Analysis:
    """A song of which there are but beats and stems."""
    return named(stems, beats, duration)


def named(stems: Mapping[str, Stem], beats: tuple[Beat, ...] = (), duration: float = 60.0) -> Analysis:
    """The same, with stems of any name."""
    return Analysis(duration, 44_100, None, 4, None, beats, None, stems)


def stem(
    notes: tuple[Note, ...] | None = None, hits: tuple[Hit, ...] | None = None, curves: Curves | None = None
) -> Stem:
    """A stem of which there are but notes, hits and curves."""
    return Stem(None, (), (), curves, notes, hits)


def song() -> Analysis:
    """Four seconds of drums, bass and silent vocals, with everything that an analysis can have."""
    frames = 4 * 30
    time = np.arange(frames) / 30
    level = {"rms": (-60 + 10 * time).astype(np.float32), "onset": (time % 1).astype(np.float32)}
    pitch = {**level, "pitch": np.where(time < 2, NAN, 33.25).astype(np.float32)}
    band = {**level, "band_60": np.full(frames, -12, np.float32)}
    bass = tuple(Note(0.25 + 0.5 * number, 0.41239, 33 + number, 0.7) for number in range(7))
    hits = (
        *(Hit(0.25 + number, "kick", 0.9) for number in range(4)),
        *(Hit(0.75 + number, "snare", 0.75) for number in range(3)),
        Hit(0.25, "closed_hat", 0.3),
        Hit(3.5, "open_hat", 1.0),
    )
    hits = tuple(sorted(hits, key=lambda hit: hit.time))
    return Analysis(
        duration=4.0,
        sample_rate=44_100,
        tempo=Tempo(120.0, True, 0.93),
        meter=4,
        key=Key(9, "minor", 0.81),
        beats=beats(0.25 + 0.5 * np.arange(8)),
        mix=Stem(
            Loudness(-13.123, -0.51),
            (Stretch(0.2, 4.0),),
            (Onset(0.25, 1.0), Onset(0.75, 0.5)),
            Curves(30, band),
        ),
        stems={
            "drums": Stem(
                Loudness(-14.2, -0.9),
                (Stretch(0.2, 3.9),),
                (Onset(0.25, 1.0),),
                Curves(30, level),
                None,
                hits,
            ),
            "bass": Stem(
                Loudness(-18.0, -3.0), (Stretch(0.25, 3.7),), (Onset(0.25, 0.6),), Curves(30, pitch), bass
            ),
            "vocals": Stem(Loudness(None, None), (), (), Curves(30, level), ()),
        },
    )


def notes(analysis: Analysis, name: str = "piano") -> list[tuple[float, float, int]]:
    """Begin, end and pitch of a stem's notes."""
    found = analysis.stems[name].notes
    assert found is not None
    return [(round(one.time, 4), round(one.time + one.duration, 4), one.pitch) for one in found]


def starts(analysis: Analysis, name: str = "piano") -> list[float]:
    return [begin for begin, *_ in notes(analysis, name)]


def hits(analysis: Analysis) -> list[tuple[float, str]]:
    found = analysis.stems["drums"].hits
    assert found is not None
    return [(round(one.time, 4), one.drum) for one in found]
