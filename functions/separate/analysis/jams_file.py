"""The song as JAMS, the JSON of music research: an annotation for each kind of event and track."""

from collections.abc import Iterable
from typing import Any

from analysis.document import seconds, share
from analysis.events import Analysis, Beat, TimeSignature
from analysis.names import tonic_name, tracks

_VERSION = "0.3.5"  # of the JAMS library whose schema this follows

Observation = tuple[float, float, Any, float | None]  # when, how long, what, how sure


def _position(beat: Beat, meter: int) -> dict[str, int]:
    """Where in its bar a beat is, counted in the notes that the bar is written in."""
    signature = beat.signature or TimeSignature(meter, 4)
    return {
        "position": 1 + (beat.beat - 1) * signature.notes_a_beat,
        "measure": beat.bar,
        "num_beats": signature.numerator,
        "beat_units": signature.denominator,
    }


def jams(analysis: Analysis, title: str | None) -> dict[str, Any]:
    """As JSON's objects. An annotation's `sandbox.track` says whose it is: the mix's, or a stem's.

    Parameters
    ----------
    analysis : Analysis
    title : str or None
        The song's.
    """
    duration = seconds(analysis.duration)

    def annotation(namespace: str, observations: Iterable[Observation], **about: str) -> dict[str, Any]:
        return {
            "namespace": namespace,
            "annotation_metadata": {"annotation_tools": "Stempipe", "data_source": "program"},
            "data": [
                {"time": seconds(time), "duration": seconds(long), "value": value, "confidence": sure}
                for time, long, value, sure in observations
            ],
            "sandbox": about,
            "time": 0.0,
            "duration": duration,
        }

    annotations = [
        annotation("beat", ((beat.time, 0, beat.beat, None) for beat in analysis.beats)),
        annotation(
            "beat_position",
            ((beat.time, 0, _position(beat, analysis.meter), None) for beat in analysis.beats),
        ),
    ]
    if (tempo := analysis.tempo) is not None:
        sure = share(tempo.confidence)
        annotations.append(annotation("tempo", [(0, duration, round(float(tempo.bpm), 2), sure)]))
    if (key := analysis.key) is not None:
        name = f"{tonic_name(key)}:{key.mode}"
        annotations.append(annotation("key_mode", [(0, duration, name, share(key.confidence))]))
    for track, stem in tracks(analysis):
        onsets = ((one.time, 0, share(one.strength), None) for one in stem.onsets)
        annotations.append(annotation("onset", onsets, track=track))
        # Of what is rounded, so that none ends after the song.
        ends = ((seconds(part.start), seconds(part.end)) for part in stem.active)
        active = ((start, end - start, "active", None) for start, end in ends)
        annotations.append(annotation("segment_open", active, track=track))
        if stem.hits is not None:
            hits = ((hit.time, 0, hit.drum, share(hit.velocity)) for hit in stem.hits)
            annotations.append(annotation("tag_open", hits, track=track))
        if stem.notes is not None:
            notes = ((note.time, note.duration, int(note.pitch), share(note.velocity)) for note in stem.notes)
            annotations.append(annotation("note_midi", notes, track=track))
    return {
        "file_metadata": {
            "title": title or "",
            "artist": "",
            "release": "",
            "duration": duration,
            "identifiers": {},
            "jams_version": _VERSION,
        },
        "annotations": annotations,
        "sandbox": {},
    }
