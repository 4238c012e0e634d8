"""Drum kits: what each drum sounds like, out of soundfonts, Hydrogen's kits and folders of one-shots."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree  # of packages known by their sha256

import av
import numpy as np
import numpy.typing as npt
import tinysoundfont

from analysis.events import Drum
from media.samples import SAMPLE_RATE

Sound = npt.NDArray[np.float32]  # one channel, SAMPLE_RATE

LONGEST = int(2.5 * SAMPLE_RATE)
LAYERS = (40, 75, 100, 127)  # velocities that a soundfont's notes are rendered at

# Notes of General MIDI's percussion map; clap and side stick count as a snare, whose part they play.
NOTES: Mapping[Drum, Sequence[int]] = {
    "kick": (36, 35),
    "snare": (38, 40, 39, 37),
    "closed_hat": (42, 44),
    "open_hat": (46,),
    "tom": (45, 41, 43, 47, 48, 50),
    "crash": (49, 57),
    "ride": (51, 59),
}


@dataclass(frozen=True)
class Layer:
    """The sound of a hit of some velocity, 0 to 1."""

    sound: Sound
    velocity: float


@dataclass(frozen=True)
class Kit:
    """For each drum that it has: one or more of that drum, each with layers from soft to hard."""

    name: str
    drums: Mapping[Drum, Sequence[Sequence[Layer]]]


def from_soundfont(path: Path, presets: Sequence[int], bank: int = 128) -> list[Kit]:
    """The kits of a soundfont's presets."""
    synth = tinysoundfont.Synth(samplerate=SAMPLE_RATE)
    number = synth.sfload(str(path))
    kits = []
    for preset in presets:
        synth.program_select(9, number, bank, preset, bank == 128)
        drums = {}
        for drum, notes in NOTES.items():
            variants = [_rendered(synth, note) for note in notes]
            drums[drum] = [layers for layers in variants if layers]
        kits.append(Kit(f"{path.stem} {preset}", {drum: found for drum, found in drums.items() if found}))
    return kits


def from_hydrogen(folder: Path) -> Kit:
    """A kit of Hydrogen's."""
    drums: dict[Drum, list[list[Layer]]] = {}
    root = ElementTree.parse(folder / "drumkit.xml").getroot()  # noqa: S314
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    for instrument in root.iter("instrument"):
        drum = drum_of(instrument.findtext("name") or "")
        if drum is None:
            continue
        volume = float(instrument.findtext("volume") or 1)
        layers = []
        for element in list(instrument.iter("layer")) or [instrument]:
            name = element.findtext("filename")
            if name and (folder / name).exists():
                top = float(element.findtext("max") or 1)
                gain = volume * float(element.findtext("gain") or 1)
                sound = trimmed(read(folder / name) * np.float32(gain))
                if sound is not None:
                    layers.append(Layer(sound, max(top, 0.1)))
        if layers:
            drums.setdefault(drum, []).append(sorted(layers, key=lambda layer: layer.velocity))
    return Kit(folder.name, drums)


def from_files(name: str, files: Mapping[Drum, Sequence[Path]]) -> Kit:
    """A kit of one-shots, all as hard as can be."""
    drums: dict[Drum, list[list[Layer]]] = {}
    for drum, paths in files.items():
        for path in paths:
            sound = trimmed(read(path))
            if sound is None:
                raise ValueError(f"{path} is silent")
            drums.setdefault(drum, []).append([Layer(sound, 1.0)])
    return Kit(name, drums)


_NAMES: Sequence[tuple[str, Drum | None]] = (
    # The first that fits decides. What is none of the drums, or is a roll or an effect, is left out.
    (r"roll|flam|choke|cowbell|clap|stick|rim|splash|chin|tamb|shak|conga|bongo|perc|fx|voc", None),
    (r"crash", "crash"),
    (r"ride|\bbell", "ride"),
    (r"(open|half|semi).*(h\b|hat|hh)|(hh?|hat).*(open|half|semi|\boh?\b|\bop\b)|\bohh", "open_hat"),
    (r"hat|\bhh|hh\b|hihat|pedal", "closed_hat"),
    (r"kick|bass ?drum|\bbd|\bbass\b", "kick"),
    (r"snare|\bsd|\bsn", "snare"),
    (r"tom", "tom"),
)


def drum_of(name: str) -> Drum | None:
    """Which drum an instrument of that name is."""
    for pattern, drum in _NAMES:
        if re.search(pattern, name.lower().replace("_", " ")):
            return drum
    return None


def read(path: Path) -> Sound:
    """A file of sound as one channel."""
    with av.open(path) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)


def trimmed(sound: Sound) -> Sound | None:
    """From a millisecond before it reaches a twentieth of its peak, faded out in the end; None of silence."""
    peak = np.abs(sound).max(initial=0)
    if peak < 1e-4:
        return None
    start = max(0, int(np.argmax(np.abs(sound) > peak / 20)) - SAMPLE_RATE // 1000)
    sound = sound[start : start + LONGEST].copy()
    last = int(np.flatnonzero(np.abs(sound) > peak / 3000)[-1]) + 1
    sound = sound[: max(last, 256)]
    fade = min(len(sound) // 4, 1024)
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound


def _rendered(synth: tinysoundfont.Synth, note: int) -> list[Layer]:
    layers = []
    for velocity in LAYERS:
        synth.sounds_off()
        synth.generate(64)
        synth.noteon(9, note, velocity)
        stereo = np.frombuffer(synth.generate(LONGEST), np.float32).reshape(-1, 2)
        sound = trimmed(stereo.mean(axis=1))
        if sound is not None:
            layers.append(Layer(sound, velocity / 127))
    return layers
