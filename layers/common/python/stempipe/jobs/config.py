"""A job's configuration: what to separate with, which stems to keep, how to write them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from stempipe.errors import InvalidConfig, explain

ModelVariant = Literal["2stems", "4stems", "5stems"]
Bandwidth = Literal["11khz", "16khz"]

STEMS: dict[ModelVariant, tuple[str, ...]] = {
    "2stems": ("vocals", "accompaniment"),
    "4stems": ("vocals", "drums", "bass", "other"),
    "5stems": ("vocals", "piano", "drums", "bass", "other"),
}
"""The stems of each model, in Spleeter's order."""

# What MPEG-1 Layer III has between 64 and 320 kbit/s, at 44.1 and at 48 kHz.
_BITRATES = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_DEFAULT_BITRATE = 192
_DEFAULT_BIT_DEPTH = 16


class _Strict(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="forbid", strict=True, frozen=True
    )


class Quality(_Strict):
    """How stems are written."""

    sample_rate: Literal[44100, 48000] = Field(44100, description="Samples a second.")
    output_format: Literal["wav", "flac", "mp3"] = "wav"
    bit_depth: Literal[16, 24, 32] | None = Field(
        None,
        description="Bits of a sample: 16 or 24 for wav and flac, 32 for wav in float; 16 if not given. Five "
        "stems in float cost whoever runs the service more than 0.01 USD a minute, if they are downloaded; "
        "so do four at 48000 with player and analysis.",
        examples=[16, 24],
        validate_default=True,
    )
    bitrate: int | None = Field(
        None,
        description="kbit/s, for mp3 only; 192 if not given.",
        examples=[192, 320],
        validate_default=True,
    )

    @field_validator("bit_depth")
    @classmethod
    def _the_format_has_the_bit_depth(cls, bit_depth: int | None, info: ValidationInfo) -> int | None:
        # A format that was refused is not among the data, and has its own error.
        match info.data.get("output_format"):
            case "wav" | "flac" if bit_depth is None:
                return _DEFAULT_BIT_DEPTH
            case "flac" if bit_depth == 32:
                raise ValueError("32 is for wav; flac has 16 and 24")
            case "mp3" if bit_depth is not None:
                raise ValueError("is for wav and flac; mp3 has none")
        return bit_depth

    @field_validator("bitrate")
    @classmethod
    def _mp3_alone_has_a_bitrate(cls, bitrate: int | None, info: ValidationInfo) -> int | None:
        match info.data.get("output_format"):
            case "mp3" if bitrate is None:
                return _DEFAULT_BITRATE
            case "mp3" if bitrate not in _BITRATES:
                raise ValueError(f"must be one of {', '.join(map(str, _BITRATES))} kbit/s")
            case "wav" | "flac" as lossless if bitrate is not None:
                raise ValueError(f"is for mp3; {lossless} has none")
        return bitrate


_MOST_ROLES = 16
_ROLES_BYTES = 2000
_Name = Annotated[str, Field(min_length=1, max_length=64)]


class AnalysisConfig(_Strict):
    """What is to be found in the stems."""

    notes: bool = Field(True, description="Find notes and sung pitch, which takes most of the time.")
    fps: Literal[24, 25, 30, 50, 60] = Field(60, description="Frames a second of the curves.")


