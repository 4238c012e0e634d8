"""What an owner's account must say, as the histories of the owner's jobs and storage itself have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from stempipe.jobs.record import Status
from tests.faults.history import Version, lives

Account = Mapping[str, float]


def account(jobs: Iterable[Sequence[Version]], sizes: Mapping[str, int]) -> Account:
    """The account of the owner of these jobs.

    Parameters
    ----------
    sizes
        Bytes of the results that are stored, by their keys.
    """
    histories = list(jobs)
    there = [versions[-1] for versions in histories if not versions[-1].is_forgotten]
    return {
        "open": sum(not job.status.is_final for job in there),
        "letIn": sum(job.is_with_workers for job in there),
        "seconds": round(sum(_seconds(life) for versions in histories for life in lives(versions)), 3),
        "bytes": sum(_bytes(job, sizes) for job in there),
    }


def _bytes(job: Version, sizes: Mapping[str, int]) -> int:
    if not job.status.is_final:
        return job.bytes
    if job.status is Status.CANCELLED:
        return 0
    return job.arrived + sum(sizes[key] for key in job.files.values())


def _seconds(life: Sequence[Version]) -> float:
    """Of each time that the job was open: its length if a worker began it, else nothing."""
    counted, begun = 0.0, False
    for before, after in pairwise(life):
        if before.status.is_final and not after.status.is_final:
            begun = False
        begun |= after.attempt != before.attempt
        if after.status.is_final and not before.status.is_final and begun:
            counted += before.reserved if after.seconds is None else after.seconds
    return counted + (0.0 if life[-1].status.is_final else life[-1].reserved)
