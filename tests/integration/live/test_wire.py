"""The wire: one message to one connection, by the management API of API Gateway."""

from __future__ import annotations

import time
from typing import Any

import pytest

from stempipe.adapters.connections import Unreachable, Wire, wire_client
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


@pytest.mark.parametrize("fault", [500, 429, hang(30)])
def test_a_connection_that_cannot_be_written_to_is_cut_off_soon(
    cloud: Aws, gateway: Receiver, fault: Any
) -> None:
    gateway.answers = [fault, fault, 204]
    began = time.monotonic()
    with pytest.raises(Unreachable):
        Wire(wire_client(gateway.url)).send("phone", "{}")
    assert time.monotonic() - began < 8
    assert len(gateway.received) == 3  # twice the message, then the end
