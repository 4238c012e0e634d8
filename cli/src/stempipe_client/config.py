"""What can be asked of a job. The service knows the rules, and what is left out it decides."""

from dataclasses import dataclass, field
from typing import Any, Literal

ModelVariant = Literal["2stems", "4stems", "5stems"]
OutputFormat = Literal["wav", "flac", "mp3"]
SampleRate = Literal[44100, 48000]
BitDepth = Literal[16, 24, 32]
Bandwidth = Literal["11khz", "16khz"]
MaskExtension = Literal["average", "zeros"]


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
    """

    model_variant: ModelVariant | None = None
    keep: tuple[str, ...] = field(default=())
    output_format: OutputFormat | None = None
    bitrate: int | None = None
    sample_rate: SampleRate | None = None
    bit_depth: BitDepth | None = None
    bandwidth: Bandwidth | None = None
    mask_extension: MaskExtension | None = None

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
        }
        return {name: value for name, value in config.items() if value}
