"""What jobs are counted, and from what they are made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mido

from stempipe_client import Config
from stempipe_client.config import AnalysisConfig
from stempipe_client.sources import Midi, Source, Stems

_EVERYTHING = AnalysisConfig()

SONGS: Mapping[str, Config] = {
    "2stems, WAV": Config(),
    "2stems, MP3": Config(output_format="mp3"),
    "2stems, FLAC": Config(output_format="flac"),
    "2stems, float WAV, 48 kHz": Config(bit_depth=32, sample_rate=48000),
    "2stems, WAV, player and analysis": Config(player=True, analysis=_EVERYTHING),
    "4stems, WAV": Config(model_variant="4stems"),
    "4stems, WAV, player and analysis": Config(model_variant="4stems", player=True, analysis=_EVERYTHING),
    "5stems, WAV": Config(model_variant="5stems"),
    "5stems, float WAV, 48 kHz": Config(model_variant="5stems", bit_depth=32, sample_rate=48000),
}
"""Of songs."""

STEMS = "two stems, player and analysis"
MIDI = "MIDI"
FIRST = next(iter(SONGS))
"""What nobody who chooses nothing gets anything else than."""
NAMED = "5stems, float WAV, 48 kHz"
"""The only one of these that costs more than 0.01 USD a minute, if it is downloaded from S3."""


def sources(song: Path, midi: Path) -> dict[str, tuple[Source, Config]]:
    """Every job that is counted; of two stems each is the song."""
    jobs: dict[str, tuple[Source, Config]] = {name: (song, config) for name, config in SONGS.items()}
    everything = Config(player=True, analysis=_EVERYTHING)
    jobs[STEMS] = Stems({"vocals": song, "accompaniment": song}, "Song"), everything
    jobs[MIDI] = Midi(midi), Config(analysis=_EVERYTHING)
    return jobs


def compose(path: Path, seconds: float) -> Path:
    """MIDI of bass in eighths and a drum on each quarter, at 120 quarter notes a minute."""
    song = mido.MidiFile(type=1)
    for name, channel, pitches, ticks in (("Bass", 0, (40, 43, 45, 40), 240), ("Drums", 9, (36, 38), 480)):
        track = mido.MidiTrack()
        song.tracks.append(track)
        track.append(mido.MetaMessage("track_name", name=name))
        for number in range(round(seconds * 960 / ticks)):
            pitch = pitches[number % len(pitches)]
            track.append(mido.Message("note_on", note=pitch, velocity=100, channel=channel))
            track.append(mido.Message("note_off", note=pitch, time=ticks, channel=channel))
    song.save(path)
    return path
