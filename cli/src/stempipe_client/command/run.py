"""`stempipe separate`, `stempipe local` and `stempipe analyse`."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stempipe_client.client import Client
from stempipe_client.command import midi_options, options
from stempipe_client.command.batch import Batch, Work
from stempipe_client.command.display import say, show_left_out, shown
from stempipe_client.command.exits import Exit, exit_code
from stempipe_client.command.places import state_folder
from stempipe_client.command.resume import Memory
from stempipe_client.command.separate import OnInterrupt, Separation
from stempipe_client.command.songs import LeftOut, Song, collect
from stempipe_client.command.stems import collect as collect_parts
from stempipe_client.config import Config

MAX_MINUTES = 10.0
"""Of a song on this machine, as a service has it by default."""

OnCtrlC = Annotated[
    OnInterrupt, typer.Option(help="What Ctrl-C does with jobs under way; a second one quits at once.")
]


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
    analysis: options.Analysis = False,
    fps: options.Fps = None,
    notes: options.Notes = True,
    out: options.Out = Path("stems"),
    jobs: options.Jobs = 4,
    on_interrupt: OnCtrlC = "cancel",
    as_json: options.AsJson = False,
) -> None:
    """Upload songs, watch them, and save their stems.

    Whatever interrupted it, the same command again goes on where it stopped.

    `stempipe separate song.mp3 --stems 4 --format mp3`

    `stempipe separate album/ single.wav --keep vocals --out acapellas`
    """
    heard = options.analysis(analysis, fps, notes)
    config = options.config(
        stems, keep, format, bitrate, sample_rate, bit_depth, bandwidth, mask_extension, heard
    )
    found = _found(collect, songs, out, as_json)
    raise typer.Exit(_through_service(context, found, config, jobs, on_interrupt, as_json))


def separate_songs(
    client: Client,
    service: str,
    songs: list[Song],
    config: Config,
    *,
    at_once: int = 4,
    on_interrupt: OnInterrupt = "cancel",
    as_json: bool = False,
) -> tuple[Exit, Mapping[Song, Mapping[str, Path]]]:
    """What `stempipe separate` and `analyse` do once they know what is meant.

    Parameters
    ----------
    service
        Address of the API: what is remembered of one service is nothing to another.

    Returns
    -------
    tuple
        The exit code, and the files of each song that is done.
    """
    console = Console(stderr=as_json)
    separation = Separation(client, service, config, _memory())
    with shown(console, songs, sys.stdout if as_json else None) as display:
        batch = Batch(songs, separation, display, at_once)
        try:
            batch.run()
        except KeyboardInterrupt:
            separation.interrupt(batch, on_interrupt, display)
            return Exit.INTERRUPTED, batch.finished
    return conclude(batch, console), batch.finished


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
    analysis: options.Analysis = False,
    fps: options.Fps = None,
    notes: options.Notes = True,
    out: options.Out = Path("stems"),
    max_minutes: options.MaxMinutes = MAX_MINUTES,
    as_json: options.AsJson = False,
) -> None:
    """Separate songs on this machine, with no service.

    It needs the engine: `pip install 'stempipe[local]'`. Its model is fetched on first use.
    """
    # The engine is an extra, and slow to import.
    from stempipe_client.command.local import prepare

    heard = options.analysis(analysis, fps, notes)
    config = options.config(
        stems, keep, format, bitrate, sample_rate, bit_depth, bandwidth, mask_extension, heard
    )
    found = _found(collect, songs, out, as_json)
    console = Console(stderr=as_json)
    raise typer.Exit(_here(prepare(config, _memory(), 60 * max_minutes, console), found, console, as_json))


def analyse(
    context: typer.Context,
    sources: options.Sources,
    fps: options.Fps = None,
    notes: options.Notes = True,
    roles: midi_options.Roles = None,
    split_channels: midi_options.SplitChannels = True,
    tempo: midi_options.Tempo = None,
    offset: midi_options.Offset = None,
    transpose: midi_options.Transpose = None,
    quantise: midi_options.Quantise = None,
    velocity_curve: midi_options.VelocityCurve = None,
    shortest: midi_options.Shortest = None,
    sustain: midi_options.Sustain = True,
    out: options.Out = Path("analysis"),
    here: Annotated[bool, typer.Option("--local", help="On this machine, with no service.")] = False,
    max_minutes: options.MaxMinutes = MAX_MINUTES,
    jobs: options.Jobs = 4,
    on_interrupt: OnCtrlC = "cancel",
    as_json: options.AsJson = False,
) -> None:
    """Find beats, key, onsets, hits, notes and curves in stems that you have, or in MIDI.

    Each folder is one song: its files are stems, named as the files are, or by what follows the last dash in
    `song - drums.wav`.

    `stempipe analyse my-stems/ --fps 30`

    `stempipe analyse song.mid --role 3=bass --tempo 120`
    """
    midi = midi_options.config(
        roles, split_channels, tempo, offset, transpose, quantise, velocity_curve, shortest, sustain
    )
    config = Config(analysis=options.analysis(True, fps, notes), midi=midi)
    found = _found(collect_parts, sources, out, as_json)
    if here:
        from stempipe_client.command.local import prepare_analysis

        console = Console(stderr=as_json)
        work = prepare_analysis(config, _memory(), 60 * max_minutes, console)
        raise typer.Exit(_here(work, found, console, as_json))
    raise typer.Exit(_through_service(context, found, config, jobs, on_interrupt, as_json))


def _through_service(
    context: typer.Context,
    songs: list[Song],
    config: Config,
    at_once: int,
    on_interrupt: OnInterrupt,
    as_json: bool,
) -> Exit:
    service = options.service(context)
    with options.client(service) as client:
        next(client.jobs(page=1), None)  # is it there, and who are we to it? Once, and not for each song
        code, _ = separate_songs(
            client,
            service.api_url,
            songs,
            config,
            at_once=at_once,
            on_interrupt=on_interrupt,
            as_json=as_json,
        )
    return code


def _here(work: Work, songs: list[Song], console: Console, as_json: bool) -> Exit:
    with shown(console, songs, sys.stdout if as_json else None) as display:
        batch = Batch(songs, work, display, at_once=1)
        try:
            batch.run()
        except KeyboardInterrupt:
            batch.stop()
            batch.wait()
            raise
    return conclude(batch, console)


def conclude(batch: Batch, console: Console) -> Exit:
    """Say how many songs were separated and why others were not; returns the exit code."""
    if len(batch.songs) > 1:
        console.print(f"{len(batch.finished)} of {len(batch.songs)} done", highlight=False)
        for song, error in batch.errors.items():
            say(console, f"  {song.path}: {error}", "red")
        for song, error in batch.unheard.items():
            say(console, f"  {song.path}, the analysis: {error}", "red")
    return exit_code(batch.errors.values()) or (Exit.UNHEARD if batch.unheard else Exit.DONE)


def _found(collect: Callable[..., list[Song]], paths: list[Path], out: Path, as_json: bool) -> list[Song]:
    """The songs that are meant; what else there is in their folders is named."""
    left_out: list[LeftOut] = []
    try:
        return collect(paths, out, left_out.append)
    finally:
        show_left_out(Console(stderr=as_json), left_out, sys.stdout if as_json else None)


def _memory() -> Memory:
    memory = Memory(state_folder() / "songs")
    memory.forget_old()
    return memory
