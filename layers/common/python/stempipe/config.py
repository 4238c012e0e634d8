"""A job's configuration: what to separate with, which stems to keep, how to write them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from stempipe.errors import InvalidConfig

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


def _mp3_bitrate(bitrate: int) -> int:
    if bitrate not in _BITRATES:
        raise ValueError(f"must be one of {', '.join(map(str, _BITRATES))} kbit/s")
    return bitrate


class _Strict(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="forbid", strict=True, frozen=True
    )


class Quality(_Strict):
    """How stems are written."""

    sample_rate: Literal[44100, 48000] = Field(44100, description="Samples a second.")
    output_format: Literal["wav", "flac", "mp3"] = "wav"
    bitrate: Annotated[int, AfterValidator(_mp3_bitrate)] | None = Field(
        None, description="kbit/s, for mp3 only; 192 if not given.", examples=[192, 320]
    )

    @model_validator(mode="before")
    @classmethod
    def _mp3_has_a_bitrate(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        output_format = data.get("outputFormat", data.get("output_format"))
        if output_format == "mp3":
            return {**data, "bitrate": _DEFAULT_BITRATE if data.get("bitrate") is None else data["bitrate"]}
        return data

    @model_validator(mode="after")
    def _only_mp3_has_a_bitrate(self) -> Self:
        if self.bitrate is not None and self.output_format != "mp3":
            raise ValueError(f"bitrate is for mp3; {self.output_format} has none")
        return self


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

    @model_validator(mode="after")
    def _stems_are_the_models(self) -> Self:
        known = STEMS[self.model_variant]
        unknown = [name for name in self.stems if name not in known]
        if unknown:
            raise ValueError(
                f"stems: {self.model_variant} has no {', '.join(unknown)}; it has {', '.join(known)}"
            )
        if self.stems and not any(self.stems.values()):
            raise ValueError("stems: keep at least one, or leave the field out to keep all")
        kept = {name: self.stems.get(name, not self.stems) for name in known}
        object.__setattr__(self, "stems", kept)
        return self

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


def explain(error: ValidationError, root: str) -> str:
    """One line for a person from a validation error: each field by its JSON path, and its fault."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        field = ".".join(str(part) for part in (root, *fault["loc"]) if part)
        faults.append(f"{field}: {fault['msg'].removeprefix('Value error, ')}")
    return "; ".join(faults)
