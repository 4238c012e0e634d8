"""Workers beyond Lambda: they may do what the function may, and the examples start what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.template import Template, load
from stempipe.settings import PollSettings
from tests.template.parts import statements
from tests.template.stack import R2, Stack

COMMAND = ["/opt/venv/bin/python", "-m", "poll"]
GRACE_SECONDS = 30


@pytest.fixture(scope="module")
def ecs(root: Path) -> Template:
    return load(root / "examples/workers/ecs.yaml")


@pytest.fixture(scope="module")
def kubernetes(root: Path) -> dict[str, Any]:
    """The objects, by their kinds."""
    text = (root / "examples/workers/kubernetes.yaml").read_text(encoding="utf-8")
    return {item["kind"]: item for item in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/workers.md").read_text(encoding="utf-8")


def test_outside_lambda_a_worker_may_do_what_the_function_may_and_no_more(
    template: Template, resources: dict[str, Any], ecs: Template
) -> None:
    shared = resources["WorkerPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    keys = [one for one in statements(resources, "SeparateFunction") if one not in shared]
    assert template["Outputs"]["WorkerPolicyArn"]["Value"] == {"Ref": "WorkerPolicy"}
    role = ecs["Resources"]["TaskRole"]["Properties"]
    assert role["ManagedPolicyArns"] == [{"Ref": "WorkerPolicyArn"}]
    (own,) = role["Policies"]["Fn::If"][1]
    assert own["PolicyDocument"]["Statement"] == keys
    assert [one["Sid"] for one in keys] == ["StorageKeys"]


def test_without_lambdas_workers_there_must_be_others(template: Template) -> None:
    alone = Stack(template, {"SeparateOnLambda": "false"})
    assert alone.refusals() == ["SeparateOnLambda false needs OtherWorkers."]
    others = Stack(template, {"SeparateOnLambda": "false", "OtherWorkers": "1"})
    assert others.refusals() == []
    assert "SeparateJobs" not in others.resolved()["Resources"]


@pytest.mark.parametrize(("on_lambda", "workers"), [("true", 5), ("false", 3)])
def test_everybody_who_lets_jobs_in_counts_the_workers_of_both_kinds(
    template: Template, on_lambda: str, workers: int
) -> None:
    # 2 by default, and 3.
    stack = Stack(template, R2 | {"SeparateOnLambda": on_lambda, "OtherWorkers": "3"}).resolved()
    told = {
        name: resource["Properties"]["Environment"]["Variables"]
        for name, resource in stack["Resources"].items()
        if "JOBS_QUEUE_URL" in str(resource) and resource["Type"] == "AWS::Serverless::Function"
    }
    assert {"StatusFunction", "IntakeFunction", "SeparateFunction", "SweepFunction"} <= told.keys()
    values = {name: str(one["Default"]) for name, one in stack["Parameters"].items() if "Default" in one}
    for variables in told.values():
        known = {
            name.lower(): values.get(value["Ref"], "1") if "Ref" in value else value
            for name, value in variables.items()
            if name in ("MAX_CONCURRENCY", "OTHER_WORKERS")
        }
        names = ("jobs_table", "usage_table", "uploads_bucket", "stems_bucket", "jobs_queue_url")
        settings = PollSettings.model_validate(dict.fromkeys(names, "x") | known)
        assert settings.workers == workers


def test_the_image_has_what_the_examples_start(
    root: Path, ecs: Template, kubernetes: dict[str, Any], page: str
) -> None:
    dockerfile = (root / "functions/separate/Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^COPY .*functions/separate/poll\.py", dockerfile, re.M)
    (container,) = ecs["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    assert container["EntryPoint"] == COMMAND
    assert container["StopTimeout"] == GRACE_SECONDS
    pod = kubernetes["Deployment"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"] == COMMAND
    assert pod["terminationGracePeriodSeconds"] == GRACE_SECONDS
    (run,) = re.findall(r"^    docker run (.*?[^\\])$", page, re.M | re.S)
    words = run.replace("\\\n", " ").split()
    assert words[words.index("--entrypoint") + 1 :] == [COMMAND[0], '"$IMAGE"', *COMMAND[1:]]
    assert words[words.index("--stop-timeout") + 1] == str(GRACE_SECONDS)


def test_variables_of_the_examples_are_settings(ecs: Template, page: str) -> None:
    (container,) = ecs["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    own = {variable["Name"].lower() for variable in container["Environment"]}
    own |= {name.lower() for name in re.findall(r"^\| `([A-Z_]+)` \|", page, re.M)}
    assert own - {"aws_default_region"} <= PollSettings.model_fields.keys()


def test_a_worker_runs_without_privileges(ecs: Template, kubernetes: dict[str, Any]) -> None:
    (container,) = ecs["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"]
    pod = kubernetes["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]


def test_workers_are_as_many_as_jobs_those_in_work_included(
    ecs: Template, kubernetes: dict[str, Any]
) -> None:
    policy = ecs["Resources"]["OneJobATask"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    metrics = policy["CustomizedMetricSpecification"]["Metrics"]
    (returned,) = [metric for metric in metrics if metric["ReturnData"]]
    ids = {metric["Id"] for metric in metrics if not metric["ReturnData"]}
    assert set(re.findall("[a-z]+", returned["Expression"])) == ids
    assert policy["TargetValue"] == 1
    scaled = kubernetes["ScaledObject"]["spec"]
    (trigger,) = scaled["triggers"]
    assert (trigger["metadata"]["queueLength"], trigger["metadata"]["scaleOnInFlight"]) == ("1", "true")
    assert scaled["scaleTargetRef"]["name"] == kubernetes["Deployment"]["metadata"]["name"]
    assert trigger["authenticationRef"]["name"] == kubernetes["TriggerAuthentication"]["metadata"]["name"]
    labels = kubernetes["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert kubernetes["Deployment"]["spec"]["selector"]["matchLabels"] == labels


def test_the_functions_variables_become_the_workers(page: str, tmp_path: Path) -> None:
    variables = {"JOBS_TABLE": "jobs", "MODEL_VARIANTS": "2stems,4stems", "STORAGE_ENDPOINT": ""}
    aws = tmp_path / "aws"
    aws.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(variables)}\nEND\n")
    aws.chmod(0o755)
    (command,) = re.findall(
        r"^    (aws lambda get-function-configuration .*?worker\.env)$", page, re.M | re.S
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, env={"PATH": path}, check=True)
    lines = (tmp_path / "worker.env").read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines) == variables


@pytest.mark.slow
def test_cloudformation_takes_the_example(root: Path) -> None:
    # By the environment of sam, which has cfn-lint.
    lint = (
        "import cfnlint.api as c, sys; print(list(map(str, c.lint(sys.stdin.read(), regions=['us-east-1']))))"
    )
    done = subprocess.run(
        [root / ".venv/sam/bin/python", "-c", lint],
        input=(root / "examples/workers/ecs.yaml").read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
