"""moto's AWS, with the table of the real template: for tests of the rules and of each handler."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from local.template import load

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).resolve().parent.parent
UPLOADS = "stempipe-uploads-123456789012-us-east-1"
STEMS = "stempipe-stems-123456789012-us-east-1"
TABLE = "jobs"

TABLE_PROPERTIES = load(ROOT / "template.yaml")["Resources"]["JobsTable"]["Properties"]


@dataclass(frozen=True)
class Aws:
    """The stack's resources."""

    s3: S3Client
    sqs: SQSClient
    queue_url: str
    dead_letter_queue_url: str
    intake_dead_letter_queue_url: str

    def messages(self) -> list[dict[str, Any]]:
        """Bodies of the messages in the jobs queue; they are taken out of it."""
        answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@contextmanager
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Start moto, make the resources, and set the environment as the template does."""
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "JOBS_TABLE": TABLE,
        "UPLOADS_BUCKET": UPLOADS,
        "STEMS_BUCKET": STEMS,
        "MAX_UPLOAD_BYTES": "1000000",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3, sqs = boto3.client("s3"), boto3.client("sqs")
        for bucket in (UPLOADS, STEMS):
            s3.create_bucket(Bucket=bucket)
        create_table(boto3.client("dynamodb"))
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        dead_uploads = sqs.create_queue(QueueName="dead-uploads")["QueueUrl"]
        monkeypatch.setenv("JOBS_QUEUE_URL", queue)
        monkeypatch.setenv("JOBS_DEAD_LETTER_QUEUE_URL", dead)
        monkeypatch.setenv("INTAKE_DEAD_LETTER_QUEUE_URL", dead_uploads)
        yield Aws(s3, sqs, queue, dead, dead_uploads)


def create_table(dynamodb: DynamoDBClient) -> None:
    """The jobs table, as the template defines it."""
    properties = {
        name: TABLE_PROPERTIES[name]
        for name in ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    }
    dynamodb.create_table(TableName=TABLE, **properties)
