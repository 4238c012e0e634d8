"""The stack on a running MiniStack: deploy it, read its outputs, and sign a user in."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from downloads.directory import models_directory
from local import page
from local import template as templates
from local.server import ROOT, LocalError, Server
from separation.models.weights import VARIANTS

STACK = "stempipe"
# Each execution is a process here. A hundred uploads at once are taken in sooner by a few that take turns
# than by a hundred that still start when their time is over. MiniStack does not take it from a template.
INTAKE_CONCURRENCY = 16
CODE_BUCKET = "stempipe-local-code"
TEMPLATE_KEY = "template.json"
USER = "producer@example.com"
# Whoever tries webhooks here has a receiver here.
PARAMETERS = {"WebhookAllowedHosts": "localhost,127.0.0.1", "AllowedOrigin": page.DEVELOPERS}


@dataclass(frozen=True)
class Deployment:
    """What the stack put where.

    Attributes
    ----------
    server
        Plays every AWS API.
    api_url
        Base address of the HTTP API.
    live_url
        Address of the WebSocket API.
    page_url
        What a person opens; None where the page is not built.
    separate_function
        The worker that Lambda runs.
    worker_policy_arn
        What others may do that work beside it.
    """

    server: Server
    api_url: str
    live_url: str
    uploads_bucket: str
    stems_bucket: str
    jobs_table: str
    jobs_queue_url: str
    jobs_dead_letter_queue_url: str
    webhooks_dead_letter_queue_url: str
    connections_table: str
    user_pool_id: str
    user_pool_client_id: str
    page_url: str | None
    separate_function: str
    worker_policy_arn: str

    @property
    def endpoint(self) -> str:
        """The address of the AWS APIs."""
        return self.server.endpoint

    @property
    def password(self) -> str:
        """Of every user that `token` makes."""
        return self.server.keys.password

    def client(self, service: str) -> Any:
        """A boto3 client of the local cloud, as its administrator."""
        return self.server.client(service)

    def token(self, email: str = USER) -> str:
        """Sign a user in, making it first if need be, and return its access token."""
        cognito = self.client("cognito-idp")
        attributes = {"email": email, "email_verified": "true"}
        with suppress(cognito.exceptions.UsernameExistsException):
            cognito.admin_create_user(
                UserPoolId=self.user_pool_id,
                Username=email,
                UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
                MessageAction="SUPPRESS",
            )
        cognito.admin_set_user_password(
            UserPoolId=self.user_pool_id, Username=email, Password=self.password, Permanent=True
        )
        answer = cognito.initiate_auth(
            ClientId=self.user_pool_client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": self.password},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])

    def user_id(self, email: str = USER) -> str:
        """The user's ``sub``: the owner of its jobs, and its folder below ``inbox/``."""
        user = self.client("cognito-idp").admin_get_user(UserPoolId=self.user_pool_id, Username=email)
        return str(next(item["Value"] for item in user["UserAttributes"] if item["Name"] == "sub"))


