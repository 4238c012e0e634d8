"""Jobs on a local cloud whose functions, and whose user, reach it through the counting proxy."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cost.counter import CallCounter, counting
from benchmarks.cost.counts import Counts
from benchmarks.cost.units import Ledger, Table, size
from benchmarks.pipeline import python_with_random_weights
from benchmarks.processes import BenchError
from local.cloud import STACK, Deployment, running
from local.server import free_port
from separation.models.weights import VARIANTS
from stempipe_client import Client, Config, Status, StempipeError
from stempipe_client.sources import Source

USER = "count@example.com"
# With no call for so long, nothing goes on any more: a job's change is told within a second.
_QUIET_SECONDS = 3.0
_SETTLE_SECONDS = 120.0
_RAN = re.compile(r"REPORT .*\tDuration: ([\d.]+) ms")
# That CloudWatch adds to each line, and bills.
_LOG_EVENT_BYTES = 26


@dataclass
class Cloud:
    """A new local cloud, and somebody who is signed in."""

    deployment: Deployment
    client: Client
    counter: CallCounter
    functions: Mapping[str, str]
    logs: Mapping[str, str]

    def count(self, source: Source, config: Config) -> Counts:
        """Have a job done and its files saved, as the command does it.

        Raises
        ------
        BenchError
            The job is refused, or fails.
        """
        self._settle()
        before, began = self._logged(), time.monotonic()
        counts = self.counter.counts = Counts()
        with tempfile.TemporaryDirectory() as folder:
            try:
                created = self.client.create(source, config)
                self.client.send(created, source)
                *_, job = self.client.watch(created.job.id)
                counts.watched_seconds = time.monotonic() - began
                if job.status is not Status.COMPLETED:
                    raise BenchError(f"The job {job.status}: {job.error}")
                self.client.download(job, Path(folder))
            except StempipeError as error:
                raise BenchError(str(error)) from error
        self._settle()
        self._add_runs(counts, before)
        record = self._record(job.id)
        counts.upload_bytes = int(record["bytes"]["N"])
        counts.result_bytes = int(record["storedBytes"]["N"])
        counts.record_bytes = size(record)
        counts.changes = int(record["version"]["N"]) - int(record["making"]["N"])
        counts.files = sum(self._files(record))
        return counts

    def sweep(self, times: int = 5) -> Counts:
        """What sweeps with nothing to do take; the first of a process, which takes longer, is left out."""
        self._sweep()
        self._settle()
        before = self._logged()
        counts = self.counter.counts = Counts()
        for _ in range(times):
            self._sweep()
        self._settle()
        self._add_runs(counts, before)
        return counts

    def metrics(self, *functions: str) -> list[str]:
        """What functions had sent of metrics so far: `namespace name dimensions`, each of which is billed."""
        wanted = functions or tuple(self.functions)
        lines = (line for function, logged in self._logged().items() if function in wanted for line in logged)
        return sorted({metric for line in lines for metric in _metrics(line)})

    def _sweep(self) -> None:
        self.deployment.client("lambda").invoke(
            FunctionName=self.functions["SweepFunction"], Payload=json.dumps({"sweep": "jobs"})
        )["Payload"].read()

    def _settle(self) -> None:
        deadline = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < deadline:
            if time.monotonic() - self.counter.last > _QUIET_SECONDS:
                return
            time.sleep(0.2)
        raise BenchError(f"calls go on {_SETTLE_SECONDS:.0f} s after the job")

    def _files(self, record: Mapping[str, Any]) -> Iterator[int]:
        for name in ("stemKeys", "playerKeys", "analysisKeys"):
            yield len(json.loads(record.get(name, {"S": "{}"})["S"]))

    def _record(self, job_id: str) -> Mapping[str, Any]:
        key = {"owner": {"S": self.deployment.user_id(USER)}, "id": {"S": job_id}}
        item: Mapping[str, Any] = self.deployment.client("dynamodb").get_item(
            TableName=self.deployment.jobs_table, Key=key
        )["Item"]
        return item

    def _logged(self) -> dict[str, list[str]]:
        """What each function has logged so far, with Lambda's own lines of each run."""
        client = self.deployment.client("logs")
        pages = client.get_paginator("filter_log_events")
        return {
            function: [
                event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]
            ]
            for function, group in self.logs.items()
        }

    def _add_runs(self, counts: Counts, before: Mapping[str, list[str]]) -> None:
        for function, lines in self._logged().items():
            new = (Counter(lines) - Counter(before[function])).elements()
            for line in new:
                counts.log_bytes += len(line.encode()) + _LOG_EVENT_BYTES
                if ran := _RAN.match(line):
                    counts.runs[function] += 1
                    counts.seconds[function] = counts.seconds.get(function, 0.0) + float(ran[1]) / 1000


