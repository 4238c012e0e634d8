"""The faults: each is bound to the nth call of a step, and happens around that call."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol
from uuid import uuid4

from tests.faults.proxy import Answer, Call, ConnectionLost, Forward
from tests.faults.steps import Step


class Hands(Protocol):
    """What a fault does to the processes at the other end of a call."""

    def process_of(self, call: Call) -> int | None:
        """The process that calls."""

    def still_at_it(self, pid: int, owner: str) -> bool:
        """Whether the process works on nothing else by now."""

    def kill(self, pid: int, step: Step) -> None: ...
    def stop(self, pid: int, step: Step) -> None: ...
    def freeze(self, pid: int, step: Step) -> None: ...
    def thaw(self, pid: int) -> None: ...
    def fill_disk(self, pid: int, step: Step, size: int) -> None: ...
    def empty_disk(self, pid: int) -> None: ...

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else."""


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong at the ``nth`` call of a step, and at the ``times - 1`` next ones.

    Attributes
    ----------
    happened
        At which step it did, and how often.
    """

    step: Step
    nth: int = 1
    times: int = 1
    happened: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """For the summary."""
        return type(self).__name__

    def is_due(self, step: Step, count: int) -> bool:
        """Whether it concerns the ``count``-th call of a step."""
        return step is self.step and self.nth <= count < self.nth + self.times

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        """Answer the call, or raise ``ConnectionLost``."""
        raise NotImplementedError

    def __str__(self) -> str:
        shown = [
            f"{item.name}={getattr(self, item.name)}"
            for item in fields(self)
            if item.name not in ("step", "nth", "happened") and getattr(self, item.name) != item.default
        ]
        return " ".join([f"{self.name} at {self.step} {self.nth}", *shown])


# ---- processes ---------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _ToProcess(Fault):
    """``before`` the call has reached the cloud, or ``seconds`` after it has."""

    before: bool = False
    seconds: float = 0.0

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        pid = hands.process_of(call)
        if pid is None:
            return await forward()
        if self.before:
            self.happened += 1
            return await self.strike(pid, forward, hands)
        answer = await forward()
        if self.seconds:
            hands.later(self._strike_later(pid, owner, answer, hands))
            return answer
        self.happened += 1
        return await self.strike(pid, _having(answer), hands)

    async def _strike_later(self, pid: int, owner: str, answer: Answer, hands: Hands) -> None:
        await asyncio.sleep(self.seconds)
        if hands.still_at_it(pid, owner):
            self.happened += 1
            with suppress(ConnectionLost):
                await self.strike(pid, _having(answer), hands)

    async def strike(self, pid: int, forward: Forward, hands: Hands) -> Answer:
        raise NotImplementedError


@dataclass(kw_only=True)
class Kill(_ToProcess):
    """The process dies without a word."""

    async def strike(self, pid: int, forward: Forward, hands: Hands) -> Answer:
        hands.kill(pid, self.step)
        raise ConnectionLost


@dataclass(kw_only=True)
class Stop(_ToProcess):
    """The process is asked to end. One that Lambda runs does so at once, as if it were killed."""

    async def strike(self, pid: int, forward: Forward, hands: Hands) -> Answer:
        hands.stop(pid, self.step)
        return await forward()


@dataclass(kw_only=True)
class Freeze(_ToProcess):
    """The process stands still for ``duration`` seconds, and then goes on as if nothing had been."""

    duration: float

    async def strike(self, pid: int, forward: Forward, hands: Hands) -> Answer:
        hands.freeze(pid, self.step)
        hands.later(self._thaw(pid, hands))
        return await forward()

    async def _thaw(self, pid: int, hands: Hands) -> None:
        await asyncio.sleep(self.duration)
        hands.thaw(pid)


@dataclass(kw_only=True)
class FullDisk(Fault):
    """From this call on, until ``seconds`` later, no file of the process grows beyond ``size`` bytes."""

    size: int
    seconds: float = 2.0

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        if (pid := hands.process_of(call)) is not None:
            self.happened += 1
            hands.fill_disk(pid, self.step, self.size)
            hands.later(self._lift(pid, hands))
        return await forward()

    async def _lift(self, pid: int, hands: Hands) -> None:
        await asyncio.sleep(self.seconds)
        hands.empty_disk(pid)


# ---- services ----------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Refuse(Fault):
    """The service throttles, or fails by itself."""

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        self.happened += 1
        match self.step.service:
            case "dynamodb":
                error = {
                    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                    "message": "The level of configured provisioned throughput was exceeded.",
                }
                return Answer.error(400, "application/x-amz-json-1.0", json.dumps(error))
            case "sqs":
                error = {"__type": "com.amazonaws.sqs#ServiceUnavailable", "message": "Try again."}
                return Answer.error(503, "application/x-amz-json-1.0", json.dumps(error))
        code, status = ("SlowDown", 503) if self.nth % 2 else ("InternalError", 500)
        return Answer.error(status, "application/xml", f"<Error><Code>{code}</Code></Error>")


@dataclass(kw_only=True)
class Stall(Fault):
    """Nothing comes for some seconds. The call gets through all the same, be it that nobody waits for it."""

    seconds: float

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        self.happened += 1
        await asyncio.sleep(self.seconds)
        return await forward()


@dataclass(kw_only=True)
class LoseAnswer(Fault):
    """The call gets through; that it did is never heard."""

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        await forward()
        self.happened += 1
        raise ConnectionLost


@dataclass(kw_only=True)
class ShortRead(Fault):
    """Of an object's bytes only ``share`` comes; the answer may even say that this is all (``pretends``)."""

    share: float
    pretends: bool = False

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        answer = await forward()
        head, body = answer.split
        cut = int(len(body) * self.share)
        self.happened += 1
        if not self.pretends:
            return replace(answer, cut=cut)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        return Answer(
            b"\r\n".join([*lines, b"content-length: " + str(cut).encode()]) + b"\r\n\r\n" + body[:cut]
        )


# ---- the owner ---------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Moment(Fault):
    """No fault: a moment at which the owner does something. The call waits until it is done, ``hold``
    seconds at most."""

    hold: float = 0.0
    is_come: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)
    is_over: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        self.happened += 1
        self.is_come.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.is_over.wait(), self.hold)
        return await forward()

    def __str__(self) -> str:
        return f"at {self.step} {self.nth}, held {self.hold} s"


# ---- messages ----------------------------------------------------------------------------------


@dataclass(kw_only=True)
class DropMessage(Fault):
    """The queue says that it has the message, and has not."""

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        self.happened += 1
        digest = hashlib.md5(call.json["MessageBody"].encode()).hexdigest()
        said = {"MessageId": str(uuid4()), "MD5OfMessageBody": digest}
        body = json.dumps(said)
        answer = Answer.error(200, "application/x-amz-json-1.0", body)
        return replace(answer, raw=answer.raw.replace(b"200 Error", b"200 OK", 1))


@dataclass(kw_only=True)
class DuplicateMessage(Fault):
    """The message is in the queue more than once."""

    copies: int = 1

    async def around(self, call: Call, owner: str, forward: Forward, hands: Hands) -> Answer:
        for _ in range(self.copies):
            await forward()
        self.happened += 1
        return await forward()


def _having(answer: Answer) -> Forward:
    async def forward() -> Answer:
        return answer

    return forward
