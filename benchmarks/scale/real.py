"""The simulation against the product: the same songs at the same moments, on a local cloud.

The functions, the table, the lines and the queue are the product's; only the work is a sleep, so that a
machine of two cores is not the answer. What a song takes a worker besides, and what passes before work
begins, is measured on the same cloud first, and told to the simulation.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean, median
from threading import Thread
from typing import Any
from urllib.parse import quote

from benchmarks.pipeline import python_by
from benchmarks.processes import BenchError
from benchmarks.scale.load import exponential
from benchmarks.scale.simulation import Simulation, Song, Workers
from benchmarks.scale.tables import Waits
from local.cloud import STACK, Deployment, running
from local.server import free_port

REAL_WORKERS = (1, 2)
REAL_LOADS = (0.3, 0.6, 0.9, 1.2)
SLEEP_SECONDS = 2.0
_TOO_LONG = 900.0
# Of a second, what nobody waits for: errors are shares of the wait, or of this where there is next to none.
_SERVICE_SHARE = 0.5


@dataclass(frozen=True)
class Row:
    """Waits at a load as they were, and as simulated; ``error`` is the worse of p50's and p95's."""

    load: float
    songs: int
    real: Waits
    simulated: Waits
    error: float


@dataclass(frozen=True)
class _Seen:
    """A job that is done, by the table's times, in seconds."""

    came: float
    began: float
    ended: float


def compare(most: int, loads: Sequence[float], seconds: float) -> Iterator[Row]:
    """Send songs at each load for so long, and simulate the same.

    Raises
    ------
    BenchError
        A song failed, or they were not done in time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="stempipe-scale-") as temporary,
        _cloud(Path(temporary), most) as cloud,
    ):
        _send(cloud, [0.0] * most, "warm")  # whose processes are there from now on
        alone = [_send(cloud, [0.0], f"alone-{number}")[0] for number in range(5)]
        delivery = median(one.began - one.came for one in alone)
        # More than can be worked on; the second half, when workers go from one to the next.
        gap, many = 0.7 * SLEEP_SECONDS / most, 12 * most
        busy = sorted(_send(cloud, [gap * n for n in range(many)], "busy"), key=lambda one: one.ended)
        later = busy[many // 2 :]
        work = most * (later[-1].ended - busy[many // 2 - 1].ended) / len(later)
        between = max(0.0, work - fmean(one.ended - one.began for one in later))
        for number, load in enumerate(loads):
            count = round(load * most / work * seconds)
            came = 0.0
            moments = [came := came + gap for gap in exponential(work / most / load, count, seed=number + 1)]
            seen = _send(cloud, moments, f"load-{number}")
            first = min(one.came for one in seen)
            songs = [
                Song(one.came - first, owner, one.ended - one.began + between)
                for owner, one in enumerate(seen)
            ]
            simulated = Simulation(Workers(most, at_once=most)).run(songs)
            real, found = (
                Waits.of([one.began - one.came for one in seen]),
                Waits.of([wait + delivery for wait in simulated.waits]),
            )
            error = max(_error(real.p50, found.p50, work), _error(real.p95, found.p95, work))
            yield Row(load, len(seen), real, found, error)


def _error(real: float, simulated: float, work: float) -> float:
    return abs(simulated - real) / max(real, _SERVICE_SHARE * work)


@contextmanager
def _cloud(folder: Path, most: int) -> Iterator[Deployment]:
    command = python_by("benchmarks.scale.sleeping_worker", folder, SLEEP_SECONDS=str(SLEEP_SECONDS))
    with running(port=free_port(), state=folder / "cloud", python=command) as deployment:
        _set_workers(deployment, most)
        yield deployment


def _set_workers(cloud: Deployment, most: int) -> None:
    """As `MaxConcurrency` would, which on AWS is 2 at least."""
    client = cloud.client("lambda")
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    functions = [
        item["PhysicalResourceId"]
        for page in pages
        for item in page["StackResourceSummaries"]
        if item["ResourceType"] == "AWS::Lambda::Function"
    ]
    for function in functions:
        variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables | {"MAX_CONCURRENCY": str(most)}}
        )
    client.put_function_concurrency(FunctionName=cloud.separate_function, ReservedConcurrentExecutions=most)
    time.sleep(2)  # until the functions are active again


def _send(cloud: Deployment, moments: Sequence[float], name: str) -> list[_Seen]:
    """Put a song into an inbox of its own at each moment from now on, and wait until all are done."""
    s3 = cloud.client("s3")
    began = time.monotonic()

    def put(number: int) -> None:
        key = f"inbox/{quote(name)}-{number}/song.wav"
        s3.put_object(Bucket=cloud.uploads_bucket, Key=key, Body=f"{name} {number}".encode())

    senders = []
    for number, moment in enumerate(moments):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        senders.append(Thread(target=put, args=[number]))
        senders[-1].start()
    for sender in senders:
        sender.join()
    table = cloud.client("dynamodb")
    deadline = time.monotonic() + _TOO_LONG
    while True:
        found = [job for number in range(len(moments)) if (job := _job(table, cloud, f"{name}-{number}"))]
        if len(found) == len(moments):
            return found
        if time.monotonic() > deadline:
            raise BenchError(f"{len(moments) - len(found)} of {len(moments)} songs were not done in time")
        time.sleep(1)


def _job(table: Any, cloud: Deployment, owner: str) -> _Seen | None:
    items = table.query(
        TableName=cloud.jobs_table,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": owner}},
    )["Items"]
    if not items or items[0]["status"]["S"] in ("queued", "processing"):
        return None
    if items[0]["status"]["S"] != "completed":
        raise BenchError(f"{owner}'s song {items[0]['status']['S']}: {items[0].get('errorCode')}")
    times = (datetime.fromisoformat(items[0][at]["S"]) for at in ("createdAt", "startedAt", "completedAt"))
    return _Seen(*(moment.timestamp() for moment in times))
