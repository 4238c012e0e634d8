"""The jobs queue: one message says that one job may be worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from pydantic import BaseModel

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class JobMessage(BaseModel):
    """A message's body."""

    owner: str
    id: str


def sqs_client() -> SQSClient:
    """A client with timeouts that suit a function."""
    return boto3.client(
        "sqs",
        config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 4}),
    )


class JobQueue:
    """Send messages, and put off the one in hand."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, owner: str, job_id: str) -> None:
        """Say that a job may be worked on."""
        body = JobMessage(owner=owner, id=job_id).model_dump_json()
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def put_off(self, receipt_handle: str, seconds: int) -> None:
        """Let a message that was received come back after ``seconds`` (0 to 43,200)."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )
