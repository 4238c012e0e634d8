"""What a web page or another user of this machine gets out of the local cloud: nothing that needs its key."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from local.cloud import STACK, Deployment
from local.server import REGION
from tests import wire

ELSEWHERE, HERE = "https://evil.example", "http://localhost:5173"
ROLE = "arn:aws:iam::000000000000:role/guest"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def aws(cloud: Deployment, service: str, keys: Mapping[str, str], headers: Mapping[str, str]) -> Any:
    """A boto3 client with other keys, and headers more; they are not signed, as a browser's are not."""
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    client = boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        config=config,
        **{"region_name": REGION, **keys},  # type: ignore[call-overload]
    )
    client.meta.events.register("before-send", lambda request, **_: request.headers.update(headers))
    return client


def key(access: str, secret: str, **more: str) -> dict[str, str]:
    return {"aws_access_key_id": access, "aws_secret_access_key": secret, **more}


def key_of_a_function(cloud: Deployment) -> dict[str, str]:
    """What MiniStack by itself makes of names that are the same everywhere."""
    assert httpx.get(f"{cloud.api_url}/v1/health", timeout=60).is_success  # the function has keys by now
    name = cloud.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="StatusFunction"
    )["StackResourceDetail"]["PhysicalResourceId"]
    function = cloud.client("lambda").get_function_configuration(FunctionName=name)
    names = f"{function['FunctionArn']}:{function['Role']}"
    digest = hashlib.sha256(names.encode()).hexdigest()
    secret, token = (hashlib.sha256(f"{kind}:{digest}".encode()).hexdigest() for kind in ("secret", "token"))
    return key(f"ASIA{digest[:16].upper()}", secret, aws_session_token=token)


KEYS: dict[str, Callable[[Deployment], dict[str, str]]] = {
    "test": lambda cloud: key("test", "test"),
    "test-with-the-right-secret": lambda cloud: key("test", cloud.server.keys.secret_access_key),
    "account": lambda cloud: key("000000000000", "test"),
    "account-with-the-right-secret": lambda cloud: key("000000000000", cloud.server.keys.secret_access_key),
    "another-account": lambda cloud: key("123456789012", "test"),
    "made-up": lambda cloud: key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI"),
    "wrong-secret": lambda cloud: key(cloud.server.keys.access_key_id, "test"),
    "token-too-many": lambda cloud: {**cloud.server.credentials, "aws_session_token": "t"},
    "function": key_of_a_function,
}


