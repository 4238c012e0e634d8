"""What SAM built, invoked in Docker against a local cloud that the containers can reach."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.server import REGION, Server, free_port
from local.template import load
from tests.aws import STEMS, TABLE, UPLOADS, USAGE, create_table

ENVIRONMENT = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION}
# By which the containers know this machine.
BRIDGE = "host.docker.internal"


@pytest.fixture(scope="session")
def sam(root: Path) -> Callable[..., str]:
    """Runs a sam command, with variables more than its own; returns what it prints to standard output."""
    program = root / ".venv/sam/bin/python"

    def run(*arguments: str, **variables: str) -> str:
        done = subprocess.run(
            [program, "-m", "samcli", *arguments],
            cwd=root,
            env=ENVIRONMENT | variables,
            capture_output=True,
            text=True,
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
        names=[BRIDGE],
    )
    with server:
        s3, sqs, dynamodb = map(server.client, ("s3", "sqs", "dynamodb"))
        for bucket in (UPLOADS, STEMS):
            s3.create_bucket(Bucket=bucket)
        for table in (TABLE, USAGE):
            create_table(dynamodb, table)
        sqs.create_queue(QueueName="jobs")
        yield server


@pytest.fixture(scope="session")
def built(
    root: Path, sam: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Builds the template as it is, or separate alone for another target; gives the built template's path."""

    @cache
    def build(target: str) -> Path:
        options: list[str | Path] = []
        folder = root / ".aws-sam/build"
        template = load(root / "template.yaml")
        metadata = template["Resources"]["SeparateFunction"]["Metadata"]
        if target != metadata["DockerBuildTarget"]:
            metadata |= {"DockerBuildTarget": target, "DockerTag": target}
            other = tmp_path_factory.mktemp("template") / "template.json"
            other.write_text(json.dumps(template))
            folder = root / ".aws-sam" / target
            options = ["SeparateFunction", "--template", other, "--base-dir", root, "--build-dir", folder]
        sam("build", *map(str, options))
        return _with_endpoint(folder / "template.yaml")

    return build


def _with_endpoint(built: Path) -> Path:
    """The template with a variable more: sam passes only those that the template declares."""
    template = load(built)
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    path = built.with_name("template-test.json")
    path.write_text(json.dumps(template))
    return path


@pytest.fixture(scope="session")
def invoke(
    sam: Callable[..., str],
    built: Callable[[str], Path],
    cloud: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Any]:
    """Invokes a function in its container; returns its answer."""
    folder = tmp_path_factory.mktemp("invoke")
    endpoint = cloud.endpoint.replace("127.0.0.1", BRIDGE)
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "JOBS_TABLE": TABLE,
        "USAGE_TABLE": USAGE,
        "JOBS_QUEUE_URL": f"{endpoint}/000000000000/jobs",
        "UPLOADS_BUCKET": UPLOADS,
        "STEMS_BUCKET": STEMS,
        "MODEL_VARIANTS": "2stems",
        "STORAGE_ENDPOINT": "",
        "STORAGE_SECRET_ARN": "",
        "WEBHOOK_ALLOWED_HOSTS": "",
    }
    (folder / "variables.json").write_text(json.dumps({"Parameters": variables}))

    def call(function: str, event: dict[str, Any], target: str = "openvino") -> Any:
        (folder / "event.json").write_text(json.dumps(event))
        answer = sam(
            *("local", "invoke", function, "--template", str(built(target))),
            *("--event", str(folder / "event.json"), "--env-vars", str(folder / "variables.json")),
            *("--skip-pull-image", "--add-host", f"{BRIDGE}:host-gateway"),
            # sam hands its own keys on to the container.
            AWS_ACCESS_KEY_ID=cloud.keys.access_key_id,
            AWS_SECRET_ACCESS_KEY=cloud.keys.secret_access_key,
        )
        return json.loads(answer.strip().splitlines()[-1])

    return call


@pytest.fixture(scope="session")
def run_in_image(root: Path, built: Callable[[str], Path]) -> Callable[..., str]:
    """Runs a Python program in separate's image, with less than Lambda allows it: no network, no rights."""

    def run(target: str, program: str, files: Mapping[str, Path]) -> str:
        image = load(built(target))["Resources"]["SeparateFunction"]["Properties"]["ImageUri"]
        options = {
            "entrypoint": ["python", "-c", program],
            "environment": {
                "POWERTOOLS_TRACE_DISABLED": "true",
                "JOBS_TABLE": TABLE,
                "USAGE_TABLE": USAGE,
                "JOBS_QUEUE_URL": "",
                "UPLOADS_BUCKET": UPLOADS,
                "STEMS_BUCKET": STEMS,
            },
            "volumes": [f"{path.resolve()}:{place}:ro" for place, path in files.items()],
            "user": "1001",
            "cap_drop": ["ALL"],
            "read_only": True,
            "tmpfs": {"/tmp": ""},
            "network_disabled": True,
            "remove": True,
        }
        start = "import docker, json, sys; image, options = json.loads(sys.argv[1]); "
        start += "sys.stdout.buffer.write(docker.from_env().containers.run(image, **options))"
        done = subprocess.run(
            [root / ".venv/sam/bin/python", "-c", start, json.dumps([image, options])],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    return run
