"""What `stempipe analyse` takes for MIDI."""

from typing import Annotated, Any, Literal, cast

import typer

from stempipe_client.config import MidiConfig
from stempipe_client.errors import StempipeError

_MIDI = "How MIDI is read"
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="PART=STEM",
        help="The stem of a part, where the guess is wrong. A part is a track's number, 2:10 for a channel "
        "of it, or its name; the stem drums has hits, ignore is not heard. Give it once for each.",
        show_default=False,
        rich_help_panel=_MIDI,
    ),
]
SplitChannels = Annotated[
    bool,
    typer.Option(
        " /--no-split-channels",
        help="A track is one part, whatever its channels.",
        show_default=False,
        rich_help_panel=_MIDI,
    ),
]
Tempo = Annotated[
    float | None,
    typer.Option(
        metavar="BPM",
        help="Throughout, in place of the file's own.",
        show_default=False,
        rich_help_panel=_MIDI,
    ),
]
Offset = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="Everything is so much later.", show_default=False, rich_help_panel=_MIDI
    ),
]
Transpose = Annotated[
    int | None,
    typer.Option(
        metavar="SEMITONES",
        help="Notes are so much higher; drums not.",
        show_default=False,
        rich_help_panel=_MIDI,
    ),
]
Quantise = Annotated[
    Literal["4", "8", "12", "16", "24", "32"] | None,
    typer.Option(
        help="Starts are moved to the grid of this part of a whole note.",
        show_default=False,
        rich_help_panel=_MIDI,
    ),
]
VelocityCurve = Annotated[
    float | None,
    typer.Option(
        metavar="POWER",
        help="Velocities are raised to it: below 1 lifts quiet notes. (1)",
        show_default=False,
        rich_help_panel=_MIDI,
    ),
]
Shortest = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Shorter notes are made as long. (0.03)",
        show_default=False,
        rich_help_panel=_MIDI,
    ),
]
Sustain = Annotated[
    bool,
    typer.Option(
        " /--no-sustain", help="The pedal holds no notes.", show_default=False, rich_help_panel=_MIDI
    ),
]


def config(
    roles: list[str] | None,
    split_channels: bool,
    tempo: float | None,
    offset: float | None,
    transpose: int | None,
    quantise: str | None,
    velocity_curve: float | None,
    shortest: float | None,
    sustain: bool,
) -> MidiConfig | None:
    """How MIDI is read, as it was typed; None if nothing was.

    Raises
    ------
    StempipeError
        `invalid_config`: a role is none.
    """
    parts = {}
    for role in roles or ():
        part, _, stem = role.rpartition("=")
        if not part or not stem:
            raise StempipeError("invalid_config", f"--role {role}: say it as in 2=bass")
        parts[part] = stem
    midi = MidiConfig(
        roles=parts,
        split_channels=None if split_channels else False,
        tempo=tempo,
        offset=offset,
        transpose=transpose,
        quantise=cast(Any, int(quantise)) if quantise else None,
        velocity_curve=velocity_curve,
        shortest=shortest,
        sustain=None if sustain else False,
    )
    return midi if midi.to_json() else None
