"""X-Ray's tracer patches botocore, PynamoDB and http.client, on Lambda alone: everywhere else it is off."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path


def test_a_job_goes_its_way_while_it_is_traced(root: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(0.5)
        lambdas = {
            "LAMBDA_TASK_ROOT": str(tmp_path),
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            "AWS_DEFAULT_REGION": "us-east-1",
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
        segments = list(received(daemon))
    # Else it was not traced, and this shows nothing.
    assert {"dynamodb", "s3", "sqs"} <= {segment["name"].lower() for segment in segments}
    assert "## handler" in {segment["name"] for segment in segments}
    # Whoever is called back learns nothing of our trace.
    headers = json.loads(done.stdout.splitlines()[-1])
    assert "webhook-id" in headers
    assert not [name for name in headers if "trace" in name]


def received(daemon: socket.socket) -> list[dict[str, str]]:
    """What was sent to the daemon: a line that says the format, and a segment."""
    segments = []
    while True:
        try:
            segments.append(json.loads(daemon.recv(1 << 16).partition(b"\n")[2]))
        except TimeoutError:
            return segments
