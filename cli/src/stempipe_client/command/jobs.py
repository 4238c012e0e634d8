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
from stempipe_client.command.display import Update, shown
from stempipe_client.command.run import conclude
from stempipe_client.command.separate import stage
from stempipe_client.command.songs import Song
from stempipe_client.models import Job, Status


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
            print(job.model_dump_json(by_alias=True))
    else:
        Console().print(_table(jobs))


def _table(jobs: list[Job]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    # The id is whole however narrow the terminal: it is for copying.
    table.add_column("JOB", no_wrap=True, min_width=max((len(job.id) for job in jobs), default=0))
    for heading in ("SONG", "STATUS", "MADE"):
        table.add_column(heading, overflow="ellipsis", no_wrap=True)
    for job in jobs:
        status = job.error.code if job.error else stage(job)
        if job.status is Status.PROCESSING:
            status += f" {job.progress} %"
        table.add_row(job.id, Text(job.source.filename), status, f"{job.created_at.astimezone():%d %b %H:%M}")
    return table


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
    return Song(Path(job.source.filename), out or Path(), job.id)


def _follow(client: Client, song: Song, out: Path | None) -> Generator[Update]:
    for job in client.watch(song.name):
        yield Update(stage(job), job.progress, job.estimated_time_remaining, job.id)
    if job.status is not Status.COMPLETED:
        raise outcome(job)
    files = client.download(job, out) if out else {}
    yield Update("done", 100, job=job.id, files=files, notices=job.source.notices)


def cancel(context: typer.Context, jobs: options.JobIds) -> None:
    """Cancel jobs that have not ended."""
    with options.client(options.service(context)) as client:
        for job_id in jobs:
            client.cancel(job_id)
            print(f"{job_id} is cancelled")


def retry(context: typer.Context, jobs: options.JobIds) -> None:
    """Have failed jobs tried again."""
    with options.client(options.service(context)) as client:
        for job_id in jobs:
            print(f"{job_id} is {client.retry(job_id).status}")
