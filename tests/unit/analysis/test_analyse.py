"""What is found in files of stems, put together."""

from pathlib import Path

import numpy as np
import pytest

from analysis import analyse, analyse_stems
from analysis.events import Analysis
from analysis.jams_file import jams
from analysis.notes import NoteTranscriber
from media.samples import SAMPLE_RATE, Samples
from tests.songs import Song
from tests.unit.analysis.hearing import hear, sine
from tests.unit.analysis.networks import basic_pitch
from tests.unit.media.songs import KINDS, write


def analysed(folder: Path, stems: dict[str, tuple[Samples, int]], *, notes: bool = False) -> Analysis:
    """Of stems of some rate each."""
    files = {name: folder / f"{name}.wav" for name in stems}
    for name, (samples, rate) in stems.items():
        write(files[name], samples.T, KINDS["wav"]._replace(sample_rate=rate))
    return analyse_stems(files, folder, notes=notes, frame_rate=60, max_seconds=60).analysis


def test_what_all_instruments_play_together_is_heard_as_such(song: Song, tmp_path: Path) -> None:
    together = (song.parts["bass"] + song.parts["piano"])[: 8 * SAMPLE_RATE]
    together = np.rint(together * 32_768) / np.float32(32_768)  # as a file of 16 bits has it

    found = analysed(tmp_path, {"accompaniment": (together, SAMPLE_RATE)}, notes=True)

    mixed, alone = (
        hear(NoteTranscriber(SAMPLE_RATE, role, basic_pitch()), together).finish()
        for role in ("accompaniment", "other")
    )
    notes = found.stems["accompaniment"].notes
    assert notes is not None
    assert len(notes) == len(mixed) > len(alone)


@pytest.mark.parametrize(("rates", "sample_rate"), [((48_000, 48_000), 48_000), ((44_100, 48_000), None)])
def test_the_sample_rate_is_that_of_the_stems(
    tmp_path: Path, rates: tuple[int, int], sample_rate: int | None
) -> None:
    stems = {f"stem {number}": (sine(440, 1, rate, 0.3), rate) for number, rate in enumerate(rates)}

    found = analysed(tmp_path, stems)

    assert found.sample_rate == sample_rate
    assert found.duration == pytest.approx(1, abs=0.01)


def test_what_sounds_until_the_end_is_active_until_the_end(tmp_path: Path) -> None:
    found = analysed(tmp_path, {"other": (sine(440, 1.0051, SAMPLE_RATE, 0.3), SAMPLE_RATE)})
    assert found.mix is not None
    for stem in (found.mix, found.stems["other"]):
        assert stem.active[-1].end == found.duration
    annotations = jams(found, None)["annotations"]
    (segments,) = (
        one
        for one in annotations
        if one["namespace"] == "segment_open" and one["sandbox"]["track"] == "other"
    )
    last = segments["data"][-1]
    assert round(last["time"] + last["duration"], 4) == segments["duration"]


def test_progress_leaves_time_for_what_follows_the_hearing(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    write(sound, sine(440, 2, SAMPLE_RATE, 0.3).T, KINDS["wav"])
    stems, song = list[float](), list[float]()

    analyse_stems(
        {"a": sound, "b": sound},
        tmp_path,
        notes=False,
        frame_rate=60,
        max_seconds=60,
        on_progress=stems.append,
    )
    analyse(sound, {"a": sound}, notes=False, frame_rate=60, max_seconds=60, on_progress=song.append)

    assert stems == sorted(stems)
    assert song == sorted(song)
    assert (stems[-1], song[-1]) == pytest.approx((0.93, 0.89))
    assert {0.76, 0.79, 0.82} <= {round(share, 2) for share in stems}  # heard, and each finished
