"""The deployed template with its objects in R2: a Cloudflare Queue and a webhook tell of its uploads."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from local.cloud import STACK, Deployment, deploy
from local.server import Server, free_port
from local.template import load
from stempipe.adapters.signatures import sign
from tests import wire
from tests.cloudflare import PATH, TOKEN, CloudflareQueueService
from tests.http import serving
from tests.r2 import KEYS, R2

UPLOADS, STEMS = "songs-in", "songs-out"


@dataclass(frozen=True)
class World:
    """The stack, R2, and the queue that R2 tells of its uploads."""

    stack: Deployment
    endpoint: str
    queue: CloudflareQueueService

    def resource(self, logical_id: str) -> str:
        """A resource's physical id."""
        detail = self.stack.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical_id
        )["StackResourceDetail"]
        return str(detail["PhysicalResourceId"])

    def pull(self, event: dict[str, Any]) -> Any:
        """Run the function that the schedule runs every minute."""
        function = self.resource("PullFunction")
        answer = self.stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def world(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("r2")
    queue = CloudflareQueueService()

    def notify(notification: dict[str, Any]) -> None:
        if notification["bucket"] == UPLOADS:
            queue.send(notification)

    ministack = root / ".venv/ministack/bin/python"
    with (
        Server.start(python=ministack, state=folder / "state", port=free_port()) as server,
        serving(R2(server.endpoint, server.credentials, notify)) as endpoint,
        serving(queue) as cloudflare,
    ):
        for bucket in (UPLOADS, STEMS):
            server.client("s3").create_bucket(Bucket=bucket)
        secrets = server.client("secretsmanager")
        keys = secrets.create_secret(Name="r2", SecretString=json.dumps(KEYS))["ARN"]
        token = secrets.create_secret(Name="queue", SecretString=json.dumps({"api_token": TOKEN}))["ARN"]
        chosen = {
            "StorageProvider": "r2",
            "R2Endpoint": endpoint,
            "R2SecretArn": keys,
            "R2UploadsBucket": UPLOADS,
            "R2StemsBucket": STEMS,
            "R2QueueId": "queue",
            "R2QueueSecretArn": token,
            "CloudflareAccountId": "account",
            "R2Webhook": "true",
        }
        _choose(root, folder, chosen, queue_url=cloudflare + PATH)
        logs = folder / "logs"
        logs.mkdir()
        stack = deploy(server, root=folder, python=Path(sys.executable), logs=logs)
        yield World(stack, endpoint, queue)


def _choose(root: Path, folder: Path, chosen: dict[str, str], queue_url: str) -> None:
    """The repository, with other parameters and a Cloudflare of our own."""
    for part in ("functions", "layers"):
        (folder / part).symlink_to(root / part)
    template = load(root / "template.yaml")
    for name, value in chosen.items():
        template["Parameters"][name]["Default"] = value
    pull = template["Resources"]["PullFunction"]["Properties"]
    pull["Environment"]["Variables"]["CLOUDFLARE_QUEUE_URL"] = queue_url
    # Run by hand, for what a test sees to be its own doing.
    del pull["Events"]
    (folder / "template.yaml").write_text(json.dumps(template))


@pytest.fixture(scope="module")
def producer(world: World) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {world.stack.token()}"}
    with httpx.Client(base_url=world.stack.api_url, headers=headers, timeout=60) as api:
        yield api


def test_a_song_goes_through_r2_and_its_queue_to_stems(
    world: World,
    producer: httpx.Client,
    song: Path,
    sample_event: Callable[[str], dict[str, Any]],
    decode: Callable[[Path], Any],
    tmp_path: Path,
) -> None:
    created = wire.create_job(producer, song)
    assert created["upload"]["method"] == "PUT"
    wire.upload(created["upload"], song)
    assert world.queue.backlog == 1
    assert world.pull(sample_event("pull-schedule")) == {"done": 1, "again": 0}
    assert world.queue.backlog == 0

    job = list(wire.watch(producer, created["job"]["id"], seconds=60))[-1]
    assert job["status"] == "completed", job["error"]
    links = list(job["results"]["stems"].values())
    assert all(link.startswith(f"{world.endpoint}/{STEMS}/") for link in links)
    paths = [wire.download(link, tmp_path) for link in links]
    assert [path.name for path in paths] == [
        "audio_example - vocals.wav",
        "audio_example - accompaniment.wav",
    ]
    assert {decode(path).shape for path in paths} == {decode(song).shape}


def test_a_song_in_the_inbox_is_one_job_though_webhook_and_queue_both_tell_of_it(
    world: World, producer: httpx.Client, song: Path, sample_event: Callable[[str], dict[str, Any]]
) -> None:
    key = f"inbox/{world.stack.user_id()}/dropped.mp3"
    put(world.endpoint, key, song)
    assert world.queue.backlog == 1

    url = f"{world.stack.api_url}/v1/events/r2"
    # MiniStack overlooks ExcludePunctuation: what it generates is no base64.
    secret = "c2l4dGVlbiBieXRlcyBvciBtb3Jl"
    world.stack.client("secretsmanager").put_secret_value(
        SecretId=world.resource("WebhookSecret"), SecretString=secret
    )
    event = sample_event("intake-r2") | {"bucket": UPLOADS, "object": {"key": key}}
    headers, body = signed(secret, event)
    assert httpx.post(url, content=body, headers=headers, timeout=60).status_code == 204
    replay = httpx.post(url, content=body, headers=headers, timeout=60)
    assert (replay.status_code, replay.json()["error"]["code"]) == (409, "already_received")
    forged = headers | {"webhook-id": "another"}
    assert httpx.post(url, content=body, headers=forged, timeout=60).status_code == 401
    assert world.pull(sample_event("pull-schedule")) == {"done": 1, "again": 0}

    jobs = [
        job for job in producer.get("/v1/jobs").json()["jobs"] if job["source"]["filename"] == "dropped.mp3"
    ]
    assert len(jobs) == 1
    job = list(wire.watch(producer, jobs[0]["id"], seconds=60))[-1]
    assert job["status"] == "completed", job["error"]


def put(endpoint: str, key: str, song: Path) -> None:
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="auto",
        aws_access_key_id=KEYS["access_key_id"],
        aws_secret_access_key=KEYS["secret_access_key"],
        config=Config(request_checksum_calculation="when_required"),
    ).upload_file(str(song), UPLOADS, key)


def signed(secret: str, notification: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    body, timestamp = json.dumps(notification).encode(), int(time.time())
    headers = {
        "webhook-id": "1ad27d24c83de78953da635dc2ea208f",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, "1ad27d24c83de78953da635dc2ea208f", timestamp, body),
    }
    return headers, body
