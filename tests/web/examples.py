"""Songs for the page's tests, analysed as the service does it, each in a folder of its own.

python -m tests.web.examples FOLDER

`named` has stems by names of somebody's own, `midi` came as MIDI, `frantic` has ten kicks a second and a bass
and a voice that pulse as fast, and `quiet` has a stem in which there is nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from showcase import score, synths
from showcase.__main__ import SEED, analysed
from showcase.playing import play

from analysis import read_midi
from analysis.curve_file import FILE as CURVES_FILE
from analysis.curve_file import encode
from analysis.document import document, to_json
from analysis.events import Analysis
from analysis.files import DOCUMENT_FILE
from analysis.midi import song_file
from media.samples import CHANNELS, SAMPLE_RATE, Samples

_SECONDS = 9.0
_PULSES = 10  # a second


def main(arguments: Sequence[str] | None = None) -> int:
    """Make them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.examples")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    chorus = _chorus()
    own = {"Kick.mic": chorus["drums"], "Lead Vox": chorus["vocals"], "<b>Gtr</b>": chorus["other"]}
    named = _heard(own, folder / "named", "Stems of my own")
    _written(_from_midi(named), folder / "midi", "From MIDI")
    _heard(_frantic(), folder / "frantic", "Frantic")
    silence = np.zeros((round(3 * SAMPLE_RATE), CHANNELS), np.float32)
    _heard({"vocals": silence, "accompaniment": chorus["other"]}, folder / "quiet", "Quiet")
    return 0


def _chorus() -> dict[str, Samples]:
    """Four bars of the built-in song's chorus."""
    begin = round(12 * score.BAR * SAMPLE_RATE)
    stems = play(score.compose(SEED), score.SECONDS, SEED)
    return {name: stem[begin : begin + round(_SECONDS * SAMPLE_RATE)] for name, stem in stems.items()}


def _frantic() -> dict[str, Samples]:
    stems = {
        name: np.zeros((round(6 * SAMPLE_RATE), CHANNELS), np.float32) for name in ("drums", "bass", "vocals")
    }
    kick = synths.drum("kick")
    pluck = synths.bass(45, 0.04, 1.0)
    sung = score.Sung(0, 0.04, 69, "a", tied=False)
    for pulse in range(55):
        start = round(pulse * SAMPLE_RATE / _PULSES)
        sounds = {
            "drums": kick,
            "bass": pluck,
            "vocals": synths.voice(sung, None, np.random.default_rng(pulse)),
        }
        for name, sound in sounds.items():
            part = stems[name][start : start + len(sound)]
            part += 0.3 * sound[: len(part), None]
    return stems


def _heard(stems: dict[str, Samples], folder: Path, title: str) -> Analysis:
    found = analysed(stems)
    _written(found, folder, title)
    return found


def _from_midi(analysis: Analysis) -> Analysis:
    return read_midi(song_file(analysis, None))


def _written(analysis: Analysis, folder: Path, title: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    curves = encode(analysis)
    (folder / DOCUMENT_FILE).write_bytes(to_json(document(analysis, curves, title)))
    (folder / CURVES_FILE).write_bytes(curves.to_bytes() if curves else b"")


if __name__ == "__main__":
    sys.exit(main())
