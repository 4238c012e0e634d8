"""A job's end is told to its callback, through the deployed template."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from local.cloud import Deployment
from tests import wire
from tests.receiver import Receiver, hang, receiving, redirect_to

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def separate(api: httpx.Client, song: Path, **request: Any) -> str:
    """Have a song separated; returns the job's id."""
    body = {"filename": song.name, "size": song.stat().st_size, **request}
    created = api.post("/v1/jobs", json=body).raise_for_status().json()
    wire.upload(created["upload"], song)
    return str(created["job"]["id"])


def callback(api: httpx.Client, job_id: str, state: str, seconds: float = 40) -> dict[str, Any]:
    """What the job says of its callback, once it says this."""
    deadline = time.monotonic() + seconds
    while True:
        told: dict[str, Any] = wire.get_job(api, job_id)["callback"]
        if told["state"] == state:
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.2)


def test_a_callback_is_told_until_it_has_heard(api: httpx.Client, song: Path, receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.answers = [500, redirect_to(elsewhere.url), 200]
        job_id = separate(api, song, callbackUrl=receiver.url + "/done", callbackSecret=SECRET)
        told = callback(api, job_id, "delivered")
        assert elsewhere.received == []
    assert (told["attempts"], told["lastStatus"]) == (3, 200)
    assert len(receiver.received) == 3
    first, second, third = receiver.received
    assert second.at - first.at > 0.9
    assert third.at - second.at > 1.9
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    for request in receiver.received:
        job = Webhook(SECRET).verify(request.body, request.headers)
        assert (job["id"], job["status"]) == (job_id, "completed")
    assert httpx.get(job["results"]["stems"]["vocals"]).is_success


def dead_letters(cloud: Deployment, until: str) -> list[str]:
    """Jobs whose webhooks were given up, other tests' among them."""
    found: list[str] = []
    deadline = time.monotonic() + 30
    while until not in found and time.monotonic() < deadline:
        answer = cloud.client("sqs").receive_message(
            QueueUrl=cloud.webhooks_dead_letter_queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        found += [json.loads(message["Body"])["id"] for message in answer.get("Messages", [])]
    return found


def test_a_callback_that_never_answers_is_given_up_and_kept_among_the_dead_letters(
    cloud: Deployment, api: httpx.Client, tmp_path: Path, receiver: Receiver
) -> None:
    text = tmp_path / "notes.mp3"
    text.write_text("These are no sounds.\n")
    receiver.answers = [503, hang(6), 503]
    job_id = separate(api, text, callbackUrl=receiver.url)
    told = callback(api, job_id, "failed")
    assert (told["attempts"], told["lastStatus"]) == (3, 503)
    assert json.loads(receiver.received[0].body)["status"] == "failed"
    assert "webhook-signature" not in receiver.received[0].headers
    assert job_id in dead_letters(cloud, until=job_id)
    assert len(receiver.received) == 3


@pytest.mark.parametrize("url", ["https://169.254.169.254/", "http://example.com/", "https://[::1]/"])
def test_a_callback_into_a_private_network_is_refused(api: httpx.Client, url: str) -> None:
    answer = api.post("/v1/jobs", json={"filename": "song.mp3", "size": 5, "callbackUrl": url})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
