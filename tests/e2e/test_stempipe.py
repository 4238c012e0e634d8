"""The command ``stempipe`` and the Python client, on the deployed template, as a musician uses them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from local.__main__ import access
from local.cloud import Deployment
from stempipe_client import Client, Config, Pace, Status
from stempipe_client.command.settings import announced

Start = Callable[..., "subprocess.Popen[str]"]
RATE = 44100


@pytest.fixture
def stempipe(
    cloud: Deployment, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Starts the command with arguments: nothing tells it of the cloud but that this runs here."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home/config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home/state"))
    monkeypatch.setenv("PYTHONPATH", f"{root}/cli/src:{root}/functions/separate")

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "stempipe_client", *map(str, arguments)]
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            env=os.environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    with announced(access(cloud)):
        yield start


def chord(path: Path, pitch: float, seconds: float = 1.0) -> None:
    """A short song."""
    time = np.arange(int(seconds * RATE)) / RATE
    samples = sum(np.sin(2 * np.pi * pitch * ratio * time) for ratio in (1, 1.25, 1.5)) * 8000
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.stack([samples, samples], axis=1).astype("<i2").tobytes())


def test_twenty_files_at_once_of_which_one_is_broken(
    stempipe: Start, tmp_path: Path, decode: Callable[[Path], Any]
) -> None:
    for number in range(19):
        chord(tmp_path / f"album/cd{number % 2}/track{number:02}.wav", 110 + 20 * number)
    (tmp_path / "album/broken.mp3").write_bytes(b"no sound" * 1000)

    process = stempipe("separate", "album", "--out", "stems", "--json")
    output, errors = process.communicate(timeout=240)

    assert process.returncode == 1, errors
    events = [json.loads(line) for line in output.splitlines()]
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert (failed["song"], failed["error"]["code"]) == ("album/broken.mp3", "unsupported_media")
    done = [event for event in events if event["event"] == "done"]
    assert len(done) == 19
    made = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "stems").rglob("*.*"))
    assert made == sorted(path for event in done for path in event["files"].values())
    assert len(made) == 2 * 19
    assert decode(tmp_path / "stems/cd1/track07 - vocals.wav").shape == (2, RATE)
    assert "19 of 20 done" in errors


def test_a_command_that_was_killed_goes_on_with_its_job_the_next_time(
    stempipe: Start, cloud: Deployment, long_song: Path, tmp_path: Path
) -> None:
    song = tmp_path / "interrupted.wav"
    shutil.copy(long_song, song)
    first = stempipe("separate", song, "--json")
    assert first.stdout
    for line in first.stdout:
        if json.loads(line).get("stage") == "separating":
            break
    first.kill()
    first.communicate()

    second = stempipe("separate", song)
    output, errors = second.communicate(timeout=120)
    assert second.returncode == 0, errors
    assert "sending" not in output
    assert (tmp_path / "stems/interrupted - vocals.wav").stat().st_size > 30_000_000
    with Client(cloud.api_url, cloud.token()) as client:
        jobs = [job for job in client.jobs() if job.source.filename == song.name]
    assert [(job.status, job.attempt) for job in jobs] == [(Status.COMPLETED, 1)]


def test_the_client_hears_of_a_job_over_websocket_alone(
    cloud: Deployment, song: Path, tmp_path: Path
) -> None:
    never = Pace(poll=600)
    with Client(cloud.api_url, cloud.token(), cloud.live_url, pace=never) as client:
        *steps, done = client.separate(song, tmp_path, Config(output_format="flac", keep=("vocals",)))
    assert [path.name for path in done.files.values()] == ["audio_example - vocals.flac"]
    assert {step.phase for step in steps} == {"sending", "working", "saving"}
    assert Status.PROCESSING in {step.job.status for step in steps}


def test_a_job_is_cancelled(cloud: Deployment, long_song: Path) -> None:
    with Client(cloud.api_url, cloud.token(), cloud.live_url) as client:
        created = client.create(long_song)
        assert client.cancel(created.job.id).status is Status.CANCELLED
        assert client.job(created.job.id).status is Status.CANCELLED
        client.delete(created.job.id)


def test_a_song_is_separated_on_this_machine_with_no_cloud(
    root: Path, song: Path, tmp_path: Path, decode: Callable[[Path], Any]
) -> None:
    environment = os.environ | {"PYTHONPATH": f"{root}/cli/src:{root}/functions/separate"}
    command = [sys.executable, "-m", "stempipe_client", "local", str(song), "--format", "flac"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    stems = [decode(tmp_path / f"stems/{song.stem} - {stem}.flac") for stem in ("vocals", "accompaniment")]
    mix = decode(song)
    assert stems[0].shape == mix.shape
    together = sum(stems)
    assert np.corrcoef(together.ravel(), mix.ravel())[0, 1] > 0.9999
    assert sorted(path.name for path in (tmp_path / "stems").iterdir()) == [
        f"{song.stem} - accompaniment.flac",
        f"{song.stem} - vocals.flac",
    ]


def test_stems_and_midi_are_analysed_side_by_side(stempipe: Start, tmp_path: Path) -> None:
    chord(tmp_path / "in/song - bass.wav", 55, seconds=2)
    chord(tmp_path / "in/song - piano.wav", 220, seconds=3)
    notes = [mido.Message("note_on", note=note, time=480 if note > 60 else 0) for note in (60, 64, 67)]
    mido.MidiFile(tracks=[mido.MidiTrack(notes)]).save(tmp_path / "tune.mid")
    process = stempipe("analyse", "in", "tune.mid", "--fps", "25", "--transpose", "12", "--no-notes")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    song = json.loads((tmp_path / "analysis/song - analysis.json").read_text())
    assert song["stems"].keys() == {"bass", "piano"}
    assert song["duration"] == pytest.approx(3, abs=0.01)
    assert song["curves"]["fps"] == 25
    tune = json.loads((tmp_path / "analysis/tune - analysis.json").read_text())
    (stem,) = tune["stems"].values()
    assert [note["p"] for note in stem["notes"]] == [72, 76, 79]
    assert (tmp_path / "analysis/tune/curves.bin").stat().st_size > 0
