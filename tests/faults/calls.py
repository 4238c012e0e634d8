"""Calls in a cloud where much goes wrong: made again until they work, or left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from botocore.exceptions import BotoCoreError, ClientError

T = TypeVar("T")


class Violation(Exception):
    """Something that must hold does not."""


async def persist(attempt: Callable[[], Awaitable[T]], seconds: float = 60) -> T:
    """As a client does it: again, until it works."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await attempt()
        except (httpx.HTTPError, BotoCoreError, ClientError) as fault:
            if time.monotonic() > deadline:
                raise Violation(f"not within {seconds:.0f} s: {fault!r}") from fault
            await asyncio.sleep(0.3)


async def unless_down(work: Callable[[], T]) -> T | None:
    """In a thread; None while the cloud is down."""
    try:
        return await asyncio.to_thread(work)
    except (BotoCoreError, ClientError):
        return None
