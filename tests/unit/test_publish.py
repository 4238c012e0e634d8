"""How the page gets into its bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from web import publish

CONFIG = {"api": "https://api.example", "login": None}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket="page")
    return client


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name in ("index.html", "icon.svg", "assets/index-Ab1.js", "assets/font-Cd2.woff2"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_each_file_has_its_type_and_how_long_it_is_kept(s3: Any, built: Path) -> None:
    assert publish.put(s3, "page", CONFIG, built) == 5
    found = {}
    for item in s3.list_objects_v2(Bucket="page")["Contents"]:
        head = s3.head_object(Bucket="page", Key=item["Key"])
        found[item["Key"]] = (head["ContentType"], head["CacheControl"])
    for_ever = "public, max-age=31536000, immutable"
    assert found == {
        "index.html": ("text/html; charset=utf-8", "no-cache"),
        "config.json": ("application/json", "no-cache"),
        "icon.svg": ("image/svg+xml", "public, max-age=3600"),
        "assets/index-Ab1.js": ("text/javascript; charset=utf-8", for_ever),
        "assets/font-Cd2.woff2": ("font/woff2", for_ever),
    }
    assert json.load(s3.get_object(Bucket="page", Key="config.json")["Body"]) == CONFIG


def test_the_index_comes_last_and_a_configuration_in_the_build_never(s3: Any, built: Path) -> None:
    (built / "config.json").write_text("of a developer")
    put: list[str] = []
    s3.meta.events.register(
        "provide-client-params.s3.PutObject", lambda params, **_: put.append(params["Key"])
    )
    publish.put(s3, "page", CONFIG, built)
    assert put[-2:] == ["config.json", "index.html"]
    assert json.load(s3.get_object(Bucket="page", Key="config.json")["Body"]) == CONFIG


def test_what_an_open_page_may_still_load_stays_for_a_week(
    s3: Any, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket="page", Key="assets/index-Old.js", Body=b"")
    publish.put(s3, "page", CONFIG, built)
    s3.head_object(Bucket="page", Key="assets/index-Old.js")

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz or UTC) + timedelta(days=8)

    monkeypatch.setattr(publish, "datetime", Later)
    publish.put(s3, "page", CONFIG, built)
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket="page")["Contents"]}
    assert keys == {"index.html", "config.json", "icon.svg", "assets/index-Ab1.js", "assets/font-Cd2.woff2"}


def test_without_a_build_nothing_is_put(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(publish.PublishError, match="make web"):
        publish.put(s3, "page", CONFIG, tmp_path)
    assert s3.list_objects_v2(Bucket="page")["KeyCount"] == 0


def deploy(monkeypatch: pytest.MonkeyPatch, **outputs: str) -> None:
    """Have a stack `mine`: moto's own takes more packages."""

    def outputs_of(cloudformation: Any, stack: str) -> dict[str, str]:
        if stack != "mine":
            error = {"Error": {"Code": "ValidationError", "Message": f"Stack with id {stack} does not exist"}}
            raise ClientError(error, "DescribeStacks")  # type: ignore[arg-type]
        return outputs

    monkeypatch.setattr(publish, "outputs_of", outputs_of)


def run(monkeypatch: pytest.MonkeyPatch, built: Path, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["publish", *arguments])
    monkeypatch.setattr(publish, "ROOT", built)  # where sam has kept nothing
    monkeypatch.setattr(publish.put, "__defaults__", (built,))
    return publish.main()


def test_a_deployments_page_is_told_what_the_stack_says(
    s3: Any, built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(
        monkeypatch, PageBucket="page", PageConfig=json.dumps(CONFIG), PageUrl="https://d1.cloudfront.net/"
    )
    assert run(monkeypatch, built, "--stack", "mine") == 0
    assert "https://d1.cloudfront.net/" in capsys.readouterr().out
    assert json.load(s3.get_object(Bucket="page", Key="config.json")["Body"]) == CONFIG


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((), "Which stack"), (("--stack", "none"), "none"), (("--stack", "mine"), "no PageConfig, PageUrl")],
)
def test_what_is_wrong_is_said_in_a_line(
    s3: Any,
    built: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    deploy(monkeypatch, PageBucket="page")
    assert run(monkeypatch, built, *arguments) == 1
    assert says in capsys.readouterr().err


def test_sams_own_parameters_for_deploying_come_first(tmp_path: Path) -> None:
    path = tmp_path / "samconfig.toml"
    assert publish.sam_says(path) == {}
    path.write_text(
        '[default.global.parameters]\nstack_name = "a"\n[default.deploy.parameters]\nstack_name = "b"\n'
    )
    assert publish.sam_says(path)["stack_name"] == "b"
