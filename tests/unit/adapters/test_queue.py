"""Dead letters, from queues that answer as SQS documents and no local cloud does."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from stempipe.adapters.queue import HELD_SECONDS, DeadLetters, sqs_client


class Sqs:
    """Short polling asks some of the servers, not those that have the messages; long polling asks all."""

    def __init__(self, *bodies: str) -> None:
        self.left = [
            {
                "MessageId": body,
                "Body": body,
                "ReceiptHandle": f"handle of {body}",
                "Attributes": {"SentTimestamp": "1767268800000"},
            }
            for body in bodies
        ]
        self.waits: list[int] = []

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.waits.append(asked["WaitTimeSeconds"])
        if not asked["WaitTimeSeconds"]:
            return {}
        # And never so many as asked for.
        found, self.left = self.left[:3], self.left[3:]
        return {"Messages": found} if found else {}


def test_whoever_waits_finds_every_letter() -> None:
    sqs: Any = Sqs(*"abcdefgh")
    letters = DeadLetters(sqs, "https://queue", wait_seconds=12).receive(200)
    assert [letter.body for letter in letters] == list("abcdefgh")
    assert set(sqs.waits) == {12}


def test_letters_that_nobody_deletes_come_back_and_are_the_end() -> None:
    sqs: Any = Sqs(*"abc" * 5)
    letters = DeadLetters(sqs, "https://queue", wait_seconds=12).receive(200)
    assert [letter.id for letter in letters] == list("abc")


def test_redrive_waits_for_what_a_sweep_has_just_looked_at(
    load_app: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patience = load_app("sweep").PATIENCE_SECONDS
    assert HELD_SECONDS < patience <= 20  # what SQS allows
    config: Any = sqs_client(patience).meta.config
    assert config.read_timeout > patience
