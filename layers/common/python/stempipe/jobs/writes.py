"""Conditional writes of a job's record, and of its owner's account where both change.

An answer of the table may be lost. The client then sends the write again, and finds it refused, for it was
made already: each write leaves a mark of its own in the record, by which it is known.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence

from pynamodb.exceptions import DeleteError, PutError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from stempipe.errors import StempipeError
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import NoRoom, TransitionRefused
from stempipe.jobs.usage import Entry

_Fault = PutError | UpdateError | DeleteError | TransactWriteError
# Of two transactions with one record, or of one and a plain write, DynamoDB refuses one at once. An owner who
# uploads hundreds of songs in a second has as many with one account: they take turns, by chance.
_TRIES = 12
_LONGEST_PAUSE = 2.0


def put(job: Job, condition: Condition, entries: Sequence[Entry] = ()) -> Job:
    """Write a whole record; returns it as the table holds it.

    Raises
    ------
    TransitionRefused
        The condition does not hold.
    NoRoom
        That of an account does not.
    """
    job.write_id = secrets.token_hex(8)
    try:
        if entries:
            _together(job, lambda transaction: transaction.save(job, condition), entries)
        else:
            _patiently(lambda: job.save(condition=condition))
    except (PutError, TransactWriteError) as fault:
        return _if_written(job, job.write_id, fault)
    return job


def change(job: Job, actions: list[Action], condition: Condition, entries: Sequence[Entry] = ()) -> Job:
    """Change a record; returns it as the table holds it.

    Raises
    ------
    TransitionRefused
        The condition does not hold.
    NoRoom
        That of an account does not.
    """
    write_id = secrets.token_hex(8)
    actions = [Job.write_id.set(write_id), *actions]
    try:
        if not entries:
            _patiently(lambda: job.update(actions, condition=condition))
            return job
        _together(job, lambda transaction: transaction.update(job, actions, condition), entries)
    except (UpdateError, TransactWriteError) as fault:
        return _if_written(job, write_id, fault)
    stored = _read(job)
    if stored is None:
        raise TransitionRefused(f"{job.id} was deleted just now")
    return stored


def note(job: Job, actions: list[Action], condition: Condition) -> None:
    """Change what is worth no more than noting: where the condition does not hold, nothing is noted."""
    try:
        _patiently(lambda: job.update(actions, condition=condition))
    except UpdateError as fault:
        if not _is_refusal(fault):
            raise


def forget(job: Job, condition: Condition, entries: Sequence[Entry]) -> None:
    """Delete a record. Where the condition does not hold, there is nothing left to delete."""
    try:
        _together(job, lambda transaction: transaction.delete(job, condition), entries)
    except TransactWriteError as fault:
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


def _together(job: Job, add: Callable[[TransactWrite], None], entries: Sequence[Entry]) -> None:
    """The job's write and the accounts', all or none. The job's is the first."""

    def write() -> None:
        with job.transaction() as transaction:
            add(transaction)
            for entry in entries:
                transaction.update(entry.usage, list(entry.actions), entry.condition)

    try:
        _patiently(write)
    except TransactWriteError as fault:
        codes = _codes(fault)
        if codes[:1] != ["ConditionalCheckFailed"] and "ConditionalCheckFailed" in codes:
            raise NoRoom(f"no room for {job.id}") from fault
        raise


def _patiently(write: Callable[[], object], pause: Callable[[float], None] = time.sleep) -> None:
    for number in range(1, _TRIES + 1):
        try:
            write()
        except (PutError, UpdateError, DeleteError, TransactWriteError) as fault:
            if not _is_conflict(fault) or number == _TRIES:
                raise
            pause(secrets.SystemRandom().uniform(0, min(_LONGEST_PAUSE, 0.02 * 2**number)))
        else:
            return


def _if_written(job: Job, write_id: str, fault: _Fault) -> Job:
    if not _is_refusal(fault):
        raise fault
    stored = _read(job)
    if stored is None or stored.write_id != write_id:
        raise TransitionRefused(f"{job.id} has changed") from fault
    return stored


def _read(job: Job) -> Job | None:
    try:
        return type(job).get(job.owner, job.id, consistent_read=True)
    except job.DoesNotExist:
        return None


def _is_refusal(fault: _Fault) -> bool:
    """Whether the condition on the job does not hold."""
    if isinstance(fault, TransactWriteError):
        return _codes(fault)[:1] == ["ConditionalCheckFailed"]
    return fault.cause_response_code == "ConditionalCheckFailedException"


def _is_conflict(fault: _Fault) -> bool:
    if isinstance(fault, TransactWriteError):
        codes = _codes(fault)
        return "TransactionConflict" in codes and "ConditionalCheckFailed" not in codes
    return fault.cause_response_code == "TransactionConflictException"


def _codes(fault: TransactWriteError) -> list[str]:
    """Why a transaction was cancelled, by its records; none if it was not."""
    return [reason.code if reason else "" for reason in fault.cancellation_reasons]
