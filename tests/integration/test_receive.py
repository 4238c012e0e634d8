"""POST /v1/events/r2: request by request, and from the Worker of examples/r2."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import boto3
import pytest

from local.template import load
from stempipe.adapters.received import ReceivedMessages
from stempipe.adapters.signatures import sign
from stempipe.jobs.record import Status
from stempipe.jobs.table import Jobs
from stempipe.rules.intake import Intake
from stempipe.rules.receive import MAX_BODY_BYTES, Receiver
from stempipe.settings import IntakeSettings
from tests.aws import ROOT, UPLOADS, Aws
from tests.http import Answer, Request, serving

SECRET = "c2l4dGVlbiBieXRlcyBvciBtb3Jl"
KEY = "inbox/alice/my first song.mp3"
RESOURCES = load(ROOT / "template.yaml")["Resources"]


class Answered(NamedTuple):
    status: int
    code: str | None


class Door:
    """The function, as API Gateway calls it."""

    def __init__(self, app: ModuleType, context: Any, sample: dict[str, Any]) -> None:
        self.app, self._context, self._sample = app, context, sample

    def ask(self, headers: dict[str, str], body: bytes, *, as_base64: bool = False) -> dict[str, Any]:
        event = deepcopy(self._sample)
        event["headers"] = headers
        event["isBase64Encoded"] = as_base64
        event["body"] = base64.b64encode(body).decode() if as_base64 else body.decode()
        answer: dict[str, Any] = self.app.handler(event, self._context)
        return answer

    def send(
        self,
        body: dict[str, Any] | bytes,
        *,
        message_id: str = "m1",
        seconds_ago: int = 0,
        secret: str = SECRET,
        as_base64: bool = False,
    ) -> Answered:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        timestamp = int(time.time()) - seconds_ago
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, message_id, timestamp, content),
        }
        answer = self.ask(headers, content, as_base64=as_base64)
        if "body" not in answer:
            return Answered(answer["statusCode"], None)
        assert answer["headers"]["Content-Type"] == "application/json"
        error = json.loads(answer["body"])["error"]
        assert error["message"]
        return Answered(answer["statusCode"], error["code"])


@pytest.fixture
def door(
    cloud: Aws,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> Door:
    table = RESOURCES["ReceivedTable"]["Properties"]
    boto3.client("dynamodb").create_table(
        TableName="received",
        **{name: table[name] for name in ("BillingMode", "AttributeDefinitions", "KeySchema")},
    )
    secret = boto3.client("secretsmanager").create_secret(Name="webhook", SecretString=SECRET)
    monkeypatch.setenv("RECEIVED_TABLE", "received")
    monkeypatch.setenv("WEBHOOK_SECRET_ARN", secret["ARN"])
    return Door(load_app("receive"), lambda_context, sample_event("receive-r2"))


@pytest.fixture
def notification(cloud: Aws, sample_event: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """R2's, of a song that is there."""
    cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"music")
    return sample_event("intake-r2")


def remembered() -> set[str]:
    items = boto3.client("dynamodb").scan(TableName="received")["Items"]
    return {item["id"]["S"] for item in items}


@pytest.mark.parametrize("as_base64", [False, True])
def test_a_signed_notification_becomes_a_queued_job(
    door: Door, notification: dict[str, Any], jobs: Jobs, cloud: Aws, as_base64: bool
) -> None:
    assert door.send(notification, as_base64=as_base64) == (204, None)
    (job,) = jobs.listing.newest("alice", 10).jobs
    assert (job.state, job.provider) == (Status.QUEUED, "r2")
    assert cloud.messages() == [{"owner": "alice", "id": job.id}]


def test_the_sample_event_is_refused_for_its_age(
    door: Door, sample_event: Callable[[str], dict[str, Any]], lambda_context: Any
) -> None:
    answer = door.app.handler(sample_event("receive-r2"), lambda_context)
    assert answer["statusCode"] == 401
    assert json.loads(answer["body"])["error"]["code"] == "unauthorized"


def test_a_replay_is_refused(door: Door, notification: dict[str, Any], jobs: Jobs, cloud: Aws) -> None:
    assert door.send(notification).status == 204
    assert door.send(notification) == (409, "already_received")
    assert door.send(notification, message_id="m2").status == 204
    assert len(jobs.listing.newest("alice", 10).jobs) == 1
    assert len(cloud.messages()) == 1


def test_what_is_received_is_remembered_for_as_long_as_its_signature_lasts(
    door: Door, notification: dict[str, Any]
) -> None:
    before = time.time()
    door.send(notification)
    (item,) = boto3.client("dynamodb").scan(TableName="received")["Items"]
    assert item["id"] == {"S": "m1"}
    assert 600 <= float(item["expiresAt"]["N"]) - int(before) <= 605
    assert RESOURCES["ReceivedTable"]["Properties"]["TimeToLiveSpecification"]["AttributeName"] == "expiresAt"


def test_of_two_copies_at_the_same_moment_one_is_refused(
    door: Door, notification: dict[str, Any], jobs: Jobs
) -> None:
    received = door.app.receiver().received

    class Late(ReceivedMessages):
        """Looks before the other copy is remembered."""

        def check_new(self, message_id: str) -> None:
            received.remember(message_id)

    late = Receiver(door.app.receiver().intake, Late("received"), lambda: SECRET)
    vars(door.app)["receiver"] = lambda: late
    assert door.send(notification) == (409, "already_received")
    assert len(jobs.listing.newest("alice", 10).jobs) == 1