def attack(cloud: Deployment, keys: Mapping[str, str], headers: Mapping[str, str], proof: Path) -> list[int]:
    """Have code of one's own run, step by step; the statuses of the answers."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", f"def handler(event, context): open({str(proof)!r}, 'w').write('ran')")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    functions = aws(cloud, "lambda", keys, headers)
    steps: list[Callable[[], Any]] = [
        lambda: aws(cloud, "iam", keys, headers).create_role(
            RoleName="guest",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        ),
        lambda: functions.create_function(
            FunctionName="guest",
            Runtime="python3.11",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
        ),
        lambda: functions.invoke(FunctionName="guest"),
        lambda: aws(cloud, "s3", keys, headers).list_buckets(),
        lambda: aws(cloud, "dynamodb", keys, headers).scan(TableName=cloud.jobs_table),
        lambda: aws(cloud, "sts", keys, headers).get_caller_identity(),
    ]
    statuses = []
    for step in steps:
        try:
            answer = step()
        except ClientError as error:
            answer = error.response
            assert len(answer["Error"]["Message"]) > 20, "it does not say why"
        statuses.append(answer["ResponseMetadata"]["HTTPStatusCode"])
    return statuses


@pytest.mark.parametrize("who", KEYS)
@pytest.mark.parametrize("origin", [{}, {"Origin": HERE}], ids=str)
def test_nobody_administrates_without_the_key(
    cloud: Deployment, who: str, origin: dict[str, str], tmp_path: Path
) -> None:
    assert attack(cloud, KEYS[who](cloud), origin, tmp_path / "proof") == [403] * 6
    assert not (tmp_path / "proof").exists()


@pytest.mark.parametrize("origin", [ELSEWHERE, "null"])
def test_a_page_of_elsewhere_does_not_with_it_either(cloud: Deployment, origin: str, tmp_path: Path) -> None:
    for keys in (key("test", "test"), cloud.server.credentials):
        assert attack(cloud, keys, {"Origin": origin}, tmp_path / "proof") == [403] * 6


def test_the_attack_would_work_for_the_administrator(cloud: Deployment, tmp_path: Path) -> None:
    # Without this, the refusals above would prove nothing.
    try:
        statuses = attack(cloud, cloud.server.credentials, {"Origin": HERE}, tmp_path / "proof")
        assert statuses == [200, 201, 200, 200, 200, 200]
        assert (tmp_path / "proof").read_text() == "ran"
    finally:
        cloud.client("lambda").delete_function(FunctionName="guest")
        cloud.client("iam").delete_role(RoleName="guest")


def test_nothing_is_administrated_without_a_signature(cloud: Deployment) -> None:
    bucket = f"{cloud.endpoint}/{cloud.uploads_bucket}"
    for method, url in {
        "GET": cloud.endpoint,
        "PUT": f"{bucket}/inbox/alice/song.mp3",
        "DELETE": bucket,
        "HEAD": bucket,
        "POST": f"{cloud.endpoint}/?Action=CreateRole&RoleName=guest&Version=2010-05-08",
    }.items():
        assert httpx.request(method, url, content=b"").status_code == 403
    for service, action in {
        "AWSCognitoIdentityProviderService": "AdminCreateUser",
        "DynamoDB_20120810": "Scan",
        "AmazonSQS": "ListQueues",
    }.items():
        headers = {"X-Amz-Target": f"{service}.{action}", "Content-Type": "application/x-amz-json-1.0"}
        body = {"TableName": cloud.jobs_table, "UserPoolId": cloud.user_pool_id, "Username": "guest"}
        assert httpx.post(cloud.endpoint, json=body, headers=headers).status_code == 403


def test_a_form_that_nobody_signed_stores_nothing(cloud: Deployment) -> None:
    name = "inbox/alice/unsigned.mp3"
    for fields in ({}, {"policy": "e30="}, {"x-amz-meta-a": "b"}, {"acl": "private"}):
        answer = httpx.post(
            f"{cloud.endpoint}/{cloud.uploads_bucket}", data={"key": name, **fields}, files={"file": b"song"}
        )
        assert answer.status_code == 403
    objects = cloud.client("s3").list_objects_v2(Bucket=cloud.uploads_bucket, Prefix=name)
    assert objects["KeyCount"] == 0


def test_what_was_signed_is_good_for_that_alone_and_for_its_time(cloud: Deployment) -> None:
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    s3 = boto3.client("s3", endpoint_url=cloud.endpoint, config=config, **cloud.server.credentials)  # type: ignore[call-overload]
    s3.put_object(Bucket=cloud.stems_bucket, Key="a/b/1/vocals.wav", Body=b"song")
    where = {"Bucket": cloud.stems_bucket, "Key": "a/b/1/vocals.wav"}
    link = s3.generate_presigned_url("get_object", where, ExpiresIn=2)
    assert httpx.get(link).content == b"song"
    assert httpx.put(link, content=b"noise").status_code == 403
    assert httpx.get(link.replace("vocals", "drums")).status_code == 403
    assert httpx.get(link + "&versionId=1").status_code == 403
    assert httpx.get(link.replace("X-Amz-Expires=2", "X-Amz-Expires=3600")).status_code == 403
    admin = cloud.server.keys.access_key_id
    assert (
        httpx.get(link, headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={admin}/x"}).status_code
        == 403
    )
    time.sleep(3)
    assert httpx.get(link).status_code == 403


def test_a_signature_is_good_for_its_date_and_body_alone(cloud: Deployment) -> None:
    heard: list[Any] = []
    sqs = cloud.client("sqs")
    sqs.meta.events.register("before-send", lambda request, **_: heard.append(request))
    sqs.list_queues()
    (sent,) = heard
    headers = {name: value for name, value in sent.headers.items() if name != "Content-Length"}

    def again(changes: dict[str, str], body: bytes = sent.body) -> int:
        return httpx.post(sent.url, content=body, headers=headers | changes).status_code

    assert again({}) == 200
    assert again({"X-Amz-Date": "20200101T000000Z"}) == 403
    assert again({"X-Amz-Target": "AmazonSQS.CreateQueue"}) == 403
    assert again({}, b'{"MaxResults": 1}') == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost.", "127.0.0.1.evil.example", "x.localhost", ""])
def test_a_request_to_another_host_is_refused(cloud: Deployment, api: httpx.Client, host: str) -> None:
    for url in (f"{cloud.endpoint}/_ministack/health", f"{cloud.api_url}/v1/health"):
        answer = api.get(url, headers={"Host": host})
        assert (answer.status_code, "answers as" in answer.text) == (403, True)
        assert api.get(url, headers={"Host": f"localhost:{urlsplit(url).port}"}).status_code == 200


@pytest.mark.parametrize("door", ["reset", "config", "%72eset", "lambda-code/StatusFunction", "sqs/messages"])
def test_ministacks_own_doors_are_closed(cloud: Deployment, door: str) -> None:
    for method in ("GET", "POST"):
        assert httpx.request(method, f"{cloud.endpoint}/_ministack/{door}", json={}).status_code == 403
    assert httpx.get(f"{cloud.endpoint}/_ministack/health").status_code == 200


def test_a_page_of_elsewhere_is_refused_before_it_may_ask(
    cloud: Deployment, api: httpx.Client, song: Path
) -> None:
    for url in (cloud.endpoint, f"{cloud.endpoint}/{cloud.uploads_bucket}", f"{cloud.api_url}/v1/jobs"):
        for origin in (ELSEWHERE, "null"):
            answer = httpx.options(url, headers={"Origin": origin, **PREFLIGHT})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
    answer = api.get("/v1/jobs", headers={"Origin": ELSEWHERE})
    assert answer.status_code == 403
    assert ELSEWHERE in answer.json()["message"]


def test_a_page_of_this_machine_sends_a_song_and_gets_its_stems(
    cloud: Deployment, api: httpx.Client, song: Path
) -> None:
    page = {"Origin": HERE}

    def may(answer: httpx.Response) -> httpx.Response:
        assert answer.is_success, answer.text
        assert answer.headers["access-control-allow-origin"] == HERE
        return answer

    may(httpx.options(f"{cloud.api_url}/v1/jobs", headers=page | PREFLIGHT))
    request = {"filename": song.name, "size": song.stat().st_size}
    created = may(api.post("/v1/jobs", json=request, headers=page)).json()
    upload = created["upload"]
    files = {"file": song.read_bytes()}
    may(httpx.post(upload["url"], data=upload["fields"], files=files, headers=page))
    *_, job = wire.watch(api, created["job"]["id"], seconds=60)
    assert job["status"] == "completed", job["error"]
    may(httpx.get(job["results"]["stems"]["vocals"], headers=page))


def test_a_websocket_opens_for_a_page_of_this_machine_alone(cloud: Deployment) -> None:
    url = f"{cloud.live_url}?token={cloud.token()}"
    for origin in (ELSEWHERE, "null"):
        with pytest.raises(InvalidStatus) as refused:
            connect(url, additional_headers={"Origin": origin})
        assert refused.value.response.status_code == 403
        assert origin in json.loads(refused.value.response.body or b"{}")["message"]
    with pytest.raises(InvalidStatus):
        connect(f"{cloud.endpoint.replace('http', 'ws')}/?token=x")
    with connect(url, additional_headers={"Origin": HERE}, open_timeout=60) as socket:
        socket.send('{"action": "ping"}')
        assert json.loads(socket.recv(30)) == {"type": "pong"}


def test_the_state_is_the_users_alone(cloud: Deployment, api: httpx.Client, state: Path) -> None:
    api.get("/v1/jobs")  # so that there is a log
    paths = [state, *state.rglob("*")]
    assert {"keys.json", "ministack.log", "StatusFunction.log"} <= {path.name for path in paths}
    # A function's own code is opened to all, in a folder that is not.
    open_to_others = {path for path in paths if stat.S_IMODE(path.lstat().st_mode) & 0o077}
    assert {path.name for path in open_to_others} <= {"bootstrap"}
