"""`stempipe jobs`, `watch`, `cancel` and `retry`."""

import sys
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from stempipe_client.client import Client
from stempipe_client.command import options
from stempipe_client.command.batch import Batch
from stempipe_client.command.display import Update, here, say, shown, to_json
from stempipe_client.command.run import conclude
from stempipe_client.command.separate import stage, update
from stempipe_client.command.songs import Song
from stempipe_client.models import Job, Status
from stempipe_client.names import plain, safe
from stempipe_client.saving import outcome

LEAST, NAME, STATUS = 8, 24, 24
"""Columns: that a song's name has at least, that it has beside an id if it needs them, a status at most."""


def list_jobs(
    context: typer.Context,
    status: Annotated[
        list[Status] | None, typer.Option(help="Only these; give it once for each.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    as_json: options.AsJson = False,
) -> None:
    """List your jobs, newest first."""
    with options.client(options.service(context)) as client:
        jobs = list(islice(client.jobs(status or (), page=min(limit, 100)), limit))
    if as_json:
        for job in jobs:
            print(to_json(job.model_dump(mode="json", by_alias=True)))
        return
    console = Console()
    for line in _table(jobs, console.width if console.is_terminal else None):
        console.print(line, soft_wrap=True)


def _table(jobs: list[Job], width: int | None) -> Iterator[Text]:
    """What became of which song comes first; an id is whole, as it is for copying.

    Where the columns do not suffice, an id has a line of its own, and then the song's name gives way. Without
    a width nothing does.
    """
    rows = [("SONG", "STATUS", "MADE", "JOB")]
    rows += [
        (plain(_what(job)), plain(_status(job))[:STATUS], here(job.created_at, "%d %b %H:%M"), job.id)
        for job in jobs
    ]
    name, *others = (max(map(cell_len, column)) for column in zip(*rows, strict=True))
    below = width is not None and width < min(name, NAME) + sum(others) + 6
    if width is not None:
        name = min(name, max(LEAST, width - (sum(others[:2]) + 4 if below else sum(others) + 6)))
    for number, (song, status, made, job) in enumerate(rows):
        line = Text(song, "" if number else "bold")
        line.truncate(name, overflow="ellipsis", pad=True)
        line.append(f"  {status:<{others[0]}}  {made:<{others[1]}}")
        if not below:
            line.append(f"  {job}")
        line.rstrip()
        if below and width:
            line.truncate(width, overflow="ellipsis")
        yield line
        if below and number:
            yield Text(f"  {job}", "dim")


def _what(job: Job) -> str:
    """What a job begins with, by its title or its file's name."""
    stems = job.source.stems
    kind = {"stems": f" ({len(stems or ())} stems)", "midi": " (MIDI)" if job.title else ""}
    return (job.title or job.source.filename) + kind.get(job.source.kind, "")


def _status(job: Job) -> str:
    if job.status is Status.PROCESSING:
        return f"{stage(job)} {job.progress} %"
    return job.error.code if job.error else stage(job)


def watch(
    context: typer.Context,
    jobs: options.JobIds,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Save their files here.", show_default=False),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Follow jobs to their end, and save their stems and what was found in them if you say where.

    Ctrl-C ends the watching; the jobs go on.
    """
    console = Console(stderr=as_json)
    with options.client(options.service(context)) as client:
        found = [_song(client.job(job_id), out) for job_id in dict.fromkeys(jobs)]
        with shown(console, found, sys.stdout if as_json else None) as display:
            batch = Batch(found, lambda song: _follow(client, song, out), display, at_once=len(found))
            batch.run()
    raise typer.Exit(conclude(batch, console))


def _song(job: Job, out: Path | None) -> Song:
    """A job as a song of a batch: the id takes the name's place."""
    return Song(Path(safe(job.source.filename)), out or Path(), job.id)


def _follow(client: Client, song: Song, out: Path | None) -> Generator[Update]:
    if out:
        yield from map(update, client.follow(song.name, out))
        return
    for job in client.watch(song.name):
        yield Update(stage(job), job.progress, job.estimated_time_remaining, job.id)
    if job.status is not Status.COMPLETED:
        raise outcome(job)
    yield Update(
        "done",
        100,
        job=job.id,
        notices=job.source.notices,
        analysis=job.analysis,
        residual_db=job.residual_db,
    )


def cancel(context: typer.Context, jobs: options.JobIds) -> None:
    """Cancel jobs that have not ended."""
    with options.client(options.service(context)) as client:
        for job_id in jobs:
            client.cancel(job_id)
            say(Console(), f"{job_id} is cancelled")


def retry(context: typer.Context, jobs: options.JobIds) -> None:
    """Have failed jobs tried again."""
    with options.client(options.service(context)) as client:
        for job_id in jobs:
            say(Console(), f"{job_id} is {client.retry(job_id).status}")