def test_what_failed_half_way_may_come_again_under_its_id(
    door: Door, notification: dict[str, Any], jobs: Jobs, cloud: Aws
) -> None:
    cloud.sqs.delete_queue(QueueUrl=cloud.jobs_queue_url)
    assert door.send(notification) == (500, "internal_error")
    assert remembered() == set()
    cloud.sqs.create_queue(QueueName="JOBS_QUEUE_URL")
    assert door.send(notification).status == 204
    assert len(cloud.messages()) == 1


def test_a_message_of_another_time_is_refused(door: Door, notification: dict[str, Any], jobs: Jobs) -> None:
    assert door.send(notification, seconds_ago=301) == (401, "unauthorized")
    assert door.send(notification, seconds_ago=-310) == (401, "unauthorized")
    assert jobs.listing.newest("alice", 10).jobs == []


def test_without_the_secret_nothing_is_looked_at(
    door: Door, notification: dict[str, Any], jobs: Jobs
) -> None:
    assert door.send(notification, secret="YW5vdGhlcg==") == (401, "unauthorized")
    assert door.ask({}, b"")["statusCode"] == 401
    assert jobs.listing.newest("alice", 10).jobs == []
    assert remembered() == set()


def test_a_body_over_the_limit_is_refused(door: Door) -> None:
    assert door.send(b" " * (MAX_BODY_BYTES + 1)) == (413, "body_too_large")


def test_what_is_no_notification_is_refused(door: Door) -> None:
    for body in (b"", b"no JSON", b"{}", b"[]", b"\xff"):
        assert door.send(body, as_base64=True) == (422, "invalid_request")


def test_an_upload_of_no_job_is_refused(door: Door, notification: dict[str, Any], cloud: Aws) -> None:
    cloud.s3.put_object(Bucket=UPLOADS, Key="jobs/alice/none/17", Body=b"music")
    assert door.send(notification | {"object": {"key": "jobs/alice/none/17"}}) == (404, "job_not_found")


def test_a_deletion_is_nothing_to_take_in(door: Door, notification: dict[str, Any], jobs: Jobs) -> None:
    assert door.send(notification | {"action": "DeleteObject"}).status == 204
    assert jobs.listing.newest("alice", 10).jobs == []


def test_where_storage_fails_the_sender_should_try_again(
    door: Door, notification: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    intake = Intake.connect(IntakeSettings.from_environment())
    broken = Receiver(intake, door.app.receiver().received, lambda: SECRET)
    vars(door.app)["receiver"] = lambda: broken
    assert door.send(notification) == (503, "storage_unavailable")


# ---- the Worker ----------------------------------------------------------------------------------


@pytest.fixture
def forward(root: Path) -> Callable[..., dict[str, Any]]:
    """Has the Worker forward notifications; gives what became of each message."""
    node = shutil.which("node")
    if not node:
        pytest.skip("There is no node here to run the Worker with.")

    def run(url: str, messages: dict[str, Any], secret: str = SECRET, attempts: int = 1) -> dict[str, Any]:
        given = {
            "env": {"STEMPIPE_URL": url, "STEMPIPE_SECRET": secret},
            "messages": [
                {"id": message_id, "attempts": attempts, "body": body}
                for message_id, body in messages.items()
            ],
        }
        done = subprocess.run(
            [node, root / "tests/integration/forward.mjs"],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        outcomes: dict[str, Any] = json.loads(done.stdout)
        return outcomes

    return run


def test_the_worker_of_the_examples_is_understood(
    door: Door, notification: dict[str, Any], jobs: Jobs, forward: Callable[..., dict[str, Any]]
) -> None:
    statuses = []

    def answer(request: Request) -> Answer:
        answered = door.ask(dict(request.headers), request.body)
        statuses.append(int(answered["statusCode"]))
        return Answer(statuses[-1], answered.get("body", "").encode())

    unicode = notification | {"object": {"key": "inbox/alice/Größe 音.mp3"}}
    with serving(answer) as url:
        assert forward(url, {"m1": notification}) == {"m1": "acknowledged"}
        assert forward(url, {"m1": notification}, f"whsec_{SECRET}") == {"m1": "acknowledged"}
        assert forward(url, {"m2": unicode, "m3": {}}) == {"m2": "acknowledged", "m3": "acknowledged"}
        assert forward(url, {"m4": notification}, "YW5vdGhlcg==") == {"m4": 30}
    assert sorted(statuses) == [204, 204, 401, 409, 422]
    assert len(jobs.listing.newest("alice", 10).jobs) == 1


def test_the_worker_tries_again_later_and_later(forward: Callable[..., dict[str, Any]]) -> None:
    with serving(lambda _: Answer(503)) as url:
        delays = [forward(url, {"m1": {}}, attempts=attempts)["m1"] for attempts in (1, 2, 6, 100)]
    assert delays == [30, 60, 900, 900]


def test_the_worker_tries_again_when_nobody_answers(forward: Callable[..., dict[str, Any]]) -> None:
    assert forward("http://127.0.0.1:9/", {"m1": {}}) == {"m1": 30}
