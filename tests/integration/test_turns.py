"""Turns: of each owner there is one at a time, and no fault takes it away for good."""

from __future__ import annotations

from unittest.mock import patch

import boto3
import pytest
from pynamodb.models import Model

from stempipe.adapters.turns import Turns, TurnTaken
from tests.aws import RESOURCES, TURNS, Aws


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(cloud: Aws, clock: Clock) -> Turns:
    return Turns(TURNS, clock)


def taken(turns: Turns, owner: str = "alice") -> tuple[float | None, float]:
    """For how long the present turn lasts, and how long it is until the next at the latest."""
    with pytest.raises(TurnTaken) as other:
        turns.take(owner, 30)
    return other.value.lasts, other.value.left


def test_an_owner_has_one_at_a_time_and_others_have_theirs(turns: Turns, clock: Clock) -> None:
    turn = turns.take("alice", 30)
    clock.now += 2
    assert taken(turns) == (2, 28)
    turns.take("bob", 30)
    turns.give_back(turn, 0)
    turns.take("alice", 30)
    assert boto3.client("dynamodb").scan(TableName=TURNS)["Count"] == 2


def test_a_pause_comes_before_the_next(turns: Turns, clock: Clock) -> None:
    turns.give_back(turns.take("alice", 30), 8)
    clock.now += 7
    assert taken(turns) == (None, 1)
    clock.now += 1
    turns.take("alice", 30)


@pytest.mark.parametrize("pause", [0, 100])
def test_one_that_nobody_gives_back_ends_by_itself_and_then_leaves_the_next_alone(
    turns: Turns, clock: Clock, pause: float
) -> None:
    lost = turns.take("alice", 30)
    clock.now += 30
    turns.take("alice", 30)
    turns.give_back(lost, pause)
    assert taken(turns) == (0, 30)


def test_the_tables_lost_answer_is_no_others_turn(turns: Turns) -> None:
    save = Model.save

    def twice(*arguments: object, **options: object) -> object:
        save(*arguments, **options)  # type: ignore[arg-type]
        return save(*arguments, **options)  # type: ignore[arg-type]

    with patch.object(Model, "save", twice):
        turn = turns.take("alice", 30)
    turns.give_back(turn, 0)
    turns.take("alice", 30)


def test_what_is_over_does_not_stay_in_the_table() -> None:
    assert RESOURCES["TurnsTable"]["Properties"]["TimeToLiveSpecification"]["AttributeName"] == "expiresAt"
