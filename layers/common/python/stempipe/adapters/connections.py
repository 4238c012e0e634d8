"""The adapters of live progress: the table of connections, and API Gateway's way to write to one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import BooleanAttribute, TTLAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.models import Model

from stempipe.errors import InvalidRequest, TooManyConnections
from stempipe.jobs.messages import is_soon_outdated
from stempipe.observability import Metric, logger

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

LIFETIME = timedelta(hours=2.5)
"""API Gateway ends a connection after two hours; its record may stay half an hour longer."""

WRITERS = 32
"""Connections that are written to at the same time."""

MOST = 20
"""Connections of one owner: each change of a job is written to all of them."""

MOST_JOBS = 100
"""Jobs that a connection may name: with each change all are read."""

THROTTLED_SECONDS = (0.5, 1.0)
"""Waits between the tries of a message that API Gateway refused because it was asked too often. The client
makes two of each try."""


class Connection(Model):
    """What one connection is subscribed to. There is no record of one that is subscribed to nothing."""

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    # All of the owner's jobs, or those named.
    everything = BooleanAttribute(default=False)
    jobs = UnicodeSetAttribute(null=True)
    expires_at = TTLAttribute(attr_name="expiresAt")

    def wants(self, job_id: str) -> bool:
        """Whether it is to hear of a job of its owner."""
        return self.everything or job_id in (self.jobs or ())


def connection_model(table: str) -> type[Connection]:
    """The record bound to a table."""

    class BoundConnection(Connection):
        class Meta:
            table_name = table
            connect_timeout_seconds = 2
            read_timeout_seconds = 4
            max_retry_attempts = 3

    return BoundConnection


class Connections:
    """Who is to hear of which jobs.

    The key begins with the owner, so that a change finds those who are to hear of it by one query, and
    nobody else.

    Parameters
    ----------
    table
        Name of the DynamoDB table.
    """

    def __init__(self, table: str) -> None:
        self._model = connection_model(table)

    def subscribe(self, owner: str, connection_id: str, job_id: str | None) -> None:
        """To one job, or to all.

        Raises
        ------
        TooManyConnections
            The owner has as many others as it may have.
        InvalidRequest
            The connection has as many jobs as it may have.
        """
        mine = self._among(owner, connection_id)
        named = (mine and mine.jobs) or set()
        if job_id is not None and job_id not in named and len(named) >= MOST_JOBS:
            raise InvalidRequest(
                f"jobId: {MOST_JOBS} are subscribed to. Subscribe to all your jobs, without it."
            )
        what = Connection.everything.set(True) if job_id is None else Connection.jobs.add({job_id})
        self._model(owner, connection_id).update([what, Connection.expires_at.set(_expiry())])
        if mine is None:
            try:
                self._among(owner, connection_id)  # others may have come at the same moment
            except TooManyConnections:
                self.forget(owner, connection_id)
                raise

    def _among(self, owner: str, connection_id: str) -> Connection | None:
        """The record of a connection; none of one that is subscribed to nothing, and may be."""
        now = datetime.now(UTC)
        present = {one.id: one for one in self.of(owner) if one.expires_at > now}
        mine = present.pop(connection_id, None)
        if len(present) >= MOST:
            raise TooManyConnections(MOST)
        return mine

    def unsubscribe(self, owner: str, connection_id: str, job_id: str | None) -> None:
        """From one job, or from everything."""
        if job_id is None:
            self.forget(owner, connection_id)
        else:
            what = Connection.jobs.delete({job_id})
            try:
                self._model(owner, connection_id).update([what], condition=Connection.id.exists())
            except UpdateError as fault:
                # Of what is subscribed to nothing there is no record, and none is to be made.
                if fault.cause_response_code != "ConditionalCheckFailedException":
                    raise

    def of(self, owner: str) -> list[Connection]:
        """The owner's connections that are subscribed to something.

        Whoever subscribed before a change is found by whoever looks after it.
        """
        return list(self._model.query(owner, consistent_read=True))

    def forget(self, owner: str, connection_id: str) -> None:
        """The connection is no more."""
        self._model(owner, connection_id).delete()


def _expiry() -> datetime:
    return datetime.now(UTC) + LIFETIME


class Unreachable(Exception):
    """The connection is closed, or cannot be written to; by now it is closed in either case."""


class Send(Protocol):
    """Writes one message to a connection; raises ``Unreachable`` when it did not go out."""

    def __call__(self, connection_id: str, message: str) -> None: ...


class Wire:
    """Writes to connections.

    Parameters
    ----------
    client
        From ``wire_client``.
    """

    def __init__(self, client: ApiGatewayManagementApiClient) -> None:
        self._client = client

    def send(self, connection_id: str, message: str) -> None:
        """Write one message.

        A client that cannot be written to is cut off, for a hole in what it hears would be worse: it comes
        back, and gets the present state. Not so where API Gateway is asked too often, which is no fault of
        the client's, and which its coming back would make worse: a message that is soon outdated is left out
        then, and any other is tried again.

        Raises
        ------
        Unreachable
            The message did not go out.
        """
        for wait in (*THROTTLED_SECONDS, None):
            try:
                self._client.post_to_connection(ConnectionId=connection_id, Data=message.encode())
                return
            except (ClientError, BotoCoreError) as fault:
                if _status(fault) == HTTPStatus.TOO_MANY_REQUESTS:
                    Metric.MESSAGES_THROTTLED.add()
                    if is_soon_outdated(message):
                        return
                    if wait is not None:
                        time.sleep(wait)
                        continue
                if _status(fault) != HTTPStatus.GONE:
                    logger.warning("It cannot be written to", connection=connection_id, reason=str(fault))
                    self._cut_off(connection_id)
                raise Unreachable(connection_id) from fault

    def _cut_off(self, connection_id: str) -> None:
        try:
            self._client.delete_connection(ConnectionId=connection_id)
        except (ClientError, BotoCoreError):
            logger.info("It could not be cut off either", connection=connection_id)


def _status(fault: ClientError | BotoCoreError) -> int | None:
    """The HTTP status of an answer; None if there was no answer."""
    return fault.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(fault, ClientError) else None


def wire_client(endpoint: str) -> ApiGatewayManagementApiClient:
    """A client that waits for nobody long: a slow connection must not hold up the others."""
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=1,
            read_timeout=2,
            retries={"mode": "standard", "total_max_attempts": 2},
            max_pool_connections=WRITERS,
        ),
    )
