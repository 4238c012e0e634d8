"""What can be asked of a job. The service knows the rules, and what is left out it decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ModelVariant = Literal["2stems", "4stems", "5stems"]
OutputFormat = Literal["wav", "flac", "mp3"]
SampleRate = Literal[44100, 48000]
BitDepth = Literal[16, 24, 32]
Bandwidth = Literal["11khz", "16khz"]
MaskExtension = Literal["average", "zeros"]
FramesPerSecond = Literal[24, 25, 30, 50, 60]
Grid = Literal[4, 8, 12, 16, 24, 32]


@dataclass(frozen=True)
class AnalysisConfig:
    """What is to be found in the stems.

    Attributes
    ----------
    notes
        Whether notes and sung pitch are, which takes most of the time.
    fps
        Frames a second of the curves.
    """

    notes: bool = True
    fps: FramesPerSecond = 60

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        return {"notes": self.notes, "fps": self.fps}


@dataclass(frozen=True)
class MidiConfig:
    """How MIDI is read; None is the service's default.

    Attributes
    ----------
    roles
        The stem that a part of the file goes to, where the guess is wrong: by its track's number from 1, by
        track and channel (`1:10`), or by the track's name. `drums` has hits, `ignore` is not heard.
    split_channels
        Whether each channel of a track is a part by itself.
    tempo
        Quarter notes a minute throughout, in place of the file's own.
    offset
        Seconds by which everything is later.
    transpose
        Semitones by which notes are higher; drums are not.
    quantise
        Starts are moved to the grid of this part of a whole note.
    velocity_curve
        Velocities from 0 to 1 are raised to this power.
    shortest
        In seconds; shorter notes are made as long.
    sustain
        Whether the pedal holds notes.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    split_channels: bool | None = None
    tempo: float | None = None
    offset: float | None = None
    transpose: int | None = None
    quantise: Grid | None = None
    velocity_curve: float | None = None
    shortest: float | None = None
    sustain: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        options = {
            "roles": dict(self.roles) or None,
            "splitChannels": self.split_channels,
            "tempo": self.tempo,
            "offset": self.offset,
            "transpose": self.transpose,
            "quantise": self.quantise,
            "velocityCurve": self.velocity_curve,
            "shortest": self.shortest,
            "sustain": self.sustain,
        }
        return {name: value for name, value in options.items() if value is not None}


@dataclass(frozen=True)
class Config:
    """A job's configuration; None is the service's default.

    Attributes
    ----------
    model_variant
        How many stems: 2stems are vocals and accompaniment; 4stems vocals, drums, bass and other; 5stems a
        piano besides.
    keep
        Names of the stems to keep; all if there are none.
    output_format
    bitrate
        In kbit/s, for mp3 only.
    sample_rate
        In Hz.
    bit_depth
        Bits of a sample: of wav 16, 24, or 32 in float; of flac 16 or 24.
    bandwidth
        Up to where the model listens.
    mask_extension
        What happens above that: average shares the sound out, zeros mutes it.
    analysis
        What is to be found in the stems; None: nothing.
    player
        Whether to make what a page needs to play and draw each stem from any moment on; see `Client.files`.
    midi
        How to read MIDI, where that is what comes in.
    """

    model_variant: ModelVariant | None = None
    keep: tuple[str, ...] = field(default=())
    output_format: OutputFormat | None = None
    bitrate: int | None = None
    sample_rate: SampleRate | None = None
    bit_depth: BitDepth | None = None
    bandwidth: Bandwidth | None = None
    mask_extension: MaskExtension | None = None
    analysis: AnalysisConfig | None = None
    player: bool = False
    midi: MidiConfig | None = None

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        quality = {
            "outputFormat": self.output_format,
            "bitrate": self.bitrate,
            "sampleRate": self.sample_rate,
            "bitDepth": self.bit_depth,
        }
        config = {
            "modelVariant": self.model_variant,
            "stems": dict.fromkeys(self.keep, True),
            "quality": {name: value for name, value in quality.items() if value is not None},
            "bandwidth": self.bandwidth,
            "maskExtension": self.mask_extension,
            "analysis": self.analysis and self.analysis.to_json(),
            "player": self.player,
            "midi": self.midi and self.midi.to_json(),
        }
        return {name: value for name, value in config.items() if value}
