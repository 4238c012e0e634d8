"""`stempipe jobs`, `watch`, `cancel` and `retry`."""

import sys
from collections.abc import Generator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stempipe_client.client import Client, outcome
from stempipe_client.command import options
from stempipe_client.command.batch import Batch
from stempipe_client.command.display import Update, say, shown, to_json
from stempipe_client.command.run import conclude
from stempipe_client.command.separate import stage
from stempipe_client.command.songs import Song
from stempipe_client.models import Job, Status
from stempipe_client.names import plain, safe

NAME, STATUS = 24, 20
"""Columns that a song's name has at least beside an id, and a status at most."""
WHOLE = 1000
"""Columns of what is no terminal: nothing is cut."""


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
    if not console.is_terminal:
        console.width = WHOLE
    console.print(_table(jobs, console.width))


def _table(jobs: list[Job], width: int) -> Table:
    """What became of which song comes first; the name gives way, and an id is whole, as it is for copying.

    Where there is no room for an id besides, it has a line of its own.
    """
    rows = [(job.source.filename, _status(job), _made(job), job.id) for job in jobs]
    status, made, ids = (max((len(row[part]) for row in rows), default=0) for part in (1, 2, 3))
    beside = width >= NAME + min(status, STATUS) + made + ids + 6
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("SONG", no_wrap=True, overflow="ellipsis")
    table.add_column(
        "STATUS", no_wrap=True, overflow="ellipsis", min_width=min(status, STATUS), max_width=STATUS
    )
    table.add_column("MADE", no_wrap=True, min_width=made)
    if beside:
        table.add_column("JOB", no_wrap=True, min_width=ids)
    for row in rows:
        table.add_row(*map(Text, row if beside else row[:3]))
        if not beside:
            table.add_row(Text(row[3]))
    return table


def _status(job: Job) -> str:
    if job.status is Status.PROCESSING:
        return plain(f"{stage(job)} {job.progress} %")
    return plain(job.error.code if job.error else stage(job))


def _made(job: Job) -> str:
    try:
        return f"{job.created_at.astimezone():%d %b %H:%M}"
    except (OverflowError, ValueError, OSError):  # a year that this place's time does not have
        return "-"


def watch(
    context: typer.Context,
    jobs: options.JobIds,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Save the stems here.", show_default=False),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Follow jobs to their end, and save their stems if you say where.

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
    for job in client.watch(song.name):
        yield Update(stage(job), job.progress, job.estimated_time_remaining, job.id)
    if job.status is not Status.COMPLETED:
        raise outcome(job)
    yield Update("done", 100, job=job.id, files=client.download(job, out) if out else {})


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
