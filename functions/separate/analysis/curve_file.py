"""Curves as whole numbers: what `curves.bin` holds, and what the tables are made of.

A track's frames follow one another, and a frame's fields lie side by side in it, so that a stretch of time
is one range of bytes. The manifest in `analysis.json` says where:

    byte = track.offset + floor(seconds * fps) * track.stride + track.at[field]

A field is uint8, or uint16 with its low byte first. 0 says that there is no value, 1 is `low`, the highest
number is `high`, and it goes straight from one to the other. What is beyond them is held to them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.events import Analysis
from analysis.names import tracks

FILE = "curves.bin"


@dataclass(frozen=True)
class Scale:
    """How a field's values become whole numbers.

    Attributes
    ----------
    type : str
        `uint8` or `uint16`.
    low, high : float
        What 1 and the highest number stand for.
    unit : str
    """

    type: str
    low: float
    high: float
    unit: str

    @property
    def most(self) -> int:
        return int(np.iinfo(self.type).max)

    def codes(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.unsignedinteger[Any]]:
        """Values as whole numbers; NaN is 0."""
        places = (np.asarray(values, np.float64) - self.low) / (self.high - self.low)
        numbers = np.rint(1 + np.clip(places, 0, 1) * (self.most - 1))
        return np.where(np.isnan(places), 0, numbers).astype(np.dtype(self.type).newbyteorder("<"))

    def values(self, codes: npt.NDArray[np.unsignedinteger[Any]]) -> npt.NDArray[np.float64]:
        """What the whole numbers stand for; NaN for 0."""
        values = self.low + self.shares(codes) * (self.high - self.low)
        return np.where(codes == 0, np.nan, values)

    def shares(self, codes: npt.NDArray[np.unsignedinteger[Any]]) -> npt.NDArray[np.float64]:
        """From 0 for `low`, and for no value, to 1 for `high`."""
        return np.maximum(np.asarray(codes, np.float64) - 1, 0) / (self.most - 1)


_LEVEL = Scale("uint8", -72.0, 0.0, "dBFS")
_SHARE = Scale("uint8", 0.0, 1.0, "")
_SCALES = {
    "rms": _LEVEL,
    "peak": _LEVEL,
    "onset": _SHARE,
    "activity": _SHARE,
    "centroid": Scale("uint16", 0.0, 24_000.0, "Hz"),
    "pitch": Scale("uint16", 0.0, 128.0, "MIDI note number"),
}
_FAMILIES = {"band": _LEVEL, "chroma": _SHARE}  # of band_60 and its like


def scale_of(field: str) -> Scale:
    """The scale of a field.

    Raises
    ------
    KeyError
        If there is none for it.
    """
    family = field.partition("_")[0]
    return _FAMILIES[family] if family in _FAMILIES else _SCALES[field]


@dataclass(frozen=True)
class Track:
    """A track's curves as whole numbers.

    Attributes
    ----------
    name : str
        The stem's, or `mix`.
    is_mix : bool
    codes : dict of str to ndarray (frames,)
        By field, the wide ones first, so that each lies where its width divides its place.
    """

    name: str
    is_mix: bool
    codes: dict[str, npt.NDArray[np.unsignedinteger[Any]]]

    @property
    def record(self) -> np.dtype[np.void]:
        """What a frame of it is in the file."""
        kinds: list[tuple[str, Any]] = [(field, codes.dtype) for field, codes in self.codes.items()]
        used = sum(codes.dtype.itemsize for codes in self.codes.values())
        return np.dtype([*kinds, *([("", "u1")] if used % 2 else [])])


@dataclass(frozen=True)
class CodedCurves:
    """All curves of a song, as whole numbers.

    Attributes
    ----------
    frame_rate : int
    frames : int
        Of each track; a shorter one has no values at its end.
    tracks : tuple of Track
        Those that have curves.
    """

    frame_rate: int
    frames: int
    tracks: tuple[Track, ...]

    @property
    def fields(self) -> dict[str, Scale]:
        """The scale of each field that a track has."""
        return {field: scale_of(field) for track in self.tracks for field in track.codes}

    def manifest(self) -> dict[str, Any]:
        """Where everything is in the file: the `curves` part of `analysis.json`."""
        places: dict[str, Any] = {}
        mix = None
        offset = 0
        for track in self.tracks:
            record = track.record
            at = {field: record.fields[field][1] for field in track.codes} if record.fields else {}
            place = {"offset": offset, "stride": record.itemsize, "at": at}
            if track.is_mix:
                mix = place
            else:
                places[track.name] = place
            offset += record.itemsize * self.frames
        return {
            "file": FILE,
            "fps": self.frame_rate,
            "frames": self.frames,
            "bytes": offset,
            "scale": "0 is no value; 1 is low and the highest number is high, linear between them",
            "fields": {
                field: {"type": scale.type, "low": scale.low, "high": scale.high, "unit": scale.unit}
                for field, scale in self.fields.items()
            },
            "mix": mix,
            "stems": places,
        }

    def to_bytes(self) -> bytes:
        """The file."""
        parts = []
        for track in self.tracks:
            frames = np.zeros(self.frames, track.record)
            for field, codes in track.codes.items():
                frames[field] = codes
            parts.append(frames.tobytes())
        return b"".join(parts)


def encode(analysis: Analysis) -> CodedCurves | None:
    """The song's curves as whole numbers; None if no track has any.

    Raises
    ------
    ValueError
        If tracks have different frame rates.
    """
    having = [
        (name, stem is analysis.mix, stem.curves)
        for name, stem in tracks(analysis)
        if stem.curves is not None
    ]
    rates = {curves.frame_rate for *_, curves in having}
    if not having:
        return None
    if len(rates) > 1:
        raise ValueError(f"Curves have several frame rates: {sorted(rates)}.")
    frames = max((len(values) for *_, curves in having for values in curves.values.values()), default=0)
    coded = []
    for name, is_mix, curves in having:
        codes = {field: scale_of(field).codes(values) for field, values in curves.values.items()}
        whole = {field: np.pad(numbers, (0, frames - len(numbers))) for field, numbers in codes.items()}
        widest_first = dict(sorted(whole.items(), key=lambda item: -item[1].dtype.itemsize))
        coded.append(Track(name, is_mix, widest_first))
    return CodedCurves(rates.pop(), frames, tuple(coded))
