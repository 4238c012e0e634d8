"""What a job costs whoever runs the service, by what its record says.

By list prices, and an estimate: `make cost` counts what jobs do, call by call, and a test holds this to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from stempipe import prices
from stempipe.jobs.record import Job

_GB = 1e9
_PART = 8 << 20  # bytes of a part by boto3; what is smaller goes in one request
# What a job does besides reports of its progress: its owner makes it, watches it and fetches its files; it
# finds its way to the worker, and ends.
_RUNS = 10
_WRITE_UNITS = 32
_READ_UNITS = 10
_API_REQUESTS = 4
_QUEUE_REQUESTS = 3
_LOG_BYTES = 4000
# Each change of the record is a write, a run of notify, and a message to whoever watches. There are two a
# second, of which X-Ray records one.
_TRACES_A_CHANGE = 0.55
_LOG_BYTES_A_CHANGE = 550
_UNITS_A_CHANGE = 1.5
_UNITS_A_CHANGE_ANALYSED = 3  # the record has the keys of more files by then
_GB_SECONDS_A_RUN = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """USD of one job.

    Attributes
    ----------
    compute
        Memory: the worker's in the attempt that completed the job, with its temporary disk, and that of the
        other functions.
    requests
        What is billed by the piece: runs of functions, their traces and logs, units of the table, requests to
        the APIs, the queue and storage.
    storage
        Of uploads and results, until they expire.
    transfer
        Not part of it: of all results, out of AWS, once. In S3 that is each download of them; in R2 it is the
        worker's upload, and downloads cost nothing.
    """

    compute: float
    requests: float
    storage: float
    transfer: float

    @property
    def total(self) -> float:
        """All but the transfer."""
        return self.compute + self.requests + self.storage


def cost_of(job: Job) -> Cost | None:
    """What a job has cost and will until it expires; None of one that no worker has completed."""
    if job.gb_seconds is None:
        return None
    months = max(0.0, (job.expires_at - job.created_at).total_seconds()) / prices.SECONDS_A_MONTH
    results = int(job.stored_bytes or 0)
    is_s3 = job.provider == "s3"
    others = (_RUNS + _changes(job)) * _GB_SECONDS_A_RUN
    return Cost(
        # Records of before say nothing of the disk, which is a three-hundredth of the memory.
        compute=prices.GB_SECOND.of(job.gb_seconds + others)
        + prices.DISK_GB_SECOND.of(job.disk_gb_seconds or 0.0),
        requests=_requests(job) + _requests_to_storage(job, is_s3),
        storage=(prices.S3_GB_MONTH if is_s3 else prices.R2_GB_MONTH).of(months * job.bytes_kept / _GB),
        transfer=(prices.S3_GB_OUT if is_s3 else prices.AWS_GB_OUT).of(results / _GB),
    )


def _changes(job: Job) -> int:
    return int(job.version - job.making)


def _requests(job: Job) -> float:
    changes = _changes(job)
    units = _UNITS_A_CHANGE if job.analysis_keys is None else _UNITS_A_CHANGE_ANALYSED
    return (
        prices.RUN.of(_RUNS + changes)
        + prices.TRACE.of(_RUNS + _TRACES_A_CHANGE * changes)
        + prices.LOG_GB.of((_LOG_BYTES + _LOG_BYTES_A_CHANGE * changes) / _GB)
        + prices.WRITE_UNIT.of(_WRITE_UNITS + units * changes)
        + prices.READ_UNIT.of(_READ_UNITS + changes)
        + prices.API_REQUEST.of(_API_REQUESTS)
        + prices.LIVE_MESSAGE.of(changes)
        + prices.QUEUE_REQUEST.of(_QUEUE_REQUESTS)
    )


def _requests_to_storage(job: Job, is_s3: bool) -> float:
    """Uploads are put, looked up and read; results are put, in parts where they are large, and read."""
    put, get = (prices.S3_PUT, prices.S3_GET) if is_s3 else (prices.R2_WRITE, prices.R2_READ)
    uploads = len(job.uploads)
    files = sum(len(keys or {}) for keys in (job.stem_keys, job.player_keys, job.analysis_keys))
    results = int(job.stored_bytes or 0)
    in_parts = results > files * _PART
    puts = uploads + files + (files + ceil(results / _PART) if in_parts else 0)
    return put.of(puts) + get.of(2 * uploads + files)
