"""Turns: of each owner one thing is done at a time, whoever does it, so that nobody takes all hands."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError, PutError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model


class Turn(Model):
    """Whose turn it is, and until when nobody else's is of the same owner."""

    owner = UnicodeAttribute(hash_key=True)
    # Known to its holder alone: an answer of the table may be lost, and the write be sent again.
    holder = UnicodeAttribute()
    # Seconds since the epoch. None: it is over, and what is left of it is a pause.
    began_at = NumberAttribute(attr_name="beganAt", null=True)
    expires_at = TTLAttribute(attr_name="expiresAt")


class TurnTaken(Exception):
    """It is not the owner's turn.

    Parameters
    ----------
    lasts
        Seconds since the present turn began; None while the owner pauses.
    left
        Seconds until there is another turn, at the latest.
    """

    def __init__(self, lasts: float | None, left: float) -> None:
        super().__init__(f"another turn of the owner's is left for {left:.0f} s at most")
        self.lasts = lasts
        self.left = left


class Turns:
    """Take them, and give them back.

    Parameters
    ----------
    table
        Name of the DynamoDB table.
    now
        Seconds since the epoch.
    """

    def __init__(self, table: str, now: Callable[[], float]) -> None:
        class BoundTurn(Turn):
            class Meta:
                table_name = table
                connect_timeout_seconds = 2
                read_timeout_seconds = 4
                max_retry_attempts = 3

        self._model = BoundTurn
        self._now = now

    def take(self, owner: str, seconds: float) -> Turn:
        """Take a turn of an owner's, which ends by itself if it is not given back within ``seconds``.

        Raises
        ------
        TurnTaken
            Another one is not over.
        """
        now = self._now()
        turn = self._model(
            owner, holder=secrets.token_hex(8), began_at=now, expires_at=_moment(now + seconds)
        )
        if self._put(turn, Turn.owner.does_not_exist() | (Turn.expires_at <= _moment(now))):
            return turn
        try:
            present = self._model.get(owner, consistent_read=True)
        except self._model.DoesNotExist:  # given back since
            raise TurnTaken(0, 0) from None
        if present.holder == turn.holder:
            return turn
        lasts = None if present.began_at is None else now - present.began_at
        raise TurnTaken(lasts, present.expires_at.timestamp() - now)

    def give_back(self, turn: Turn, pause: float) -> None:
        """End a turn; the owner's next is ``pause`` seconds away. One that ended by itself is left alone."""
        is_mine = Turn.holder == turn.holder
        if pause:
            turn.began_at, turn.expires_at = None, _moment(self._now() + pause)
            self._put(turn, is_mine)
            return
        try:
            turn.delete(condition=is_mine)
        except DeleteError as fault:
            _unless_refused(fault)

    def _put(self, turn: Turn, condition: Condition) -> bool:
        try:
            turn.save(condition=condition)
        except PutError as fault:
            _unless_refused(fault)
            return False
        return True


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)


def _unless_refused(fault: PutError | DeleteError) -> None:
    if fault.cause_response_code != "ConditionalCheckFailedException":
        raise fault
