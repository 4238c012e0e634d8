"""What was counted, times the prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Literal

from benchmarks.cost.counts import Counts
from benchmarks.cost.stack import Stack
from stempipe import prices

Provider = Literal["s3", "r2"]

GB = 1e9
_STORAGE = {
    "s3": (prices.S3_PUT, prices.S3_GET, prices.S3_GB_MONTH, prices.S3_GB_OUT),
    "r2": (prices.R2_WRITE, prices.R2_READ, prices.R2_GB_MONTH, prices.R2_GB_OUT),
}
# What an index or a table adds to each item for itself, of which the record has four.
_ITEM_OVERHEAD = 400


@dataclass(frozen=True)
class Bill:
    """USD of one job, in parts.

    Attributes
    ----------
    compute
        Every function's memory, and the worker's temporary disk.
    requests
        Runs of functions, traces and logs of them, requests to the APIs, the queue and storage.
    table
        DynamoDB's units.
    storage
        Of what is kept, until it expires.
    outbound
        Of what the worker sends out of AWS, to R2.
    download
        Of its results, once, by the command.
    """

    compute: float
    requests: float
    table: float
    storage: float
    outbound: float
    download: float

    @property
    def without_download(self) -> float:
        """All but that."""
        return float(sum(astuple(self))) - self.download

    @property
    def with_download(self) -> float:
        """All of it."""
        return float(sum(astuple(self)))

    def a_minute(self, song_seconds: float) -> Bill:
        """The same of a minute of audio."""
        return Bill(*(part * 60 / song_seconds for part in astuple(self)))


def bill(counts: Counts, stack: Stack, provider: Provider = "s3", factor: float = 1.0) -> Bill:
    """What a job costs.

    Parameters
    ----------
    counts
        What it does.
    stack
        Memory of the functions, and how long things are kept.
    provider
        Where its files are.
    factor
        How many times as long everything takes as it was measured. A slower worker reports as often a second,
        and so more often.
    """
    put, get, kept, out = _STORAGE[provider]
    leaves_aws = provider == "r2"
    more = (factor - 1) * counts.reports  # reports, each of which notify is run for
    runs = counts.runs.total() + more
    months = stack.retention_days * 86400 / prices.SECONDS_A_MONTH
    # Lambda takes each message from the queue, and deletes it.
    messages = counts.of("sqs") + 2 * counts.of("sqs", "SendMessage")
    return Bill(
        compute=prices.GB_SECOND.of(factor * _gb_seconds(counts, stack, more))
        + prices.DISK_GB_SECOND.of(factor * stack.disk_gb * counts.seconds.get(stack.worker, 0.0)),
        requests=prices.RUN.of(runs)
        + prices.TRACE.of(_traces(counts, stack, factor))
        + prices.LOG_GB.of((counts.log_bytes + more * _log_bytes_a_run(counts)) / GB)
        + prices.API_REQUEST.of(counts.of("api"))
        + prices.LIVE_MESSAGE.of(counts.of("live", "POST") + more)
        + prices.LIVE_MINUTE.of(factor * counts.watched_seconds / 60)
        + prices.QUEUE_REQUEST.of(messages)
        + prices.FAIR_REQUEST.of(3 * counts.groups)
        + put.of(counts.of("s3", "PUT", "POST", "LIST"))
        + get.of(counts.of("s3", "GET", "HEAD")),
        table=prices.WRITE_UNIT.of(counts.write_units + (factor - 1) * counts.report_units)
        + prices.READ_UNIT.of(counts.read_units + more / 2),  # notify looks for who is connected
        storage=kept.of(months * (counts.upload_bytes + counts.result_bytes) / GB)
        + (prices.TABLE_GB_MONTH.of(1) + prices.BACKUP_GB_MONTH.of(1))
        * months
        * (counts.record_bytes + _ITEM_OVERHEAD)
        / GB,
        outbound=prices.AWS_GB_OUT.of(counts.result_bytes / GB) if leaves_aws else 0.0,
        download=out.of(counts.download_bytes / GB),
    )


def _traces(counts: Counts, stack: Stack, factor: float) -> float:
    """X-Ray's own rule: of each function the first run of a second, and a twentieth of the others."""
    seconds = 1 + factor * counts.watched_seconds
    more = {stack.notify: (factor - 1) * counts.reports}
    runs = {name: number + more.get(name, 0) for name, number in counts.runs.items()}
    return sum(min(number, seconds + 0.05 * max(0.0, number - seconds)) for number in runs.values())


def _gb_seconds(counts: Counts, stack: Stack, more: float) -> float:
    """As measured, and notify's for so many runs more."""
    seconds: Mapping[str, float] = counts.seconds
    notify = seconds.get(stack.notify, 0.0) / max(1, counts.runs[stack.notify])
    return (
        sum(spent * stack.memory_gb[function] for function, spent in seconds.items())
        + more * notify * stack.memory_gb[stack.notify]
    )


def _log_bytes_a_run(counts: Counts) -> float:
    return counts.log_bytes / max(1, counts.runs.total())
