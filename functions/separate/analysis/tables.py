"""Tables for tools that read nothing else: CSV, and the `.chan` of TouchDesigner and Houdini.

They say what `curves.bin` says, a row for each frame and a column for each field of each track.
"""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.curve_file import CodedCurves, Scale
from analysis.document import seconds, share
from analysis.events import DRUM_NOTES, Analysis
from analysis.names import tracks

Codes = npt.NDArray[np.unsignedinteger[Any]]

_BLOCK = 4096  # rows made at a time


def columns(curves: CodedCurves) -> list[str]:
    """What the columns are called, such as `drums.rms`, without the time."""
    return [f"{track.name}.{field}" for track in curves.tracks for field in track.codes]


def curves_csv(curves: CodedCurves) -> Iterator[str]:
    """
    Values in their units, and nothing where there is none, under a row of names.

    The first column is the time at which the frame begins, in seconds.
    """
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow(["time", *columns(curves)])
    yield head.getvalue()
    yield from _rows(curves, ",", _in_units, with_time=True)


def chan(curves: CodedCurves) -> Iterator[str]:
    """Values from 0 for `low`, and for none, to 1 for `high`. The format has neither names nor times."""
    yield from _rows(curves, "\t", _from_0_to_1, with_time=False)


def events_csv(analysis: Analysis) -> str:
    """A row for each event, in the order of time: beats, onsets, hits, notes and stretches that sound."""
    rows: list[tuple[Any, ...]] = [
        (seconds(beat.time), "", "", "beat", f"{beat.bar}.{beat.beat}", "", "") for beat in analysis.beats
    ]
    for name, stem in tracks(analysis):
        rows += [
            (seconds(part.start), seconds(part.end - part.start), name, "active", "", "", "")
            for part in stem.active
        ]
        rows += [(seconds(one.time), "", name, "onset", "", "", share(one.strength)) for one in stem.onsets]
        rows += [
            (seconds(hit.time), "", name, "hit", hit.drum, DRUM_NOTES[hit.drum], share(hit.velocity))
            for hit in stem.hits or ()
        ]
        rows += [
            (seconds(note.time), seconds(note.duration), name, "note", "", note.pitch, share(note.velocity))
            for note in stem.notes or ()
        ]
    rows.sort(key=lambda row: row[0])
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["time", "duration", "track", "event", "what", "note", "strength"])
    table.writerows(rows)
    return text.getvalue()


def _rows(
    curves: CodedCurves, between: str, words: Callable[[Scale, Codes], list[str]], *, with_time: bool
) -> Iterator[str]:
    # A field has few values, and each is put into words once.
    written = []
    for track in curves.tracks:
        for field, codes in track.codes.items():
            values, places = np.unique(codes, return_inverse=True)
            written.append((np.array(words(curves.fields[field], values), object), places.astype(np.uint16)))
    for begin in range(0, curves.frames, _BLOCK):
        end = min(begin + _BLOCK, curves.frames)
        cells = [table[places[begin:end]].tolist() for table, places in written]
        if with_time:
            cells.insert(0, [f"{frame / curves.frame_rate:.4f}" for frame in range(begin, end)])
        yield "".join(between.join(row) + "\n" for row in zip(*cells, strict=True))


def _in_units(scale: Scale, codes: Codes) -> list[str]:
    return [
        "" if np.isnan(value) else _short(value, scale.high - scale.low, scale)
        for value in scale.values(codes)
    ]


def _from_0_to_1(scale: Scale, codes: Codes) -> list[str]:
    return [_short(value, 1, scale) for value in scale.shares(codes)]


def _short(value: float, span: float, scale: Scale) -> str:
    """With as many decimals as tell neighbours apart, of those that take `span` in so many steps."""
    decimals = max(0, int(np.ceil(-np.log10(span / (scale.most - 1)))))
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"
