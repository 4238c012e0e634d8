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
from botocore.config import Config
from moto import mock_aws

from local.template import load
from stempipe.adapters.queue import JobQueue
from stempipe.jobs.line import Line
from stempipe.jobs.table import Jobs
from stempipe.rules.dispatch import Dispatch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).resolve().parent.parent
UPLOADS = "stempipe-uploads-123456789012-us-east-1"
STEMS = "stempipe-stems-123456789012-us-east-1"
TABLE = "jobs"
CONNECTIONS = "connections"
TURNS = "turns"
USAGE = "usage"

TABLES = {TABLE: "JobsTable", USAGE: "UsageTable", CONNECTIONS: "ConnectionsTable", TURNS: "TurnsTable"}
QUEUES = (
    "JOBS_QUEUE_URL",
    "JOBS_DEAD_LETTER_QUEUE_URL",
    "INTAKE_DEAD_LETTER_QUEUE_URL",
    "WEBHOOKS_QUEUE_URL",
    "WEBHOOKS_DEAD_LETTER_QUEUE_URL",
    "NOTIFY_DEAD_LETTER_QUEUE_URL",
)
RESOURCES = load(ROOT / "template.yaml")["Resources"]


@dataclass(frozen=True)
class Aws:
    """The stack's resources."""

    s3: S3Client
    sqs: SQSClient
    jobs_queue_url: str
    jobs_dead_letter_queue_url: str
    intake_dead_letter_queue_url: str
    webhooks_queue_url: str
    webhooks_dead_letter_queue_url: str
    notify_dead_letter_queue_url: str

    def dispatch(self, jobs: Jobs, workers: int = 2) -> Dispatch:
        """Sends jobs to so many workers."""
        return Dispatch(jobs, Line(jobs, workers), JobQueue(self.sqs, self.jobs_queue_url))

    def messages(self, queue_url: str | None = None) -> list[dict[str, Any]]:
        """Bodies of the messages in the jobs queue, or in another; they are taken out of it."""
        answer = self.sqs.receive_message(QueueUrl=queue_url or self.jobs_queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def changes(self) -> list[dict[str, Any]]:
        """Records of the jobs table's stream, all there ever were, as Lambda gets them."""
        # moto does not know the addresses that have the account in them.
        config = Config(account_id_endpoint_mode="disabled")
        streams = boto3.client("dynamodbstreams", config=config)
        (stream,) = streams.list_streams(TableName=TABLE)["Streams"]
        (shard,) = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records: Any = streams.get_records(ShardIterator=iterator)["Records"]
        return list(records)


@contextmanager
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Start moto, make the resources, and set the environment as the template does."""
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "JOBS_TABLE": TABLE,
        "USAGE_TABLE": USAGE,
        "UPLOADS_BUCKET": UPLOADS,
        "STEMS_BUCKET": STEMS,
        "CONNECTIONS_TABLE": CONNECTIONS,
        "TURNS_TABLE": TURNS,
        "MAX_UPLOAD_BYTES": "1000000",
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
        "WEBHOOK_RETRY_SECONDS": "5,30",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3, sqs = boto3.client("s3"), boto3.client("sqs")
        for bucket in (UPLOADS, STEMS):
            s3.create_bucket(Bucket=bucket)
        for table in TABLES:
            create_table(boto3.client("dynamodb"), table)
        key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        monkeypatch.setenv("CALLBACK_KEY_ID", key)
        queues = {}
        for variable in QUEUES:
            queues[variable.lower()] = sqs.create_queue(QueueName=variable)["QueueUrl"]
            monkeypatch.setenv(variable, queues[variable.lower()])
        yield Aws(s3, sqs, **queues)


def create_table(dynamodb: DynamoDBClient, table: str = TABLE) -> None:
    """A table, as the template defines it."""
    template = RESOURCES[TABLES[table]]["Properties"]
    names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    properties = {name: template[name] for name in names if name in template}
    if stream := template.get("StreamSpecification"):
        properties["StreamSpecification"] = {"StreamEnabled": True, **stream}
    dynamodb.create_table(TableName=table, **properties)
