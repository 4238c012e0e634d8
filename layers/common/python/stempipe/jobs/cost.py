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
# What a job does besides its worker's own work: its owner makes it, watches it and fetches its files; it finds
# its way to the worker, and ends.
_RUNS = 9
_WRITE_UNITS = 28
_READ_UNITS = 12
_API_REQUESTS = 4
# Each change of its record is a write, and a run of notify, for a message to whoever watches.
_GB_SECONDS_A_RUN = 0.02
_LOG_BYTES_A_RUN = 400


@dataclass(frozen=True, slots=True)
class Cost:
    """USD of one job.

    Attributes
    ----------
    compute
        The worker's memory and temporary disk, in the attempt that completed the job.
    requests
        Everything that is billed by the piece: runs of the other functions, their traces and logs, units of
        the table, requests to the APIs, the queue and storage.
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
    """What a job has cost and will, until it expires; None of one that no worker has completed."""
    if job.gb_seconds is None:
        return None
    months = max(0.0, (job.expires_at - job.created_at).total_seconds()) / prices.SECONDS_A_MONTH
    results = int(job.stored_bytes or 0)
    is_s3 = job.provider == "s3"
    return Cost(
        # Records of before have no disk, which is a three-hundredth of the memory.
        compute=prices.GB_SECOND.of(job.gb_seconds) + prices.DISK_GB_SECOND.of(job.disk_gb_seconds or 0.0),
        requests=_by_the_piece(job) + _of_storage(job, is_s3),
        storage=(prices.S3_GB_MONTH if is_s3 else prices.R2_GB_MONTH).of(months * job.bytes_kept / _GB),
        transfer=(prices.S3_GB_OUT if is_s3 else prices.AWS_GB_OUT).of(results / _GB),
    )


def _by_the_piece(job: Job) -> float:
    changes = int(job.version - job.making)
    runs = _RUNS + changes
    return (
        prices.RUN.of(runs)
        + prices.TRACE.of(runs)
        + prices.GB_SECOND.of(runs * _GB_SECONDS_A_RUN)
        + prices.LOG_GB.of(runs * _LOG_BYTES_A_RUN / _GB)
        + prices.WRITE_UNIT.of(_WRITE_UNITS + changes)
        + prices.READ_UNIT.of(_READ_UNITS + changes / 2)
        + prices.API_REQUEST.of(_API_REQUESTS)
        + prices.LIVE_MESSAGE.of(changes)
        + prices.QUEUE_REQUEST.of(3)
    )


def _of_storage(job: Job, is_s3: bool) -> float:
    """Uploads are put, looked up and read; results are put, in parts where they are large, and read."""
    put, get = (prices.S3_PUT, prices.S3_GET) if is_s3 else (prices.R2_WRITE, prices.R2_READ)
    uploads = len(job.uploads)
    files = sum(len(keys or {}) for keys in (job.stem_keys, job.player_keys, job.analysis_keys))
    results = int(job.stored_bytes or 0)
    has_parts = results > files * _PART
    puts = uploads + (2 * files + ceil(results / _PART) if has_parts else files)
    return put.of(puts) + get.of(2 * uploads + files)
