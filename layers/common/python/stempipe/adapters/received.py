"""The ids of the webhook messages that were received, so that none is received twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from stempipe.adapters.signatures import TOLERANCE_SECONDS
from stempipe.errors import AlreadyReceived

# A message passes from TOLERANCE_SECONDS before its time until as long after it.
_KEPT = timedelta(seconds=2 * TOLERANCE_SECONDS)


class ReceivedMessage(Model):
    """A message's id, until its signature is too old to pass."""

    id = UnicodeAttribute(hash_key=True)
    expires_at = TTLAttribute(attr_name="expiresAt")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ReceivedMessages:
    """Remembers messages.

    Parameters
    ----------
    table
        Name of the DynamoDB table.
    now
        The clock.
    """

    def __init__(self, table: str, now: Callable[[], datetime] = _utc_now) -> None:
        class BoundMessage(ReceivedMessage):
            class Meta:
                table_name = table
                connect_timeout_seconds = 2
                read_timeout_seconds = 4
                max_retry_attempts = 3

        self._model = BoundMessage
        self._now = now

    def check_new(self, message_id: str) -> None:
        """Refuse a message that is remembered.

        Raises
        ------
        AlreadyReceived
        """
        try:
            self._model.get(message_id, consistent_read=True)
        except self._model.DoesNotExist:
            return
        raise AlreadyReceived

    def remember(self, message_id: str) -> None:
        """Remember a message.

        Raises
        ------
        AlreadyReceived
            Another copy of it was faster.
        """
        try:
            self._model(message_id, expires_at=self._now() + _KEPT).save(
                condition=ReceivedMessage.id.does_not_exist()
            )
        except PutError as fault:
            if fault.cause_response_code == "ConditionalCheckFailedException":
                raise AlreadyReceived from fault
            raise