class MidiConfig(_Strict):
    """How MIDI is read: each choice has a default that suits most files."""

    roles: dict[_Name, _Name] = Field(
        default_factory=dict,
        max_length=32,
        description="The stem that a part of the file goes to, where the guess is wrong: by the track's "
        "number from 1, by track and channel, or by the track's name. 'drums' has hits; 'ignore' nothing.",
        examples=[{"2": "bass", "1:10": "drums", "Pad": "ignore"}],
    )
    split_channels: bool = Field(True, description="Whether each channel of a track is a part by itself.")
    tempo: float | None = Field(
        None, ge=10, le=1000, description="Quarter notes a minute throughout; the file's own if not given."
    )
    offset: float = Field(0.0, ge=-600, le=600, description="Seconds by which everything is later.")
    transpose: int = Field(
        0, ge=-48, le=48, description="Semitones by which notes are higher; drums are not."
    )
    quantise: Literal[4, 8, 12, 16, 24, 32] | None = Field(
        None, description="Starts are moved to the grid of this part of a whole note; 12 and 24 are triplets."
    )
    velocity_curve: float = Field(
        1.0,
        ge=0.25,
        le=4,
        description="Velocities, 0 to 1, are raised to this power: below 1 lifts quiet notes.",
    )
    shortest: float = Field(0.03, ge=0, le=1, description="Seconds; shorter notes are made as long.")
    sustain: bool = Field(True, description="Whether the pedal holds notes.")

    @field_validator("roles")
    @classmethod
    def _roles_are_stems(cls, roles: dict[str, str]) -> dict[str, str]:
        if not all(text.isprintable() for role in roles.items() for text in role):
            raise ValueError("what is not printable is in no part's name, and in no role")
        if any(role.casefold() == "mix" for role in roles.values()):
            raise ValueError("a role is what a stem may be called, and not mix")
        if len(set(roles.values())) > _MOST_ROLES:
            raise ValueError(f"name at most {_MOST_ROLES} stems")
        # A job's JSON is to fit one frame of a WebSocket.
        if len(json.dumps(roles, ensure_ascii=False).encode()) > _ROLES_BYTES:
            raise ValueError(f"all of them together may have {_ROLES_BYTES:,} bytes, as JSON")
        return roles


class JobConfig(_Strict):
    """What a client may ask of a job. Every field has a default.

    ``stems`` names the stems to keep; those it leaves out are not kept. Without it all are.
    """

    model: Literal["spleeter"] = "spleeter"
    model_variant: ModelVariant = "2stems"
    stems: dict[str, bool] = Field(
        default_factory=dict,
        description="The stems to keep. Those left out are not kept; without this field all are.",
        examples=[{"vocals": True}],
        validate_default=True,
    )
    quality: Quality = Quality()
    bandwidth: Bandwidth = Field(
        "11khz", description="Up to where the model listens; above it, see maskExtension."
    )
    mask_extension: Literal["average", "zeros"] = Field(
        "average",
        description="Above the bandwidth: 'average' shares the sound out as below it, so that stems "
        "sum to the song; 'zeros' is silence, Spleeter's own default.",
    )
    analysis: AnalysisConfig | None = Field(
        None,
        description="Find beats, onsets, hits, notes and curves once the stems are there; null: stems alone.",
        examples=[{"notes": True, "fps": 60}],
    )
    player: bool = Field(
        False,
        description="Make, with each stem, what a page needs to play and draw it from any moment on.",
    )
    midi: MidiConfig | None = Field(None, description="How to read MIDI, where that is what comes in.")

    @field_validator("stems")
    @classmethod
    def _stems_are_the_models(cls, stems: dict[str, bool], info: ValidationInfo) -> dict[str, bool]:
        variant = info.data.get("model_variant")
        if variant is None:  # refused, with its own error
            return stems
        known = STEMS[variant]
        if unknown := [name for name in stems if name not in known]:
            raise ValueError(f"{variant} has no {', '.join(unknown)}; it has {', '.join(known)}")
        if stems and not any(stems.values()):
            raise ValueError("keep at least one, or leave the field out to keep all")
        return {name: stems.get(name, not stems) for name in known}

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the stems to keep, in the model's order."""
        return tuple(name for name, keep in self.stems.items() if keep)

    def check_available(self, variants: Collection[str]) -> None:
        """Refuse a model that this deployment does not have.

        Raises
        ------
        InvalidConfig
            The model is not among ``variants``.
        """
        if self.model_variant not in variants:
            raise InvalidConfig(
                f"config.modelVariant: {self.model_variant} is not installed here; "
                f"choose one of {', '.join(variants)}"
            )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a configuration from JSON.

        Raises
        ------
        InvalidConfig
            It is not JSON, or not a valid configuration; the message names the field.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InvalidConfig(explain(error, "config")) from error

    def to_json(self) -> str:
        """The configuration as JSON, every field spelled out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
