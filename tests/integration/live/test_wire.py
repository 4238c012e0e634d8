"""The wire: one message to one connection, by the management API of API Gateway."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from stempipe.adapters.connections import Unreachable, Wire, wire_client
from stempipe.jobs.record import Status
from tests.aws import Aws
from tests.receiver import Receiver, hang


def test_a_message_is_posted_to_its_connection(cloud: Aws, gateway: Receiver) -> None:
    Wire(wire_client(gateway.url)).send("L0SM9cOFvHcCIhw=", "{}")
    (request,) = gateway.received
    assert (request.path, request.body) == ("/@connections/L0SM9cOFvHcCIhw%3D", b"{}")


def test_a_closed_connection_is_unreachable(cloud: Aws, gateway: Receiver) -> None:
    gateway.answers = [410]
    with pytest.raises(Unreachable):
        Wire(wire_client(gateway.url)).send("phone", "{}")
    assert len(gateway.received) == 1


def progress(status: Status) -> str:
    return json.dumps({"type": "job", "job": {"id": "01K", "status": status, "version": 5}})


@pytest.mark.parametrize("message", ['{"type": "pong"}', progress(Status.COMPLETED), progress(Status.QUEUED)])
def test_a_message_that_matters_waits_until_api_gateway_is_asked_less_often(
    cloud: Aws, gateway: Receiver, message: str
) -> None:
    gateway.answers = [429, 429, 429, 200]
    Wire(wire_client(gateway.url)).send("phone", message)
    assert [request.body for request in gateway.received] == 4 * [message.encode()]


def test_progress_is_left_out_while_api_gateway_is_asked_too_often(cloud: Aws, gateway: Receiver) -> None:
    gateway.answers = [429, 429, 200]
    wire = Wire(wire_client(gateway.url))
    wire.send("phone", progress(Status.PROCESSING))
    wire.send("phone", progress(Status.COMPLETED))
    assert [json.loads(request.body)["job"]["status"] for request in gateway.received] == [
        *2 * ["processing"],
        "completed",
    ]


def test_a_connection_is_cut_off_where_its_jobs_end_cannot_be_told_at_all(
    cloud: Aws, gateway: Receiver
) -> None:
    gateway.answers = [429]
    with pytest.raises(Unreachable):
        Wire(wire_client(gateway.url)).send("phone", progress(Status.COMPLETED))
    # Six tries, and the end, which is tried twice.
    assert [request.body != b"" for request in gateway.received] == [*6 * [True], *2 * [False]]


@pytest.mark.parametrize("fault", [500, hang(30)])
def test_a_connection_that_cannot_be_written_to_is_cut_off_soon(
    cloud: Aws, gateway: Receiver, fault: Any
) -> None:
    gateway.answers = [fault, fault, 204]
    began = time.monotonic()
    with pytest.raises(Unreachable):
        Wire(wire_client(gateway.url)).send("phone", "{}")
    assert time.monotonic() - began < 8
    assert len(gateway.received) == 3  # twice the message, then the end