def _metrics(line: str) -> Iterator[str]:
    """The metrics of a line of a log, if that is one of CloudWatch's embedded format."""
    if not (line.startswith("{") and '"CloudWatchMetrics"' in line):
        return
    content = json.loads(line)
    for directive in content["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            for dimensions in directive["Dimensions"]:
                said = " ".join(f"{name}={content[name]}" for name in dimensions)
                yield f"{directive['Namespace']} {metric['Name']} {said}".strip()


@contextmanager
def counted_cloud(folder: Path) -> Iterator[Cloud]:
    """A local cloud with all models, with random weights for those that are not installed."""
    port, proxy_port = free_port(), free_port()
    state = folder / "cloud"
    python = python_with_random_weights(folder, *VARIANTS)
    with (
        counting(port, proxy_port) as counter,
        running(port=port, state=state, python=python) as deployment,
    ):
        functions, logs = _send_through(deployment, proxy_port)
        counter.ledger = _ledger(deployment)
        api_url = deployment.api_url.replace(f":{port}/", f":{proxy_port}/")
        with Client(api_url, deployment.token(USER), deployment.live_url) as client:
            yield Cloud(deployment, client, counter, functions, logs)


def _send_through(deployment: Deployment, proxy_port: int) -> tuple[dict[str, str], dict[str, str]]:
    """Have the functions call the proxy, and no schedule call them.

    Returns
    -------
    names, logs
        Of the functions, and of their log groups, by the functions' logical ids.
    """
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources")
    found = [item for page in pages.paginate(StackName=STACK) for item in page["StackResourceSummaries"]]
    functions = {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for item in found
        if item["ResourceType"] == "AWS::Lambda::Function"
    }
    client, events = deployment.client("lambda"), deployment.client("events")
    logs = {}
    for function, name in functions.items():
        configuration = client.get_function_configuration(FunctionName=name)
        logs[function] = configuration["LoggingConfig"]["LogGroup"]
        variables = configuration["Environment"]["Variables"]
        proxied = {
            key: value.replace(deployment.endpoint, f"http://127.0.0.1:{proxy_port}")
            for key, value in variables.items()
            if key in ("AWS_ENDPOINT_URL", "LIVE_ENDPOINT")
        }
        environment = {"Variables": {**variables, **proxied, "AWS_SDK_UA_APP_ID": function}}
        client.update_function_configuration(FunctionName=name, Environment=environment)
    for rule in events.list_rules()["Rules"]:
        events.disable_rule(Name=rule["Name"])
    return functions, logs


def _ledger(deployment: Deployment) -> Ledger:
    client = deployment.client("dynamodb")
    tables = {
        name: Table.of(client.describe_table(TableName=name)["Table"])
        for name in client.list_tables()["TableNames"]
    }

    def read(table: str, key: Mapping[str, Any]) -> Mapping[str, Any] | None:
        item: Mapping[str, Any] | None = client.get_item(
            TableName=table, Key=dict(key), ConsistentRead=True
        ).get("Item")
        return item

    return Ledger(tables, read)
