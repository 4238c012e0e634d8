"""`analysis.json`: all that is found in a song but its curves, and where in `curves.bin` those are.

Its fields are described in docs/analysis.schema.json.
"""

import json
from typing import Any

from analysis.curve_file import CodedCurves
from analysis.events import DRUM_NOTES, Analysis, Key, Stem, Tempo
from analysis.names import tonic_name

VERSION = 1  # of the document; goes up when a field changes its meaning or goes away


def seconds(value: float) -> float:
    """Seconds as the document has them."""
    return round(float(value), 4)


def share(value: float) -> float:
    """A strength, a velocity or a confidence as the document has it."""
    return round(float(value), 3)


def document(analysis: Analysis, curves: CodedCurves | None, title: str | None) -> dict[str, Any]:
    """The document, as JSON's objects.

    Parameters
    ----------
    analysis : Analysis
    curves : CodedCurves or None
        Those in `curves.bin`; None if there is no such file.
    title : str or None
        The song's.
    """
    tempo, key = analysis.tempo, analysis.key
    return {
        "version": VERSION,
        "title": title,
        "duration": seconds(analysis.duration),
        "sampleRate": analysis.sample_rate,
        "tempo": tempo and _tempo(tempo),
        "meter": analysis.meter,
        "quartersPerBeat": analysis.signature and analysis.signature.quarters_a_beat,
        "key": key and _key(key),
        "beats": [{"t": seconds(beat.time), "bar": beat.bar, "beat": beat.beat} for beat in analysis.beats],
        "mix": analysis.mix and _stem(analysis.mix),
        "stems": {name: _stem(stem) for name, stem in analysis.stems.items()},
        "curves": curves and curves.manifest(),
    }


def to_json(value: Any) -> bytes:
    """JSON without a space in it, in UTF-8.

    Raises
    ------
    ValueError
        If there is a number that JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="replace")


def _tempo(tempo: Tempo) -> dict[str, Any]:
    return {
        "bpm": round(float(tempo.bpm), 2),
        "stable": tempo.stable,
        "confidence": share(tempo.confidence),
    }


def _key(key: Key) -> dict[str, Any]:
    return {"tonic": tonic_name(key), "mode": key.mode, "confidence": share(key.confidence)}


def _stem(stem: Stem) -> dict[str, Any]:
    loudness = stem.loudness
    return {
        "loudness": loudness
        and {"integrated": _level(loudness.integrated), "peak": _level(loudness.true_peak)},
        "active": [[seconds(stretch.start), seconds(stretch.end)] for stretch in stem.active],
        "onsets": [{"t": seconds(onset.time), "v": share(onset.strength)} for onset in stem.onsets],
        "hits": None
        if stem.hits is None
        else [
            {"t": seconds(hit.time), "drum": hit.drum, "note": DRUM_NOTES[hit.drum], "v": share(hit.velocity)}
            for hit in stem.hits
        ],
        "notes": None
        if stem.notes is None
        else [
            {
                "t": seconds(note.time),
                "d": seconds(note.duration),
                "p": int(note.pitch),
                "v": share(note.velocity),
            }
            for note in stem.notes
        ],
    }


def _level(decibels: float | None) -> float | None:
    return None if decibels is None else round(float(decibels), 2)
