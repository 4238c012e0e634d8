"""What several commands take."""

from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from stempipe_client.client import Client
from stempipe_client.command import login, settings
from stempipe_client.config import (
    AnalysisConfig,
    Bandwidth,
    Config,
    MaskExtension,
    ModelVariant,
    OutputFormat,
)
from stempipe_client.errors import StempipeError

Songs = Annotated[
    list[Path], typer.Argument(metavar="SONG...", help="Files, or folders of them.", show_default=False)
]
JobIds = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of jobs.", show_default=False)]
Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="SOURCE...", help="Folders of stems, one song's each, or MIDI files.", show_default=False
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="For what is made.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="JSON on stdout, one object a line; all else on stderr.")
]

Stems = Annotated[
    Literal["2", "4", "5"] | None,
    typer.Option(
        help="2: vocals, accompaniment. 4: vocals, drums, bass, other. 5: a piano besides. (2)",
        show_default=False,
    ),
]
Keep = Annotated[
    str | None,
    typer.Option(
        metavar="STEM,...", help="The stems to keep, as in vocals,drums. Without it, all.", show_default=False
    ),
]
Format = Annotated[OutputFormat | None, typer.Option(help="Of the stems. (wav)", show_default=False)]
Bitrate = Annotated[
    int | None, typer.Option(metavar="KBIT/S", help="For mp3: 64 to 320. (192)", show_default=False)
]
SampleRate = Annotated[
    Literal["44100", "48000"] | None, typer.Option(help="In Hz. (44100)", show_default=False)
]
BitDepth = Annotated[
    Literal["16", "24", "32"] | None,
    typer.Option(
        help="For wav and flac; 32 is float, for wav alone, and the dearest to download. (16)",
        show_default=False,
    ),
]
Band = Annotated[
    Bandwidth | None, typer.Option(help="Up to where the model listens. (11khz)", show_default=False)
]
Mask = Annotated[
    MaskExtension | None,
    typer.Option(
        help="Above that: average lets stems sum to the song, zeros mutes. (average)", show_default=False
    ),
]
Analysis = Annotated[
    bool,
    typer.Option("--analysis", help="Find beats, key, onsets, hits, notes and curves in the stems besides."),
]
Fps = Annotated[
    Literal["24", "25", "30", "50", "60"] | None,
    typer.Option(help="Frames a second of the curves. (60)", show_default=False),
]
Notes = Annotated[
    bool,
    typer.Option(
        " /--no-notes",
        help="Find no notes and no sung pitch, which take most of the time.",
        show_default=False,
    ),
]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Songs under way at once.")]
MaxMinutes = Annotated[float, typer.Option(min=0.1, help="Of local work: longer songs are refused.")]


def analysis(wanted: bool, fps: str | None, notes: bool) -> AnalysisConfig | None:
    """What is to be found in stems, as it was typed.

    Raises
    ------
    StempipeError
        `invalid_config`: nothing is, and yet it is said how.
    """
    if not wanted:
        if fps or not notes:
            raise StempipeError("invalid_config", "--fps and --no-notes say how to analyse: add --analysis")
        return None
    return AnalysisConfig(notes, cast(Any, int(fps))) if fps else AnalysisConfig(notes)


def config(
    stems: str | None,
    keep: str | None,
    format: OutputFormat | None,
    bitrate: int | None,
    sample_rate: str | None,
    bit_depth: str | None,
    bandwidth: Bandwidth | None,
    mask_extension: MaskExtension | None,
    analysis: AnalysisConfig | None,
) -> Config:
    """A job's configuration, as it was typed. Typer knows no choice of numbers: those come as text."""
    return Config(
        model_variant=cast(ModelVariant, f"{stems}stems") if stems else None,
        keep=tuple(filter(None, map(str.strip, (keep or "").split(",")))),
        output_format=format,
        bitrate=bitrate,
        sample_rate=cast(Any, int(sample_rate)) if sample_rate else None,
        bit_depth=cast(Any, int(bit_depth)) if bit_depth else None,
        bandwidth=bandwidth,
        mask_extension=mask_extension,
        analysis=analysis,
    )


def service(context: typer.Context) -> settings.Settings:
    """The service in force; the command line's flags are the context's."""
    return settings.resolve(context.obj)


def client(chosen: settings.Settings) -> Client:
    """The user's access to a service."""
    return Client(chosen.api_url, login.token(chosen), chosen.websocket_url)
