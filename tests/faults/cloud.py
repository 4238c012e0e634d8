"""The local cloud with short times, behind the proxy, and with storage's events in the suite's own hands."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local import workers
from local.cloud import STACK, Deployment, running
from stempipe.adapters.queue import DeadLetters, sqs_client
from stempipe.adapters.storage import Storage, s3_client
from stempipe.jobs.table import Jobs
from stempipe.observability import logger
from stempipe.rules.dispatch import Dispatch
from stempipe.rules.intake import Intake
from stempipe.rules.sweep import Sweep
from stempipe.settings import SweepSettings
from tests.faults.calls import persist
from tests.faults.steps import LEASE_SECONDS

# Those that Lambda runs, and those that poll the same queue.
ON_LAMBDA, POLLERS = 4, 2
WORKERS = ON_LAMBDA + POLLERS

# As the template has them, scaled down. A worker gives its job back 10 s before its function's time is over,
# and a message is invisible for no less than that. A message counts as lost much sooner, in proportion,
# than on AWS, so that sweep now and then sends one again that was merely slow: a message too many.
FUNCTION_SECONDS = 35
VISIBILITY_SECONDS = 35
MESSAGE_SECONDS = 12
UPLOAD_LINK_SECONDS = 8
UPLOAD_SECONDS = 9
DOWNLOAD_LINK_SECONDS = 2


@dataclass
class Cloud:
    """The stack, started and stopped at will on one port with one state.

    Attributes
    ----------
    deployment
        Where everything is; its endpoint is the cloud's own, not the proxy's.
    """

    state: Path
    port: int
    proxy_port: int
    deployment: Deployment = None  # type: ignore[assignment]

    def start(self) -> None:
        """Start, deploy, and scale the times down."""
        self._running = ExitStack()
        self.deployment = self._running.enter_context(running(port=self.port, state=self.state))
        keys = self.deployment.server.credentials
        # For the rules that run in this process; the table must be written through the proxy.
        logger.setLevel("CRITICAL")
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{self.proxy_port}",
            AWS_SDK_UA_APP_ID="SweepFunction",
            AWS_ACCESS_KEY_ID=keys["aws_access_key_id"],
            AWS_SECRET_ACCESS_KEY=keys["aws_secret_access_key"],
            AWS_DEFAULT_REGION=keys["region_name"],
        )
        pages = self.deployment.client("cloudformation").get_paginator("list_stack_resources")
        found = [item for page in pages.paginate(StackName=STACK) for item in page["StackResourceSummaries"]]
        self._ids = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in found}
        self._functions = [
            item["LogicalResourceId"] for item in found if item["ResourceType"] == "AWS::Lambda::Function"
        ]
        self._shorten_times()
        self._stop_the_clock()
        self._take_events()
        self._running.enter_context(
            workers.running(
                self.deployment, POLLERS, state=self.state, variables={"WORK_SECONDS": str(FUNCTION_SECONDS)}
            )
        )

    def stop(self) -> None:
        """Stop; what is in the table, the queues and the buckets is kept."""
        self._running.close()

    def invoke(self, function: str, event: dict[str, Any], *, wait: bool) -> dict[str, Any]:
        """Invoke a function by its logical id."""
        answer = self.deployment.client("lambda").invoke(
            FunctionName=self._ids[function],
            InvocationType="RequestResponse" if wait else "Event",
            Payload=json.dumps(event),
        )
        payload = answer["Payload"].read()
        return {"error": "FunctionError" in answer, "payload": json.loads(payload) if payload else None}

    def sweep_objects(self, ahead: timedelta) -> dict[str, int]:
        """What sweep does every hour, as if it were later: so that objects of now are old."""
        configuration = self.deployment.client("lambda").get_function_configuration(
            FunctionName=self._ids["SweepFunction"]
        )
        settings = SweepSettings.from_environment(configuration["Environment"]["Variables"])
        jobs, storage, sqs = Jobs.of(settings), Storage(s3_client(settings), "s3"), sqs_client()
        sweep = Sweep(
            jobs=jobs,
            storage=storage,
            intake=Intake(jobs, storage, Dispatch.of(settings, jobs), settings),
            dead_jobs=DeadLetters(sqs, settings.jobs_dead_letter_queue_url),
            dead_uploads=DeadLetters(sqs, settings.intake_dead_letter_queue_url),
            uploads_bucket=settings.uploads_bucket,
            stems_bucket=settings.stems_bucket,
            now=lambda: datetime.now(UTC) + ahead,
        )
        return sweep.sweep_objects()

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys of all objects under a prefix."""
        return list(self.sizes(bucket, prefix))

    def sizes(self, bucket: str, prefix: str = "") -> dict[str, int]:
        """The bytes of all objects under a prefix, by their keys."""
        pages = self.deployment.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=bucket, Prefix=prefix)
        return {item["Key"]: item["Size"] for page in found for item in page.get("Contents", [])}

    def dead_letters(self) -> list[dict[str, Any]]:
        """Bodies of the jobs' dead letters that are visible now."""
        letters = DeadLetters(self.deployment.client("sqs"), self._ids["JobsDeadLetterQueue"])
        return [json.loads(letter.body) for letter in letters.receive(1000)]

    def depth(self, queue: str) -> int:
        """Messages in a queue of the stack, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.deployment.client("sqs").get_queue_attributes(
            QueueUrl=self._ids[queue], AttributeNames=names
        )
        return sum(map(int, answer["Attributes"].values()))

    def events(self) -> list[dict[str, Any]]:
        """Storage's events since the last call, in their order."""
        sqs, records = self.deployment.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self._events, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                records += json.loads(message["Body"]).get("Records", [])
                sqs.delete_message(QueueUrl=self._events, ReceiptHandle=message["ReceiptHandle"])
        return records

    def job(self, owner: str, job_id: str) -> dict[str, Any] | None:
        """A job's record as it is in the table."""
        answer = self.deployment.client("dynamodb").get_item(
            TableName=self.deployment.jobs_table,
            Key={"owner": {"S": owner}, "id": {"S": job_id}},
            ConsistentRead=True,
        )
        found: dict[str, Any] | None = answer.get("Item")
        return found

    async def read(self, owner: str, job_id: str) -> dict[str, Any] | None:
        """A job's record; while the cloud is down, once it is back."""
        return await persist(lambda: asyncio.to_thread(self.job, owner, job_id))

    def account(self, owner: str) -> dict[str, float]:
        """What an owner is counted for: of all days."""
        answer = self.deployment.client("dynamodb").query(
            TableName=self._ids["UsageTable"],
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": owner}},
            ConsistentRead=True,
        )
        return {
            name: sum(float(item[name]["N"]) for item in answer["Items"] if name in item)
            for name in ("open", "letIn", "seconds", "bytes")
        }

    def _shorten_times(self) -> None:
        client, sqs = self.deployment.client("lambda"), self.deployment.client("sqs")
        for function in self._functions:
            before = client.get_function_configuration(FunctionName=self._ids[function])
            variables = {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.proxy_port}",
                "AWS_SDK_UA_APP_ID": function,  # by which the proxy tells who calls
                "MAX_CONCURRENCY": str(ON_LAMBDA),
                "OTHER_WORKERS": str(POLLERS),
                "LEASE_SECONDS": str(LEASE_SECONDS),
                "MESSAGE_SECONDS": str(MESSAGE_SECONDS),
                "UPLOAD_LINK_SECONDS": str(UPLOAD_LINK_SECONDS),
                "UPLOAD_SECONDS": str(UPLOAD_SECONDS),
                "DOWNLOAD_LINK_SECONDS": str(DOWNLOAD_LINK_SECONDS),
            }
            after = before["Environment"]["Variables"] | variables
            seconds = FUNCTION_SECONDS if function == "SeparateFunction" else before["Timeout"]
            if (after, seconds) != (before["Environment"]["Variables"], before["Timeout"]):
                client.update_function_configuration(
                    FunctionName=self._ids[function], Environment={"Variables": after}, Timeout=seconds
                )
        (mapping,) = client.list_event_source_mappings(FunctionName=self._ids["SeparateFunction"])[
            "EventSourceMappings"
        ]
        client.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": ON_LAMBDA}
        )
        sqs.set_queue_attributes(
            QueueUrl=self._ids["JobsQueue"], Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        )
        time.sleep(1)  # until the functions are active again

    def _stop_the_clock(self) -> None:
        """Have no schedule invoke anything: the suite does it, and more often."""
        events = self.deployment.client("events")
        for rule in events.list_rules()["Rules"]:
            events.disable_rule(Name=rule["Name"])

    def _take_events(self) -> None:
        """Have storage's events sent to a queue of the suite's, which delivers them as a schedule says."""
        sqs, s3 = self.deployment.client("sqs"), self.deployment.client("s3")
        self._events = sqs.create_queue(QueueName="events-of-the-fault-suite")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._events, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        sqs.set_queue_attributes(QueueUrl=self._events, Attributes={"Policy": json.dumps(policy)})
        s3.put_bucket_notification_configuration(
            Bucket=self.deployment.uploads_bucket,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
