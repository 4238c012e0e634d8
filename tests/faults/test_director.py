"""A job's history has what the table has, though the cloud go down amid a write."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stempipe.jobs.record import Status
from tests.faults.director import Director
from tests.faults.history import Item
from tests.faults.proxy import Answer, Call, ConnectionLost

KEY = ("somebody", "01K")


def item(version: int, status: Status) -> Item:
    return {
        "owner": {"S": KEY[0]},
        "id": {"S": KEY[1]},
        "status": {"S": status},
        "making": {"N": "1"},
        "version": {"N": str(version)},
        "attempt": {"N": "1"},
        "progress": {"N": "0"},
        "updatedAt": {"S": "2026-01-01T00:00:00.000000+00:00"},
    }


def call(operation: str, **content: Any) -> Call:
    head = f"POST / HTTP/1.1\r\nx-amz-target: DynamoDB_20120810.{operation}\r\nuser-agent: app/StatusFunction"
    return Call(f"{head}\r\n\r\n".encode(), json.dumps(content).encode(), 0, 0)


def director(there: Item | None) -> Director:
    async def read(owner: str, job_id: str) -> Item | None:
        assert (owner, job_id) == KEY
        return there

    made = Director(read)
    made.enlist(KEY[0], [])
    return made


async def goes_down() -> Answer:
    raise ConnectionLost


def history(there: Item | None, *calls: Call) -> list[tuple[int, Status, bool]]:
    """What is known after a job was made, and calls were answered by nobody."""
    found = director(there)

    async def created() -> Answer:
        return Answer(b"HTTP/1.1 200 OK\r\n\r\n{}")

    async def write() -> None:
        await found.handle(call("PutItem", Item=item(1, Status.AWAITING_UPLOAD)), created)
        for each in calls:
            with pytest.raises(ConnectionLost):
                await found.handle(each, goes_down)

    asyncio.run(write())
    return [(version.number, version.status, version.is_forgotten) for version in found.histories[KEY]]


MADE = (1, Status.AWAITING_UPLOAD, False)
KEY_OF = {name: item(1, Status.QUEUED)[name] for name in ("owner", "id")}
UPDATE = call("UpdateItem", Key=KEY_OF)


def test_a_write_that_was_the_last_thing_done_is_known_once() -> None:
    assert history(item(2, Status.QUEUED), UPDATE, UPDATE) == [MADE, (2, Status.QUEUED, False)]


def test_a_write_that_was_not_done_is_not() -> None:
    assert history(item(1, Status.AWAITING_UPLOAD), UPDATE) == [MADE]


def test_so_is_a_deletion() -> None:
    forget = call("DeleteItem", Key=KEY_OF)
    assert history(None, forget, forget) == [MADE, (1, Status.AWAITING_UPLOAD, True)]


def test_of_what_never_was_there_is_no_history() -> None:
    found = director(None)

    async def write() -> None:
        for each in (UPDATE, call("PutItem", Item=item(1, Status.QUEUED)), call("DeleteItem", Key=KEY_OF)):
            with pytest.raises(ConnectionLost):
                await found.handle(each, goes_down)

    asyncio.run(write())
    assert not found.jobs_of(KEY[0])
