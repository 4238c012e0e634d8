"""Conditional writes of a job's record.

An answer of the table may be lost. The client then sends the write again, and finds it refused, for it was
made already: each write leaves a mark of its own in the record, by which it is known.
"""

from __future__ import annotations

import secrets

from pynamodb.exceptions import DeleteError, PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from stempipe.errors import StempipeError
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import TransitionRefused


def put(job: Job, condition: Condition) -> Job:
    """Write a whole record; returns it as the table holds it.

    Raises
    ------
    TransitionRefused
        The condition does not hold.
    """
    job.write_id = secrets.token_hex(8)
    try:
        job.save(condition=condition)
    except PutError as fault:
        return _if_written(job, job.write_id, fault)
    return job


def change(job: Job, actions: list[Action], condition: Condition) -> Job:
    """Change a record; returns it as the table holds it.

    Raises
    ------
    TransitionRefused
        The condition does not hold.
    """
    write_id = secrets.token_hex(8)
    try:
        job.update([Job.write_id.set(write_id), *actions], condition=condition)
    except UpdateError as fault:
        return _if_written(job, write_id, fault)
    return job


def note(job: Job, actions: list[Action], condition: Condition) -> None:
    """Change what is worth no more than noting: where the condition does not hold, nothing is noted."""
    try:
        job.update(actions, condition=condition)
    except UpdateError as fault:
        if not _is_refusal(fault):
            raise


def forget(job: Job, condition: Condition) -> None:
    """Delete a record. Where the condition does not hold, there is nothing left to delete."""
    try:
        job.delete(condition=condition)
    except DeleteError as fault:
        if not _is_refusal(fault):
            raise


def failure(error: StempipeError) -> list[Action]:
    """What a failed job says of its error."""
    return [Job.error_code.set(error.code), Job.error_message.set(error.message)]


def ending(job: Job, error: StempipeError) -> tuple[Status, list[Action]]:
    """How a job ends that no worker will take again, by what it says then.

    One whose stems are stored has what it is for: it completes, and says why there is no analysis.
    """
    if job.stem_keys is None:
        return Status.FAILED, failure(error)
    return Status.COMPLETED, [
        Job.progress.set(100),
        Job.analysis_error_code.set(error.code),
        Job.analysis_error_message.set(error.message),
    ]


def _if_written(job: Job, write_id: str, fault: PutError | UpdateError) -> Job:
    if not _is_refusal(fault):
        raise fault
    try:
        stored = type(job).get(job.owner, job.id, consistent_read=True)
    except job.DoesNotExist:
        stored = None
    if stored is None or stored.write_id != write_id:
        raise TransitionRefused(f"{job.id} has changed") from fault
    return stored


def _is_refusal(fault: PutError | UpdateError | DeleteError) -> bool:
    return fault.cause_response_code == "ConditionalCheckFailedException"
