"""`stempipe local --analysis` and `stempipe analyse --local`, with the real analysis."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from media.errors import CorruptMediaError
from tests.cli.conftest import Run
from tests.unit.separation.engines import HalvingEngine

analysis = pytest.importorskip("analysis.analyse")

RATE = 44100


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine instead of the model's."""
    monkeypatch.setattr("separation.load_engine", lambda variant, bandwidth: HalvingEngine())
    monkeypatch.setattr("stempipe_client.command.local._install", lambda variant, console: None)


def clicks(path: Path, seconds: float = 4.0) -> None:
    """A click each half second."""
    time = np.arange(int(seconds * RATE)) / RATE % 0.5
    click = np.sin(2 * np.pi * 200 * time) * np.exp(-40 * time) * 0.5
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((click * 32767).astype("<i2").tobytes())


def midi(path: Path) -> None:
    """A bar of bass."""
    track = mido.MidiTrack(
        [mido.MetaMessage("track_name", name="Bass"), mido.Message("program_change", program=33)]
    )
    for note in (33, 35, 36, 38):
        track += [
            mido.Message("note_on", note=note, velocity=90),
            mido.Message("note_off", note=note, time=480),
        ]
    mido.MidiFile(tracks=[track]).save(path)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def events(text: str) -> list[dict[str, Any]]:
    return list(map(json.loads, text.splitlines()))


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_a_song_is_separated_and_then_analysed(stempipe: Run, tmp_path: Path) -> None:
    clicks(tmp_path / "song.wav")
    for _ in range(2):  # the second time over its own files
        done = stempipe("local", "song.wav", "--analysis", "--fps", "24", "--no-notes", "--json")
        assert done.exit_code == 0, done.stderr
        told = events(done.stdout)
        stages = [event.get("stage", event["event"]) for event in told]
        assert list(dict.fromkeys(stages)) == ["separating", "saved", "analysing", "done"]
        assert told[-1]["analysis"] == {"state": "done", "error": None}
        assert -144 <= told[-1]["residualDb"] < -100
        made = {str(Path(path).relative_to("stems")) for path in told[-1]["files"].values()}
        assert made == tree(tmp_path / "stems")
    assert made >= {"song - vocals.wav", "song - analysis.json", "song.mid", "song/curves.bin"}
    found = document(tmp_path / "stems/song - analysis.json")
    assert found["title"] == "song"
    assert found["stems"].keys() == {"vocals", "accompaniment"}
    assert len(found["stems"]["vocals"]["onsets"]) in (7, 8)
    assert found["stems"]["vocals"]["notes"] is None
    assert mido.MidiFile(tmp_path / "stems/song.mid").type == 1


def test_an_analysis_that_failed_leaves_the_stems(
    stempipe: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CorruptMediaError("It cannot be heard.")

    monkeypatch.setattr("analysis.analyse", fail)
    clicks(tmp_path / "song.wav")
    done = stempipe("local", "song.wav", "--analysis")
    assert done.exit_code == 5
    assert (
        "failed  song.wav, the analysis; its stems are saved: corrupt_media: It cannot be heard."
        in done.stdout
    )
    assert tree(tmp_path / "stems") == {"song - vocals.wav", "song - accompaniment.wav"}


def test_stems_are_analysed_here(stempipe: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    clicks(tmp_path / "in/song - bass.wav", 4.0)
    clicks(tmp_path / "in/song - Lead Vox.wav", 3.0)
    done = stempipe("analyse", "in", "--local", "--no-notes")
    assert done.exit_code == 0, done.stderr
    found = document(tmp_path / "analysis/song - analysis.json")
    assert found["stems"].keys() == {"bass", "Lead Vox"}
    assert found["duration"] == pytest.approx(4.0, abs=0.01)
    assert "notice  in: Lead Vox: " in done.stdout


def test_a_stem_that_cannot_be_read_is_named(stempipe: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    clicks(tmp_path / "in/other.wav", 1.0)
    (tmp_path / "in/bass.wav").write_bytes(b"no sound\n" * 100)
    done = stempipe("analyse", "in", "--local", "--no-notes", "--json")
    assert done.exit_code == 1
    error = events(done.stdout)[-1]["error"]
    assert error["code"] == "unsupported_media"
    assert error["message"].startswith("bass: ")
    assert tree(tmp_path / "analysis") == set()


def test_midi_is_read_here_as_it_is_asked_for(stempipe: Run, tmp_path: Path) -> None:
    midi(tmp_path / "song.mid")
    options = ["--local", "--transpose", "12", "--tempo", "60", "--role", "Bass=piano"]
    assert stempipe("analyse", "song.mid", *options).exit_code == 0
    found = document(tmp_path / "analysis/song - analysis.json")
    assert [note["p"] for note in found["stems"]["piano"]["notes"]] == [45, 47, 48, 50]
    assert [note["t"] for note in found["stems"]["piano"]["notes"]] == [0, 1, 2, 3]
    assert found["tempo"]["bpm"] == 60


@pytest.mark.parametrize(("options", "code"), [([], "not_midi"), (["--tempo", "5"], "invalid_midi_options")])
def test_midi_that_is_none_and_options_that_cannot_be_say_so(
    stempipe: Run, tmp_path: Path, options: list[str], code: str
) -> None:
    (tmp_path / "song.mid").write_bytes(b"no MIDI")
    done = stempipe("analyse", "song.mid", "--local", "--json", *options)
    assert done.exit_code == 1
    assert events(done.stdout)[-1]["error"]["code"] == code
