"""What a job's way through the handlers leaves behind on Lambda: traces and metrics.

X-Ray's tracer patches botocore, PynamoDB and http.client, on Lambda alone: everywhere else it is off.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

STACK = "stems-of-another-team"


@dataclass(frozen=True)
class Traces:
    """What a run said: X-Ray's segments, the lines of its log, and the headers of a webhook."""

    segments: list[dict[str, Any]]
    log: list[dict[str, Any]]
    headers: list[str]


@pytest.fixture(scope="module")
def traces(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Traces:
    """A job's way from request to webhook, with the variables that Lambda and the template set."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(0.5)
        lambdas = {
            "LAMBDA_TASK_ROOT": str(tmp_path_factory.mktemp("task")),
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "POWERTOOLS_SERVICE_NAME": STACK,
        }
        kept = {name: value for name, value in os.environ.items() if name != "POWERTOOLS_TRACE_DISABLED"}
        paths = ["layers/common/python", "functions/separate", "cli/src", "."]
        kept["PYTHONPATH"] = os.pathsep.join(str(root / path) for path in paths)
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.traced"],
            cwd=root,
            env=kept | lambdas,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        segments = received(daemon)
    *log, headers = map(json.loads, done.stdout.splitlines())
    return Traces(segments, log, headers)


def received(daemon: socket.socket) -> list[dict[str, Any]]:
    """What was sent to the daemon: a line that says the format, and a segment."""
    segments = []
    while True:
        try:
            segments.append(json.loads(daemon.recv(1 << 16).partition(b"\n")[2]))
        except TimeoutError:
            return segments


def test_a_job_goes_its_way_while_it_is_traced(traces: Traces) -> None:
    # Else it was not traced, and this shows nothing.
    names = {segment["name"] for segment in traces.segments}
    assert {"dynamodb", "s3", "sqs"} <= {name.lower() for name in names}
    assert "## handler" in names


def test_whoever_is_called_back_learns_nothing_of_our_trace(traces: Traces) -> None:
    assert "webhook-id" in traces.headers
    assert not [name for name in traces.headers if "trace" in name]


def test_metrics_and_logs_are_the_stacks_own(traces: Traces) -> None:
    # CloudWatch's embedded format: by these values a metric of one stack is told from another's.
    counted = [line for line in traces.log if "_aws" in line]
    for line in counted:
        (metrics,) = line["_aws"]["CloudWatchMetrics"]
        assert (metrics["Namespace"], metrics["Dimensions"]) == ("Stempipe", [["service"]])
    names = {metric["Name"] for line in counted for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert {"QueueWaitSeconds", "UploadToCompletedSeconds", "JobsFailed", "PeakMemoryMegabytes"} <= names
    assert {line["service"] for line in traces.log} == {STACK}
