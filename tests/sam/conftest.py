"""What SAM built, invoked in Docker against a local cloud that the containers can reach."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud import client
from local.server import Server, free_port
from local.template import load
from tests.aws import STEMS, TABLE, UPLOADS, create_table

ENVIRONMENT = os.environ | {
    "SAM_CLI_TELEMETRY": "0",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="session")
def sam(root: Path) -> Callable[..., str]:
    """Runs a sam command; returns what it prints to standard output."""
    program = root / ".venv/sam/bin/python"

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [program, "-m", "samcli", *arguments], cwd=root, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    engine = subprocess.run(
        [program, "-c", "import docker; docker.from_env().ping()"], capture_output=True, text=True
    )
    if engine.returncode:
        pytest.fail(f"No Docker engine answers: {engine.stderr.strip().splitlines()[-1]}")
    return run


@pytest.fixture(scope="session")
def cloud(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """MiniStack, where containers reach it, with the bare resources: nothing there invokes anything."""
    server = Server.start(
        python=root / ".venv/ministack/bin/python",
        state=tmp_path_factory.mktemp("cloud"),
        port=free_port(),
        host="0.0.0.0",  # the containers come in by the bridge
    )
    with server:
        s3, sqs, dynamodb = (client(server.endpoint, service) for service in ("s3", "sqs", "dynamodb"))
        for bucket in (UPLOADS, STEMS):
            s3.create_bucket(Bucket=bucket)
        create_table(dynamodb)
        sqs.create_queue(QueueName="jobs")
        yield server


@pytest.fixture(scope="session")
def built(root: Path, sam: Callable[..., str]) -> Path:
    """The built template, with a variable more: sam passes only those that the template declares."""
    sam("build")
    template = load(root / ".aws-sam/build/template.yaml")
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    path = root / ".aws-sam/build/template-test.json"
    path.write_text(json.dumps(template))
    return path


@pytest.fixture(scope="session")
def invoke(
    sam: Callable[..., str], built: Path, cloud: Server, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, dict[str, Any]], Any]:
    """Invokes a function in its container; returns its answer."""
    folder = tmp_path_factory.mktemp("invoke")
    endpoint = cloud.endpoint.replace("127.0.0.1", "host.docker.internal")
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "JOBS_TABLE": TABLE,
        "JOBS_QUEUE_URL": f"{endpoint}/000000000000/jobs",
        "UPLOADS_BUCKET": UPLOADS,
        "STEMS_BUCKET": STEMS,
        "MODEL_VARIANTS": "2stems",
        "STORAGE_ENDPOINT": "",
        "STORAGE_SECRET_ARN": "",
        "WEBHOOK_ALLOWED_HOSTS": "",
    }
    (folder / "variables.json").write_text(json.dumps({"Parameters": variables}))

    def call(function: str, event: dict[str, Any]) -> Any:
        (folder / "event.json").write_text(json.dumps(event))
        answer = sam(
            *("local", "invoke", function, "--template", str(built)),
            *("--event", str(folder / "event.json"), "--env-vars", str(folder / "variables.json")),
            *("--skip-pull-image", "--add-host", "host.docker.internal:host-gateway"),
        )
        return json.loads(answer.strip().splitlines()[-1])

    return call
