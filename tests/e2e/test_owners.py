"""What is whose: jobs, links, and places in the buckets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.config import Config

from local.cloud import STACK, Deployment
from local.server import REGION
from stempipe.adapters.storage import Storage
from tests import wire
from tests.routes import Route, routes

OF_A_JOB = [route for route in routes() if "{id}" in route.path]


@pytest.mark.parametrize("route", OF_A_JOB, ids=str)
def test_anothers_job_is_not_found_by_any_route(
    api: httpx.Client, sign_in: Callable[[str], httpx.Client], song: Path, route: Route
) -> None:
    job = wire.create_job(api, song)["job"]
    stranger = sign_in("stranger@example.com")
    for job_id in (job["id"], "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        answer = stranger.request(route.method, route.path.replace("{id}", job_id))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job_not_found")
    assert wire.get_job(api, job["id"]) == job
    # For its owner there is something there.
    assert api.request(route.method, route.path.replace("{id}", job["id"])).status_code != 404


def test_a_stranger_lists_no_jobs_but_his_own_even_with_anothers_cursor(
    api: httpx.Client, sign_in: Callable[[str], httpx.Client], song: Path
) -> None:
    for _ in range(2):
        wire.create_job(api, song)
    cursor = api.get("/v1/jobs", params={"limit": 1}).json()["cursor"]
    stranger = sign_in("stranger@example.com")
    for params in ({}, {"cursor": cursor}, {"status": "awaiting_upload"}):
        assert stranger.get("/v1/jobs", params=params).json()["jobs"] == []


def test_an_upload_link_is_good_for_its_song_alone(api: httpx.Client, song: Path) -> None:
    created = wire.create_job(api, song)
    url, fields, content = created["upload"]["url"], created["upload"]["fields"], song.read_bytes()

    def post(changes: dict[str, str] | None = None, *, to: str = url, content: bytes = content) -> int:
        return httpx.post(to, data=fields | (changes or {}), files={"file": content}).status_code

    assert post({"key": fields["key"] + "x"}) == 403
    assert post({"key": f"jobs/another/{created['job']['id']}"}) == 403
    assert post({"key": "inbox/another/song.mp3"}) == 403
    assert post({"Content-Type": "text/html"}) == 403
    assert post({"x-amz-meta-stempipe-config": "{}"}) == 403
    assert post({"acl": "public-read"}) == 403
    assert post(to=url.replace("uploads", "stems")) == 403
    assert post(content=content[:-1]) == 400
    assert post(content=content + b"x") == 400
    assert post({"policy": fields["policy"][::-1]}) == 403
    assert post({"x-amz-signature": "0" * 64}) == 403
    assert httpx.put(f"{url}/{fields['key']}", content=content).status_code == 403
    assert wire.get_job(api, created["job"]["id"])["status"] == "awaiting_upload"
    assert post() == 204


def role_of(cloud: Deployment, function: str) -> Any:
    """S3, as a function of the stack may use it."""
    stack = cloud.client("cloudformation")
    name = stack.describe_stack_resource(StackName=STACK, LogicalResourceId=function)
    name = name["StackResourceDetail"]["PhysicalResourceId"]
    role = cloud.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    keys = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName=function)["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(signature_version="s3v4"),
    )


def test_links_expire(cloud: Deployment) -> None:
    storage = Storage(role_of(cloud, "StatusFunction"), "s3")
    cloud.client("s3").put_object(Bucket=cloud.stems_bucket, Key="a/b/1/vocals.wav", Body=b"song")
    key = "jobs/alice/01K"
    upload = storage.upload_link(cloud.uploads_bucket, key, size=4, content_type="audio/mpeg", seconds=2)
    download = storage.download_link(cloud.stems_bucket, "a/b/1/vocals.wav", "vocals.wav", 2)
    assert httpx.get(download).content == b"song"
    time.sleep(3)
    late = httpx.post(upload.url, data=dict(upload.fields), files={"file": b"song"})
    assert (late.status_code, "Policy expired" in late.text) == (403, True)
    late = httpx.get(download)
    assert (late.status_code, "expired" in late.text) == (403, True)


def grant(cloud: Deployment, root: Path, owner: str) -> Any:
    """S3, as somebody to whom docs/security.md grants an owner's inbox."""
    (policy,) = re.findall(r"^```json\n(.*?)^```", (root / "docs/security.md").read_text(), re.M | re.S)
    # MiniStack knows tags in conditions, but puts no variable into a resource's name: that is done here.
    policy = policy.replace("${aws:PrincipalTag/stempipe-owner}", owner)
    policy = policy.replace("UPLOADS_BUCKET", cloud.uploads_bucket)
    iam, name = cloud.client("iam"), f"user-{uuid4()}"
    iam.create_user(UserName=name, Tags=[{"Key": "stempipe-owner", "Value": owner}])
    iam.put_user_policy(UserName=name, PolicyName="inbox", PolicyDocument=policy)
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )


def test_who_is_granted_an_inbox_drops_songs_there_and_does_nothing_else(
    cloud: Deployment, root: Path
) -> None:
    s3, bucket = grant(cloud, root, "alice"), cloud.uploads_bucket
    s3.put_object(Bucket=bucket, Key="inbox/alice/notes.txt", Body=b"no song")
    for key in ("inbox/bob/x", "inbox/alice2/x", "inbox/x", "jobs/alice/x", "jobs/bob/x", "x"):
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"no song")
    for verb, where in {
        "get_object": {"Bucket": bucket, "Key": "inbox/alice/notes.txt"},
        "delete_object": {"Bucket": bucket, "Key": "inbox/alice/notes.txt"},
        "list_objects_v2": {"Bucket": bucket, "Prefix": "inbox/alice/"},
        "list_objects": {"Bucket": cloud.stems_bucket, "Prefix": "alice/01K/"},
    }.items():
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            getattr(s3, verb)(**where)


def test_nobody_is_granted_a_folder_in_anothers_inbox(cloud: Deployment, root: Path) -> None:
    s3 = grant(cloud, root, "alice/drums")
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.put_object(Bucket=cloud.uploads_bucket, Key="inbox/alice/drums/notes.txt", Body=b"no song")


@pytest.mark.parametrize(
    ("function", "allowed"), [("StatusFunction", "alice/01K/"), ("SeparateFunction", "alice/01K/1/")]
)
def test_stems_are_listed_by_the_job_and_in_no_other_way(
    cloud: Deployment, function: str, allowed: str
) -> None:
    s3 = role_of(cloud, function)
    s3.list_objects_v2(Bucket=cloud.stems_bucket, Prefix=allowed)
    for prefix in ("", "alice", "alice/", allowed.rpartition("/")[0]):
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket=cloud.stems_bucket, Prefix=prefix)


@pytest.mark.parametrize("function", ["IntakeFunction", "StatusFunction", "SeparateFunction"])
def test_no_function_may_do_what_is_not_its_own(cloud: Deployment, function: str) -> None:
    s3 = role_of(cloud, function)
    forbidden = {
        "IntakeFunction": [("put", cloud.uploads_bucket), ("get", cloud.stems_bucket)],
        "StatusFunction": [("put", cloud.stems_bucket)],
        "SeparateFunction": [("put", cloud.uploads_bucket), ("delete", cloud.uploads_bucket)],
    }
    for verb, bucket in forbidden[function]:
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            getattr(s3, f"{verb}_object")(Bucket=bucket, Key="inbox/alice/song.mp3")
