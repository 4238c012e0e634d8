"""`make smoke`, against the local cloud: what is run against a real deployment finds this one well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from local.cloud import Deployment
from tests.receiver import receiving


def smoke(root: Path, *variables: str, token: str) -> subprocess.CompletedProcess[str]:
    """Run it with Python's own library alone, which is what there is on whatever machine it is run."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        ["make", "--silent", "smoke", f"PYTHON={sys.executable} -S", *variables],
        cwd=root,
        env=environment | {"STEMPIPE_TOKEN": token},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_deployment_is_found_well_and_left_as_it_was(cloud: Deployment, root: Path) -> None:
    token = cloud.token("smoke@example.com")
    with receiving() as receiver:
        addresses = (f"API={cloud.api_url}", f"LIVE={cloud.live_url}", f"CALLBACK={receiver.url}")
        done = smoke(root, *addresses, token=token)
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(receiver.received) == 1
    said = done.stdout.splitlines()
    assert said[-1] == "all is well"
    assert {line.split()[0] for line in said[:-1]} == {"ok"}
    assert any("2 stems" in line and "delivered at try 1" in line and "never silent" in line for line in said)
    records = cloud.client("dynamodb").scan(TableName=cloud.jobs_table)["Items"]
    owner = cloud.user_id("smoke@example.com")
    assert [record for record in records if record["owner"]["S"] == owner] == []


def test_what_is_wrong_is_said_and_what_is_left_out_too(cloud: Deployment, root: Path) -> None:
    done = smoke(root, f"API={cloud.api_url}", token="no.such.token")
    assert done.returncode == 2  # make's own, whatever failed
    said = done.stdout.splitlines()
    assert [line for line in said if line.startswith("left out")]
    assert "FAILED    the token is taken and the api described: 401" in done.stdout
    assert [line.split()[0] for line in said].count("ok") == 2  # what needs no token


def test_without_a_token_nothing_is_asked(root: Path) -> None:
    done = smoke(root, "API=http://127.0.0.1:9", token="")
    assert done.returncode == 2
    assert "STEMPIPE_TOKEN" in done.stderr
