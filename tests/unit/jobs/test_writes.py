"""Writes that get in each other's way are made again."""

from __future__ import annotations

import pytest
from pynamodb.exceptions import (
    CancellationReason,
    TransactWriteError,
    UpdateError,
    VerboseClientError,
)

from stempipe.jobs.writes import _patiently


def cancelled(*codes: str | None) -> TransactWriteError:
    reasons = [CancellationReason(code) if code else None for code in codes]
    error = {"Error": {"Code": "TransactionCanceledException", "Message": "cancelled"}}
    return TransactWriteError(
        "", VerboseClientError(error, "TransactWriteItems", cancellation_reasons=reasons)
    )


def refused(code: str) -> UpdateError:
    return UpdateError("", VerboseClientError({"Error": {"Code": code, "Message": ""}}, "UpdateItem"))


CONFLICTS = [cancelled(None, "TransactionConflict"), refused("TransactionConflictException")]
REFUSALS = [
    cancelled("ConditionalCheckFailed", None),
    cancelled("ConditionalCheckFailed", "TransactionConflict"),
    refused("ConditionalCheckFailedException"),
]


class Write:
    """Fails so many times."""

    def __init__(self, fault: Exception, times: int) -> None:
        self.fault, self.times, self.count = fault, times, 0

    def __call__(self) -> None:
        self.count += 1
        if self.count <= self.times:
            raise self.fault


@pytest.mark.parametrize("fault", CONFLICTS)
def test_a_write_that_conflicts_with_another_is_made_again(fault: Exception) -> None:
    pauses: list[float] = []
    write = Write(fault, times=3)
    _patiently(write, pauses.append)
    assert (write.count, len(pauses)) == (4, 3)
    assert max(pauses) <= 2


@pytest.mark.parametrize("fault", CONFLICTS)
def test_it_is_not_made_for_ever(fault: Exception) -> None:
    write = Write(fault, times=1000)
    with pytest.raises(type(fault)):
        _patiently(write, lambda _: None)
    assert write.count == 12


@pytest.mark.parametrize("fault", REFUSALS)
def test_one_that_is_refused_for_good_is_not(fault: Exception) -> None:
    write = Write(fault, times=1)
    with pytest.raises(type(fault)):
        _patiently(write, lambda _: None)
    assert write.count == 1
