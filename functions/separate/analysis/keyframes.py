"""`keyframes.json`: what After Effects and Blender animate by, with nothing left to compute."""

from typing import Any

import numpy as np

from analysis.curve_file import CodedCurves
from analysis.document import seconds, share
from analysis.events import Analysis
from analysis.names import tracks

_FIELDS = ("rms", "activity", "onset", "pitch")  # what pictures follow; curves.csv has all
_BANDS = "band"


def keyframes(analysis: Analysis, curves: CodedCurves | None) -> dict[str, Any]:
    """As JSON's objects.

    `curves` has one value for each of `times`, from 0 to 1, under names such as `drums.rms`. `events` has
    pairs of seconds and strength from 0 to 1: `beats`, in which a downbeat is 1 and any other beat 0.5, and
    for each track its hits by drum, such as `drums.kick`, else its notes, `bass.notes`, and its onsets.

    Parameters
    ----------
    analysis : Analysis
    curves : CodedCurves or None
        None if there are none.
    """
    events: dict[str, list[list[float]]] = {
        "beats": [[seconds(beat.time), 1.0 if beat.beat == 1 else 0.5] for beat in analysis.beats]
    }
    for name, stem in tracks(analysis):
        events[f"{name}.onsets"] = [[seconds(one.time), share(one.strength)] for one in stem.onsets]
        for hit in stem.hits or ():
            events.setdefault(f"{name}.{hit.drum}", []).append([seconds(hit.time), share(hit.velocity)])
        if stem.notes is not None:
            events[f"{name}.notes"] = [[seconds(note.time), share(note.velocity)] for note in stem.notes]
    frames = range(curves.frames if curves else 0)
    return {
        "fps": curves and curves.frame_rate,
        "duration": seconds(analysis.duration),
        "times": [seconds(frame / curves.frame_rate) for frame in frames] if curves else [],
        "curves": {
            f"{track.name}.{field}": np.round(curves.fields[field].shares(codes), 3).tolist()
            for track in curves.tracks
            for field, codes in track.codes.items()
            if field in _FIELDS or (track.is_mix and field.startswith(_BANDS))
        }
        if curves
        else {},
        "events": events,
    }
