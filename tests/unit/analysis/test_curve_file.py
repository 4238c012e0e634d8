import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.curve_file import CodedCurves, Scale, encode, scale_of
from analysis.events import Curves
from analysis.names import tracks
from tests.unit.analysis.by_hand import bare, song, stem

SCALES = [Scale("uint8", -72, 0, "dBFS"), Scale("uint16", 0, 128, "MIDI note number")]


def coded() -> CodedCurves:
    curves = encode(song())
    assert curves is not None
    return curves


@pytest.fixture(scope="session")
def documented(root: Path) -> Any:
    """The reader that docs/visuals.md shows."""
    (example,) = re.findall(
        r"^```python\n(def curve\(.*?)^```", (root / "docs/visuals.md").read_text(), re.M | re.S
    )
    namespace: dict[str, Any] = {}
    exec(example, namespace)
    return namespace["curve"]


@pytest.mark.parametrize("scale", SCALES)
@given(values=hnp.arrays(np.float32, 20, elements=st.floats(width=32, allow_infinity=False)))
def test_a_value_comes_back_within_half_a_step(scale: Scale, values: np.ndarray) -> None:
    back = scale.values(scale.codes(values))
    step = (scale.high - scale.low) / (scale.most - 1)
    held = np.clip(values.astype(float), scale.low, scale.high)
    assert np.array_equal(np.isnan(back), np.isnan(values))
    assert np.all(np.isnan(values) | (np.abs(back - held) <= step / 2 + 1e-9))


def test_the_reader_in_the_docs_reads_every_field_of_every_track(documented: Any) -> None:
    curves = coded()
    manifest, data = curves.manifest(), curves.to_bytes()
    assert len(data) == manifest["bytes"]
    for name, analysed in tracks(song()):
        assert analysed.curves is not None
        for field, values in analysed.curves.values.items():
            scale = scale_of(field)
            step = (scale.high - scale.low) / (scale.most - 1)
            track = manifest["mix"] if name == "mix" else manifest["stems"][name]
            for begin, end in ((0, 4), (1.5, 2.5), (3.9, 4)):
                read = documented(data, manifest, track, field, begin, end)
                part = values[round(begin * 30) : round(end * 30)]
                assert np.allclose(read, part, atol=step / 2 + 1e-6, equal_nan=True)


def test_a_stretch_of_time_is_one_range_of_bytes(documented: Any) -> None:
    manifest, data = coded().manifest(), coded().to_bytes()
    track = manifest["stems"]["bass"]
    begin, end = (track["offset"] + frame * track["stride"] for frame in (60, 75))
    blanked = bytes(begin) + data[begin:end] + bytes(len(data) - end)
    for field in track["at"]:
        whole, part = (documented(file, manifest, track, field, 2, 2.5) for file in (data, blanked))
        assert np.array_equal(whole, part)
        assert len(whole) == 15


def test_wide_fields_lie_where_their_width_divides_their_place() -> None:
    frame = np.zeros(1, np.float32)
    odd = stem(curves=Curves(30, {"rms": frame, "pitch": frame}))  # three bytes a frame
    curves = encode(bare(bass=odd, vocals=odd))
    assert curves is not None
    manifest = curves.manifest()
    assert curves.to_bytes() == bytes([1, 0, 255, 0] * 2)
    for track in manifest["stems"].values():
        for field, place in track["at"].items():
            if manifest["fields"][field]["type"] == "uint16":
                assert track["offset"] % 2 == track["stride"] % 2 == place % 2 == 0


def test_a_stem_called_mix_is_a_stem() -> None:
    curves = Curves(30, {"rms": np.zeros(3, np.float32)})
    manifest = encode(bare(mix=stem(curves=curves)))
    assert manifest is not None
    assert manifest.manifest()["mix"] is None
    assert list(manifest.manifest()["stems"]) == ["mix"]


def test_what_is_shorter_has_no_values_at_its_end() -> None:
    long, short = (Curves(30, {"rms": np.zeros(frames, np.float32)}) for frames in (5, 3))
    curves = encode(bare(long=stem(curves=long), short=stem(curves=short)))
    assert curves is not None
    assert curves.frames == 5
    assert curves.tracks[1].codes["rms"].tolist() == [255, 255, 255, 0, 0]


def test_no_curves_are_no_file() -> None:
    assert encode(bare(other=stem())) is None


def test_several_frame_rates_are_refused() -> None:
    rates = {f"at {rate}": stem(curves=Curves(rate, {"rms": np.zeros(3, np.float32)})) for rate in (30, 60)}
    with pytest.raises(ValueError, match="30, 60"):
        encode(replace(bare(), stems=rates))


def test_a_field_without_a_scale_is_refused() -> None:
    with pytest.raises(KeyError):
        encode(bare(other=stem(curves=Curves(30, {"colour": np.zeros(3, np.float32)}))))
