"""The songs of the schedules."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt

from local import demo
from local.server import ROOT
from tests.faults.plan import BAD, GOOD


def make(folder: Path) -> dict[str, Path]:
    """Every song, good and bad, by name."""
    _write(folder / "short.wav", seconds=1.5, rate=44100, channels=2)
    _write(folder / "mono.wav", seconds=3, rate=22050, channels=1)
    _write(folder / "long.wav", seconds=49, rate=44100, channels=2)  # its stems are uploaded in parts
    shutil.copy(demo.example_song(ROOT / ".local"), folder / "example.mp3")
    _compose(folder / "bar.mid")
    (folder / "notes.mp3").write_text("These are no sounds.\n" * 100)
    (folder / "empty.wav").touch()
    return {name: folder / name for name in (*GOOD, *BAD)}


def _compose(path: Path) -> None:
    """A bar of bass, in half a second a quarter."""
    song, bass = mido.MidiFile(type=1), mido.MidiTrack()
    song.tracks.append(bass)
    bass.append(mido.MetaMessage("track_name", name="Bass"))
    for pitch in (40, 43, 45, 40):
        bass.append(mido.Message("note_on", note=pitch, velocity=100))
        bass.append(mido.Message("note_off", note=pitch, time=480))
    song.save(path)


def _write(path: Path, *, seconds: float, rate: int, channels: int) -> None:
    noise = np.random.default_rng(7)
    time = np.arange(int(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * pitch * time) for pitch in (110.0, 440.0, 1245.0))
    sound: npt.NDArray[np.float64] = 0.2 * tones + 0.05 * noise.standard_normal((channels, time.size))
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes((sound.T * 32767).clip(-32768, 32767).astype("<i2").tobytes())