@contextmanager
def running(
    *,
    port: int,
    state: Path,
    root: Path = ROOT,
    python: Path = Path(sys.executable),
    ministack: Path | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Iterator[Deployment]:
    """Start MiniStack, deploy the template, and stop everything when the block ends.

    Parameters
    ----------
    port
        Port of the local cloud.
    state
        Folder of its own for everything that is kept: objects, jobs, users, logs.
    root
        The folder of template.yaml.
    python
        Interpreter that runs the functions.
    ministack
        Interpreter that has MiniStack.
    parameters
        Of the template, where they differ from `PARAMETERS`.
    """
    ministack = ministack or root / ".venv/ministack/bin/python"
    with Server.start(python=ministack, state=state, port=port) as server:
        logs = state.resolve() / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        yield deploy(server, root=root, python=python, logs=logs, parameters=parameters)


def deploy(
    server: Server, *, root: Path, python: Path, logs: Path, parameters: Mapping[str, str] | None = None
) -> Deployment:
    """Create or update the stack from ``root/template.yaml``; ``parameters`` go before `PARAMETERS`.

    Raises
    ------
    LocalError
        The stack was refused or rolled back; the message lists why.
    """
    endpoint = server.endpoint
    s3 = server.client("s3")
    template = templates.for_ministack(
        templates.load(root / "template.yaml"),
        root=root,
        python=python,
        logs=logs,
        code=_upload_bootstrap(s3),
        environment=_function_environment(endpoint),
    )
    # A template within a request may have 51,200 bytes, and the paths in this one are as long as they are.
    s3.put_object(Bucket=CODE_BUCKET, Key=TEMPLATE_KEY, Body=json.dumps(template).encode())
    template_url = f"{endpoint}/{CODE_BUCKET}/{TEMPLATE_KEY}"
    outputs = _apply(server.client("cloudformation"), template_url, {**PARAMETERS, **(parameters or {})})
    server.client("lambda").put_function_concurrency(
        FunctionName=outputs["IntakeFunction"], ReservedConcurrentExecutions=INTAKE_CONCURRENCY
    )
    api_url = f"{endpoint}/_aws/execute-api/{outputs['ApiId']}/$default"
    live_url = f"{endpoint}/_aws/execute-api/{outputs['LiveApiId']}/v1".replace("http", "ws", 1)
    limits = json.loads(outputs["PageConfig"])["limits"] | {"models": _installed_models()}
    has_page = page.publish(s3, outputs, endpoint, logs.parent, api=api_url, live=live_url, limits=limits)
    return Deployment(
        server=server,
        api_url=api_url,
        live_url=live_url,
        uploads_bucket=outputs["UploadsBucket"],
        stems_bucket=outputs["StemsBucket"],
        jobs_table=outputs["JobsTable"],
        jobs_queue_url=outputs["JobsQueueUrl"],
        jobs_dead_letter_queue_url=outputs["JobsDeadLetterQueueUrl"],
        webhooks_dead_letter_queue_url=outputs["WebhooksDeadLetterQueueUrl"],
        connections_table=outputs["ConnectionsTable"],
        user_pool_id=outputs["UserPoolId"],
        user_pool_client_id=outputs["UserPoolClientId"],
        page_url=outputs["PageUrl"] if has_page else None,
        separate_function=outputs["SeparateFunction"],
        worker_policy_arn=outputs["WorkerPolicyArn"],
    )


def _installed_models() -> list[str]:
    models = models_directory()  # without any, jobs fail and say so
    return [variant for variant in VARIANTS if (models / variant).is_dir()] or ["2stems"]


def _function_environment(endpoint: str) -> dict[str, str]:
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "MODEL_VARIANTS": ",".join(_installed_models()),
        "POWERTOOLS_TRACE_DISABLED": "true",  # there is no X-Ray daemon
    }
    if "STEMPIPE_MODELS" in os.environ:
        environment["STEMPIPE_MODELS"] = str(models_directory().resolve())
    return environment


def _upload_bootstrap(s3: Any) -> templates.CodeLocation:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        member = zipfile.ZipInfo("bootstrap")
        member.external_attr = 0o755 << 16
        bundle.writestr(member, templates.BOOTSTRAP)
    # The key follows the content, as `sam deploy` does it, so that a stack update sees a change.
    location = templates.CodeLocation(CODE_BUCKET, hashlib.sha256(archive.getvalue()).hexdigest())
    s3.create_bucket(Bucket=location.bucket)
    s3.put_object(Bucket=location.bucket, Key=location.key, Body=archive.getvalue())
    return location


# ---- CloudFormation ----------------------------------------------------------------------------


def _apply(cloudformation: Any, template_url: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create or update the stack; returns its outputs."""
    operation = {
        "StackName": STACK,
        "TemplateURL": template_url,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    }
    before = _describe(cloudformation)
    if before and before["StackStatus"] == "ROLLBACK_COMPLETE":  # a failed create can only be deleted
        cloudformation.delete_stack(StackName=STACK)
        _settle(cloudformation)
        before = None
    try:
        if before:
            cloudformation.update_stack(**operation)
        else:
            cloudformation.create_stack(**operation)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" not in message:
            raise LocalError(f"MiniStack refused the template: {message}") from error
    stack = _settle(cloudformation)
    if not stack or stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise LocalError(
            f"The stack could not be deployed:\n{_failures(cloudformation)}\n"
            "If an earlier version's state is in the way, delete its folder, or take another: STATE=..."
        )
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _describe(cloudformation: Any) -> Mapping[str, Any] | None:
    try:
        stack: Mapping[str, Any] = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return stack


def _settle(cloudformation: Any, seconds: float = 120.0) -> Mapping[str, Any] | None:
    deadline = time.monotonic() + seconds
    while (stack := _describe(cloudformation)) and stack["StackStatus"].endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise LocalError(f"The stack is still {stack['StackStatus']} after {seconds:.0f} s")
        time.sleep(0.1)
    return stack


def _failures(cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    return "\n".join(
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    )
