"""The queues: one message says that one job may be worked on, or that one end of a job is to be told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from pydantic import BaseModel

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageSystemAttributeValueTypeDef

    _Header = dict[Literal["AWSTraceHeader"], MessageSystemAttributeValueTypeDef]


HELD_SECONDS = 10
"""How long a dead letter that somebody looks at is nobody else's."""


class JobMessage(BaseModel):
    """A message of the jobs queue."""

    owner: str
    id: str


class WebhookMessage(BaseModel):
    """A message of the webhooks queue: the job, and the version of it that is to be told."""

    owner: str
    id: str
    version: int


class TryAgain(Exception):
    """The message must come back.

    Parameters
    ----------
    seconds
        When.
    """

    def __init__(self, reason: str, seconds: int) -> None:
        super().__init__(reason)
        self.seconds = seconds


def sqs_client(wait_seconds: int = 0) -> SQSClient:
    """A client with timeouts that suit a function, and that waits so long for messages."""
    return boto3.client(
        "sqs",
        config=Config(
            connect_timeout=2,
            read_timeout=5 + wait_seconds,
            retries={"mode": "standard", "max_attempts": 4},
        ),
    )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up.

    Attributes
    ----------
    sent_at
        When it was sent for the first time.
    """

    id: str
    body: str
    receipt_handle: str
    sent_at: datetime


class DeadLetters:
    """Look at what was given up, and delete what is done with.

    Parameters
    ----------
    client
        From ``sqs_client``.
    url
        Of the queue.
    wait_seconds
        How long to wait for a message until there is none; 20 at most. Without waiting SQS asks only some of
        its servers, and a few messages may seem to be none.
    """

    def __init__(self, client: SQSClient, url: str, wait_seconds: int = 0) -> None:
        self._client = client
        self._url = url
        self._wait_seconds = wait_seconds

    def receive(self, at_most: int) -> Iterator[DeadLetter]:
        """Messages, which for ``HELD_SECONDS`` nobody else receives; those not deleted then come back."""
        seen: set[str] = set()
        while len(seen) < at_most:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HELD_SECONDS,
                WaitTimeSeconds=self._wait_seconds,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            messages = [item for item in answer.get("Messages", []) if item["MessageId"] not in seen]
            if not messages:
                return
            for item in messages:
                seen.add(item["MessageId"])
                sent_at = datetime.fromtimestamp(int(item["Attributes"]["SentTimestamp"]) / 1000, UTC)
                yield DeadLetter(item["MessageId"], item["Body"], item["ReceiptHandle"], sent_at)

    def delete(self, letter: DeadLetter) -> None:
        """Forget a message."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt_handle)


class _Queue:
    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def _send(self, message: JobMessage | WebhookMessage, trace: str | None = None) -> str:
        # A fair queue: where one owner's messages take up those who receive, other owners' come first.
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        group = hashlib.sha256(message.owner.encode()).hexdigest()
        # It counts before the header by which the client tells of whatever this process is at.
        # https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
        header: _Header = {}
        if trace:
            header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        answer = self._client.send_message(
            QueueUrl=self._url,
            MessageBody=message.model_dump_json(),
            MessageGroupId=group,
            MessageSystemAttributes=header,
        )
        return answer["MessageId"]

    def put_off(self, receipt_handle: str, seconds: int) -> None:
        """Let a message that was received come back after ``seconds`` (0 to 43,200)."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )


@dataclass(frozen=True, slots=True)
class Received:
    """A message in hand: what it says, and by what the queue knows who has it."""

    body: str
    receipt_handle: str


class JobQueue(_Queue):
    """Send messages, and put off the one in hand; or take them, where nothing brings them."""

    def receive(self, wait_seconds: int, hold_seconds: int) -> Received | None:
        """Take a message; wait for one if there is none, for 20 s at most, and no longer than the client.

        It comes back after ``hold_seconds``, unless it is put off or deleted by then.
        """
        answer = self._client.receive_message(
            QueueUrl=self._url, WaitTimeSeconds=wait_seconds, VisibilityTimeout=hold_seconds
        )
        for item in answer.get("Messages", []):
            return Received(item["Body"], item["ReceiptHandle"])
        return None

    def delete(self, receipt_handle: str) -> None:
        """Be done with a message that was received."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt_handle)

    def send(self, owner: str, job_id: str, trace: str | None = None) -> str:
        """Say that a job may be worked on. Returns the message's id.

        Parameters
        ----------
        trace
            X-Ray's header of the trace that the work belongs to; None is this process's own.
        """
        return self._send(JobMessage(owner=owner, id=job_id), trace)

    def waiting(self) -> int:
        """About how many messages nobody has taken yet."""
        answer = self._client.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


class WebhookQueue(_Queue):
    """Send messages, and put off the one in hand."""

    def send(self, owner: str, job_id: str, version: int) -> None:
        """Say that the job, as it is in this version, is to be told to its callback."""
        self._send(WebhookMessage(owner=owner, id=job_id, version=version))


class AsideQueue(_Queue):
    """Where records of a stream are put that cannot be read, so that those behind them go on."""

    def put(self, record: Mapping[str, Any]) -> None:
        """Keep one, for somebody to look at."""
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(record, default=str))
