"""What a client may ask of the HTTP API, as types."""

from __future__ import annotations

import binascii
import re
from collections import Counter
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    WithJsonSchema,
    field_validator,
)

from stempipe.jobs.camel_case import CamelCase
from stempipe.jobs.config import JobConfig
from stempipe.jobs.names import alike, clean, plain

MAX_INLINE_BYTES = 4_500_000
"""Largest song within a request. Base64 makes 6,000,000 bytes of it; Lambda takes 6,291,456 in an event, and
the rest is for what is around it."""

MAX_STEMS = 16
"""Stems that may be uploaded as one job."""


Filename = Annotated[str, Field(min_length=1, max_length=255, examples=["song.mp3"])]


def _decoded(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("must be a string")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as fault:
        raise ValueError(
            "must be base64 in the alphabet of RFC 4648, padded and without line breaks"
        ) from fault


Base64 = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
            "examples": ["SUQzBAAAAAAA"],
        }
    ),
]


_ANY_TYPE = "application/octet-stream"
# Parameters are kept as they come: those that browsers write are not always what the standard has.
_TYPE = r"[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+( ?;[A-Za-z0-9.+_,;:=/'\" -]*)?"


def _or_any(text: object) -> object:
    if isinstance(text, str):
        text = text.strip(" ")
    return _ANY_TYPE if text is None or text == "" else text


ContentType = Annotated[
    str,
    BeforeValidator(_or_any),
    Field(pattern=f"^{_TYPE}$", max_length=127),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^({_TYPE})?$", "maxLength": 127},
                {"type": "null"},
            ],
            "examples": ["audio/mpeg", "audio/webm;codecs=opus"],
        }
    ),
]
"""As a browser says it of a file: with parameters, which are signed with it; empty where it knows none."""


Size = Annotated[
    int, Field(ge=0, le=2**53 - 1, strict=True, description="Bytes. The upload must have just as many.")
]


def _a_name(name: str) -> str:
    if clean(name) != name or not name.strip(". ") or name.casefold() == "mix":
        raise ValueError("must be fit for a file's name, and not mix")
    return name


StemName = Annotated[
    str, Field(min_length=1, max_length=64), AfterValidator(_a_name), Field(examples=["drums", "Lead Vox 2"])
]
"""What a stem is called, by whoever uploads it. What it is known by tells what is listened for in it."""


Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(plain)]
"""What a song is called: as it came, but for what does more than show."""


class _NewJob(CamelCase):
    """What every request for a job may have."""

    model_config = ConfigDict(extra="forbid")

    config: JobConfig = JobConfig()
    title: Title | None = Field(None, description="What results are named after, if not after the file.")
    callback_url: str | None = Field(
        None,
        min_length=1,
        max_length=2048,
        description="Is sent the job by POST once it is completed, failed or cancelled.",
        examples=["https://example.com/stems-are-ready"],
    )
    callback_secret: SecretStr | None = Field(
        None,
        max_length=200,
        description="Signs what is sent, as Standard Webhooks say: whsec_ and 24 to 64 bytes in base64. "
        "Without it nothing is signed.",
    )


class JobRequest(_NewJob):
    """A song to be uploaded."""

    filename: Filename
    size: Size
    content_type: ContentType = _ANY_TYPE


class InlineFile(CamelCase):
    """A file, all of it."""

    model_config = ConfigDict(extra="forbid", ser_json_bytes="base64")

    filename: Filename
    base64: Base64 = Field(description=f"The file. Before it is encoded at most {MAX_INLINE_BYTES:,} bytes.")


class InlineJobRequest(_NewJob):
    """A small song within the request: no upload, and the job starts at once."""

    audio: InlineFile


class StemUpload(CamelCase):
    """A stem to be uploaded."""

    model_config = ConfigDict(extra="forbid")

    name: StemName
    filename: Filename
    size: Size
    content_type: ContentType = _ANY_TYPE


class StemsRequest(_NewJob):
    """Stems to be uploaded, as they are: nothing is separated."""

    stems: list[StemUpload] = Field(min_length=1, max_length=MAX_STEMS)

    @field_validator("stems")
    @classmethod
    def _no_two_are_alike(cls, stems: list[StemUpload]) -> list[StemUpload]:
        names = Counter(alike(stem.name) for stem in stems)
        if doubled := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"two stems have one name: {', '.join(doubled)}")
        return stems


class MidiUpload(CamelCase):
    """A MIDI file to be uploaded."""

    model_config = ConfigDict(extra="forbid")

    filename: Filename
    size: Size
    content_type: ContentType = _ANY_TYPE


class MidiRequest(_NewJob):
    """MIDI to be uploaded, in place of sound."""

    midi: MidiUpload


class InlineMidiRequest(_NewJob):
    """MIDI within the request: no upload, and the job starts at once."""

    midi: InlineFile


Requested = JobRequest | InlineJobRequest | StemsRequest | MidiRequest | InlineMidiRequest


def _way_in(request: object) -> str:
    """Which of the requests this is, by what it has; of one that was read, by what it is."""
    fields: dict[str, object] = dict(request) if isinstance(request, BaseModel | dict) else {}
    midi = fields.get("midi")
    if isinstance(midi, InlineFile) or (isinstance(midi, dict) and "base64" in midi):
        return "inlineMidi"
    ways = {"audio": "inline", "stems": "stems", "midi": "midi"}
    return next((way for field, way in ways.items() if field in fields), "upload")


WAYS_IN = ("upload", "inline", "stems", "midi", "inlineMidi")
"""What a fault in a request names its kind by."""

NewJob = Annotated[
    Annotated[JobRequest, Tag("upload")]
    | Annotated[InlineJobRequest, Tag("inline")]
    | Annotated[StemsRequest, Tag("stems")]
    | Annotated[MidiRequest, Tag("midi")]
    | Annotated[InlineMidiRequest, Tag("inlineMidi")],
    Discriminator(_way_in),
]


Limit = Annotated[int, Field(ge=1, le=100)]
IdempotencyKey = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", max_length=255, examples=["3f1c9a52"])]


def _rfc_3339(text: object) -> object:
    # Pydantic would take a number of seconds besides, and a time of no zone from some.
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", str(text), re.IGNORECASE):
        raise ValueError("give a time as in RFC 3339, such as 2026-01-01T12:00:00Z")
    return text


Time = Annotated[AwareDatetime, BeforeValidator(_rfc_3339), Field(examples=["2026-01-01T12:00:00Z"])]
