"""Workers that poll, beside the local cloud: processes of their own, which no Lambda runs."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from local.cloud import Deployment
from local.server import KEEPER, REGION, STOP_SECONDS, inherited

USER = "stempipe-worker"


def instead_of_lambda(count: int) -> dict[str, str]:
    """Parameters of the template by which so many workers take the place of Lambda's, if there are any."""
    return {"SeparateOnLambda": "false", "OtherWorkers": str(count)} if count else {}


@contextmanager
def running(
    deployment: Deployment,
    count: int,
    *,
    state: Path,
    python: Path = Path(sys.executable),
    variables: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run workers until the block ends; a song that one is at is given back then. One that dies is replaced.

    Parameters
    ----------
    deployment
        The cloud that they work for.
    count
        How many.
    state
        The cloud's folder: their logs go there, and their files while they work.
    python
        Interpreter that runs them.
    variables
        What they are told besides what Lambda's worker is.
    """
    if count == 0:
        yield
        return
    told = inherited() | environment(deployment) | dict(variables or {})
    keepers = {number: _start(python, told, state.resolve(), number) for number in range(1, count + 1)}
    is_over = threading.Event()

    def replace() -> None:
        while not is_over.wait(1):
            for number, keeper in keepers.items():
                if keeper.poll() is not None:
                    keepers[number] = _start(python, told, state.resolve(), number)

    replacing = threading.Thread(target=replace, name="workers")
    replacing.start()
    try:
        yield
    finally:
        is_over.set()
        replacing.join()
        for keeper in keepers.values():
            if keeper.stdin:
                keeper.stdin.close()
        for keeper in keepers.values():
            keeper.wait(STOP_SECONDS)


def environment(deployment: Deployment) -> dict[str, str]:
    """What a worker is told: what Lambda's is, and the keys of a user who may do as much."""
    function = deployment.client("lambda").get_function_configuration(
        FunctionName=deployment.separate_function
    )
    iam = deployment.client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=USER)
    iam.attach_user_policy(UserName=USER, PolicyArn=deployment.worker_policy_arn)
    for old in iam.list_access_keys(UserName=USER)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=USER, AccessKeyId=old["AccessKeyId"])
    keys = iam.create_access_key(UserName=USER)["AccessKey"]
    return {
        **function["Environment"]["Variables"],
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_DEFAULT_REGION": REGION,
    }


def _start(python: Path, told: Mapping[str, str], state: Path, number: int) -> subprocess.Popen[bytes]:
    # Each has a disk of its own, in a container as on Lambda.
    disk = state / "tmp" / f"worker-{number}"
    disk.mkdir(exist_ok=True)
    with (state / "logs" / f"worker-{number}.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, str(KEEPER), str(python), "-m", "poll"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(told) | {"TMPDIR": str(disk)},
            start_new_session=True,
        )
