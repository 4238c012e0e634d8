"""`stempipe separate` and `stempipe local`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stempipe_client.client import Client
from stempipe_client.command import options
from stempipe_client.command.batch import Batch
from stempipe_client.command.display import say, show_left_out, shown
from stempipe_client.command.exits import Exit, exit_code
from stempipe_client.command.places import state_folder
from stempipe_client.command.resume import Memory
from stempipe_client.command.separate import OnInterrupt, Separation
from stempipe_client.command.songs import LeftOut, Song, collect
from stempipe_client.config import Config

MAX_MINUTES = 10.0
"""Of a song on this machine, as a service has it by default."""


def separate(
    context: typer.Context,
    songs: options.Songs,
    stems: options.Stems = None,
    keep: options.Keep = None,
    format: options.Format = None,
    bitrate: options.Bitrate = None,
    sample_rate: options.SampleRate = None,
    bit_depth: options.BitDepth = None,
    bandwidth: options.Band = None,
    mask_extension: options.Mask = None,
    out: options.Out = Path("stems"),
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Songs under way at once.")] = 4,
    on_interrupt: Annotated[
        OnInterrupt, typer.Option(help="What Ctrl-C does with jobs under way; a second one quits at once.")
    ] = "cancel",
    as_json: options.AsJson = False,
) -> None:
    """Upload songs, watch them, and save their stems.

    Whatever interrupted it, the same command again goes on where it stopped.

    `stempipe separate song.mp3 --stems 4 --format mp3`

    `stempipe separate album/ single.wav --keep vocals --out acapellas`
    """
    config = options.config(stems, keep, format, bitrate, sample_rate, bit_depth, bandwidth, mask_extension)
    found = _found(songs, out, as_json)
    service = options.service(context)
    with options.client(service) as client:
        next(client.jobs(page=1), None)  # is it there, and who are we to it? Once, and not for each song
        code = separate_songs(
            client, service.api_url, found, config, at_once=jobs, on_interrupt=on_interrupt, as_json=as_json
        )
    raise typer.Exit(code)


def separate_songs(
    client: Client,
    service: str,
    songs: list[Song],
    config: Config,
    *,
    at_once: int = 4,
    on_interrupt: OnInterrupt = "cancel",
    as_json: bool = False,
) -> Exit:
    """What `stempipe separate` does once it knows what is meant.

    Parameters
    ----------
    service
        Address of the API: what is remembered of one service is nothing to another.
    """
    console = Console(stderr=as_json)
    separation = Separation(client, service, config, _memory())
    with shown(console, songs, sys.stdout if as_json else None) as display:
        batch = Batch(songs, separation, display, at_once)
        try:
            batch.run()
        except KeyboardInterrupt:
            separation.interrupt(batch, on_interrupt, display)
            return Exit.INTERRUPTED
    return conclude(batch, console)


def local(
    songs: options.Songs,
    stems: options.Stems = None,
    keep: options.Keep = None,
    format: options.Format = None,
    bitrate: options.Bitrate = None,
    sample_rate: options.SampleRate = None,
    bit_depth: options.BitDepth = None,
    bandwidth: options.Band = None,
    mask_extension: options.Mask = None,
    out: options.Out = Path("stems"),
    max_minutes: Annotated[float, typer.Option(min=0.1, help="Longer songs are refused.")] = MAX_MINUTES,
    as_json: options.AsJson = False,
) -> None:
    """Separate songs on this machine, with no service.

    It needs the engine: `pip install 'stempipe[local]'`. Its model is fetched on first use.
    """
    # The engine is an extra, and slow to import.
    from stempipe_client.command.local import prepare

    config = options.config(stems, keep, format, bitrate, sample_rate, bit_depth, bandwidth, mask_extension)
    found = _found(songs, out, as_json)
    console = Console(stderr=as_json)
    separation = prepare(config, _memory(), 60 * max_minutes, console)
    with shown(console, found, sys.stdout if as_json else None) as display:
        batch = Batch(found, separation, display, at_once=1)
        try:
            batch.run()
        except KeyboardInterrupt:
            batch.stop()
            batch.wait()
            raise
    raise typer.Exit(conclude(batch, console))


def conclude(batch: Batch, console: Console) -> Exit:
    """Say how many songs were separated and why others were not; returns the exit code."""
    if len(batch.songs) > 1:
        console.print(f"{len(batch.finished)} of {len(batch.songs)} done", highlight=False)
        for song, error in batch.errors.items():
            say(console, f"  {song.path}: {error}", "red")
    return exit_code(batch.errors.values())


def _found(songs: list[Path], out: Path, as_json: bool) -> list[Song]:
    """The songs that are meant; what else there is in their folders is named."""
    left_out: list[LeftOut] = []
    try:
        return collect(songs, out, left_out.append)
    finally:
        show_left_out(Console(stderr=as_json), left_out, sys.stdout if as_json else None)


def _memory() -> Memory:
    memory = Memory(state_folder() / "songs")
    memory.forget_old()
    return memory
