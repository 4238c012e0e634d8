"""webhook: a callback is told of its job's end, signed, again and again until it has heard."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import Any

import boto3
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from stempipe.adapters.outbound import Outbound
from stempipe.adapters.queue import TryAgain, WebhookMessage, WebhookQueue
from stempipe.adapters.storage import Storage, stem_links
from stempipe.adapters.turns import Turns
from stempipe.adapters.vault import Vault, kms_client
from stempipe.errors import InvalidRequest
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Delivery, Job, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import JobView, job_view
from stempipe.rules.webhooks import Callbacks, Deliverer
from stempipe.settings import WebhookSettings
from tests.aws import TURNS, UPLOADS, Aws
from tests.claims import take
from tests.receiver import Receiver, hang, receiving, redirect_to
from tests.stored import stored_song

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def settings(cloud: Aws) -> WebhookSettings:
    return WebhookSettings.from_environment()


@pytest.fixture
def vault(settings: WebhookSettings) -> Vault:
    return Vault(kms_client(), settings.callback_key_id)


@pytest.fixture
def callbacks(vault: Vault) -> Callbacks:
    return Callbacks(Outbound(["127.0.0.1"]), vault)


@pytest.fixture
def view(cloud: Aws, settings: WebhookSettings) -> Callable[[Job], JobView]:
    return partial(job_view, link=stem_links(Storage(cloud.s3, "s3"), settings))


@pytest.fixture
def given_up(cloud: Aws) -> WebhookQueue:
    return WebhookQueue(cloud.sqs, cloud.webhooks_dead_letter_queue_url)


@pytest.fixture
def deliverer(jobs: Jobs, vault: Vault, view: Callable[[Job], JobView], given_up: WebhookQueue) -> Deliverer:
    outbound = Outbound(["127.0.0.1"], total_seconds=0.5)
    return Deliverer(jobs, view, vault, outbound, (5, 30), given_up, Turns(TURNS, time.time))


@pytest.fixture
def ended(jobs: Jobs, callbacks: Callbacks, receiver: Receiver) -> Callable[..., WebhookMessage]:
    """A completed job that has a callback, and the message that says so."""

    def end(secret: str | None = SECRET, url: str | None = None) -> WebhookMessage:
        callback = callbacks.accept("alice", "01K", url or f"{receiver.url}/hook?a=b", secret)
        source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
        jobs.add("alice", "01K", Status.QUEUED, source, JobConfig(), callback=callback)
        take(jobs, "alice", "01K", 30).complete(
            stored=stored_song({"vocals": "alice/01K/1/vocals.wav"}, duration_seconds=180.0), gb_seconds=12.5
        )
        return WebhookMessage(owner="alice", id="01K", version=int(jobs.get("alice", "01K").version))

    return end


def test_the_job_is_posted_and_signed_as_standard_webhooks_say(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver, jobs: Jobs
) -> None:
    deliverer.deliver(ended())
    (request,) = receiver.received
    assert request.path == "/hook?a=b"
    assert request.headers["content-type"] == "application/json"
    job = Webhook(SECRET).verify(request.body, request.headers)
    assert (job["id"], job["status"], job["config"]["modelVariant"]) == ("01K", "completed", "2stems")
    assert job["results"]["stems"]["vocals"].startswith("https://")
    assert "secret" not in request.body.decode().lower()
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body.replace(b"completed", b"cancelled"), request.headers)
    done = jobs.get("alice", "01K")
    assert (done.delivery, done.callback_attempts, done.callback_status) == (Delivery.DELIVERED, 1, 200)


def test_without_a_secret_nothing_is_signed(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver
) -> None:
    deliverer.deliver(ended(secret=None))
    headers = receiver.received[0].headers
    assert "webhook-signature" not in headers
    assert headers["webhook-id"]


def test_what_fails_is_tried_again_later_and_later_with_the_same_id(
    deliverer: Deliverer,
    ended: Callable[..., WebhookMessage],
    receiver: Receiver,
    jobs: Jobs,
    view: Callable[[Job], JobView],
) -> None:
    receiver.answers = [500, hang(1), 204]
    message = ended()
    delays, states = [], []
    for _ in range(2):
        with pytest.raises(TryAgain) as again:
            deliverer.deliver(message)
        delays.append(again.value.seconds)
        callback = view(jobs.get("alice", "01K")).callback
        assert callback
        states.append((callback.state, callback.attempts, callback.last_status))
    deliverer.deliver(message)
    assert delays == [5, 30]
    assert states == [("pending", 1, 500), ("pending", 2, None)]
    assert jobs.get("alice", "01K").delivery is Delivery.DELIVERED
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    for request in receiver.received:
        Webhook(SECRET).verify(request.body, request.headers)


def test_after_the_last_attempt_it_is_given_up_and_said_so(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver, jobs: Jobs, cloud: Aws
) -> None:
    receiver.answers = [503]
    message = ended()
    for seconds in (5, 30):
        with pytest.raises(TryAgain) as again:
            deliverer.deliver(message)
        assert again.value.seconds == seconds
    deliverer.deliver(message)
    assert cloud.messages(cloud.webhooks_dead_letter_queue_url) == [message.model_dump()]
    deliverer.deliver(message)  # another copy of it
    assert len(receiver.received) == 3
    job = jobs.get("alice", "01K")
    assert (job.delivery, job.callback_attempts, job.callback_status) == (Delivery.FAILED, 3, 503)


def test_the_next_end_of_a_job_is_counted_from_the_beginning(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver, jobs: Jobs
) -> None:
    receiver.answers = [503]
    message = ended()
    with pytest.raises(TryAgain):
        deliverer.deliver(message)
    jobs.get("alice", "01K").update([Job.version.add(1)])
    again = message.model_copy(update={"version": message.version + 1})
    with pytest.raises(TryAgain) as first:
        deliverer.deliver(again)
    assert first.value.seconds == 5
    assert jobs.get("alice", "01K").callback_attempts == 1


@pytest.mark.parametrize("answer", [301, 410])
def test_a_redirect_is_a_failure_and_gone_is_the_end(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver, jobs: Jobs, answer: int
) -> None:
    with receiving() as other:
        receiver.answers = [redirect_to(other.url) if answer == 301 else answer]
        with nullcontext() if answer == 410 else pytest.raises(TryAgain):
            deliverer.deliver(ended())
        assert other.received == []
    assert jobs.get("alice", "01K").delivery is (Delivery.FAILED if answer == 410 else Delivery.PENDING)


def test_a_name_that_has_a_private_address_by_now_is_given_up_unasked(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], jobs: Jobs
) -> None:
    outbound = Outbound(resolve=lambda host, port: ["169.254.169.254"])
    message = ended(url="https://hooks.example.com/")
    replace(deliverer, outbound=outbound).deliver(message)
    assert jobs.get("alice", "01K").delivery is Delivery.FAILED


def test_a_message_that_comes_twice_is_delivered_once(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver
) -> None:
    message = ended()
    deliverer.deliver(message)
    deliverer.deliver(message)
    assert len(receiver.received) == 1


def test_an_end_that_is_none_any_more_is_not_told(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver, jobs: Jobs
) -> None:
    message = ended()
    # As when its owner has it tried again.
    jobs.get("alice", "01K").update([Job.status.set("queued"), Job.version.add(1)])
    deliverer.deliver(message)
    deliverer.deliver(WebhookMessage(owner="alice", id="none", version=1))
    assert receiver.received == []


def test_a_job_that_has_not_ended_is_not_told_whatever_its_number(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver, jobs: Jobs
) -> None:
    message = ended()
    jobs.get("alice", "01K").update([Job.status.set("queued")])
    deliverer.deliver(message)
    assert receiver.received == []


class Slow(Outbound):
    """Answers after so many seconds of a clock that stands still else, and meanwhile has something done."""

    def __init__(self, clock: list[float], seconds: float, meanwhile: Callable[[], None]) -> None:
        self._clock, self._seconds, self._meanwhile = clock, seconds, meanwhile

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self._clock[0] += self._seconds
        self._meanwhile()
        return 200


def seconds_put_off(deliverer: Deliverer, message: WebhookMessage) -> int:
    with pytest.raises(TryAgain) as again:
        deliverer.deliver(message)
    return again.value.seconds


@pytest.mark.parametrize(("lasts", "meanwhile", "afterwards"), [(0.2, 1, 0), (2, 8, 8), (8, 22, 32)])
def test_an_owner_is_called_one_at_a_time_and_leaves_time_to_others_if_it_takes_long(
    deliverer: Deliverer,
    ended: Callable[..., WebhookMessage],
    jobs: Jobs,
    lasts: float,
    meanwhile: int,
    afterwards: int,
) -> None:
    clock = [1000.0]
    put_off: list[int] = []
    impatient: list[Deliverer] = []
    message = ended()

    def anothers() -> Deliverer:
        """Of another process."""
        turns = Turns(TURNS, lambda: clock[0])
        outbound = Slow(clock, lasts, amid)
        return replace(deliverer, outbound=outbound, now=lambda: clock[0], turns=turns, _put_off={})

    def amid() -> None:
        if not put_off:
            impatient.append(anothers())
            put_off.append(seconds_put_off(impatient[0], message))

    anothers().deliver(message)
    assert put_off == [meanwhile]
    assert seconds_put_off(impatient[0], message) == meanwhile  # it remembers, and asks nobody
    done = jobs.get("alice", "01K")
    assert (done.delivery, done.deliveries) == (Delivery.DELIVERED, 1)
    done.update([Job.callback_state.remove()])  # as one of the owner's other jobs
    if afterwards:
        assert seconds_put_off(anothers(), message) == afterwards
        assert jobs.get("alice", "01K").deliveries == 1  # it was put off, not tried
        clock[0] += afterwards
    anothers().deliver(message)
    assert jobs.get("alice", "01K").deliveries == 2


def test_a_fault_of_ours_amid_a_call_does_not_keep_the_owner_from_the_next(
    deliverer: Deliverer, ended: Callable[..., WebhookMessage], receiver: Receiver
) -> None:
    def no_view(job: Job) -> JobView:
        raise RuntimeError

    message = ended()
    with pytest.raises(RuntimeError):
        replace(deliverer, view=no_view).deliver(message)
    deliverer.deliver(message)
    assert len(receiver.received) == 1


# ---- what may be asked for -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_not base64!", "whsec_" + base64.b64encode(bytes(23)).decode(),
     "whsec_" + base64.b64encode(bytes(65)).decode(), base64.b64encode(bytes(32)).decode()],
)  # fmt: skip
def test_a_secret_that_is_none_is_refused(callbacks: Callbacks, secret: str) -> None:
    with pytest.raises(InvalidRequest, match="callbackSecret") as refusal:
        callbacks.accept("alice", "01K", "https://example.com/", secret)
    assert not secret[6:] or secret[6:] not in refusal.value.message


def test_a_url_that_may_not_be_called_is_refused(callbacks: Callbacks) -> None:
    with pytest.raises(InvalidRequest, match="callbackUrl"):
        callbacks.accept("alice", "01K", "https://169.254.169.254/", None)


def test_a_secret_opens_for_its_own_job_alone(vault: Vault) -> None:
    sealed = vault.seal(SECRET, "alice", "01K")
    assert SECRET not in sealed
    assert vault.open(sealed, "alice", "01K") == SECRET
    for owner, job_id in [("bob", "01K"), ("alice", "01L")]:
        with pytest.raises(boto3.client("kms").exceptions.InvalidCiphertextException):
            vault.open(sealed, owner, job_id)


# ---- the handlers ----------------------------------------------------------------------------------


def test_the_api_takes_a_callback_and_never_shows_or_logs_its_secret(
    cloud: Aws,
    jobs: Jobs,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Callable[[str], dict[str, Any]],
    logged: io.StringIO,
) -> None:
    app = load_app("status")

    def create(**more: Any) -> dict[str, Any]:
        event = sample_event("status-create-job")
        event["body"] = json.dumps({"filename": "song.mp3", "size": 5, **more})
        answer = app.handler(event, lambda_context)
        return {"status": answer["statusCode"], **json.loads(answer["body"])}

    url = "https://example.com/hook"
    created = create(callbackUrl=url, callbackSecret=SECRET)
    assert created["job"]["callback"] == {"url": url, "state": "pending", "attempts": 0, "lastStatus": None}
    assert create()["job"]["callback"] is None
    record = boto3.client("dynamodb").scan(TableName="jobs")
    refusals = []
    for bad in [
        {"callbackSecret": SECRET},
        {"callbackUrl": "http://example.com/"},
        {"callbackUrl": url, "callbackSecret": SECRET[:-16]},
        {"callbackUrl": url, "callbackSecret": SECRET * 10},
    ]:
        refused = create(**bad)
        assert (refused["status"], refused["error"]["code"]) == (422, "invalid_request")
        refusals.append(refused)
    for text in (json.dumps([created, refusals]), json.dumps(record, default=str), logged.getvalue()):
        assert SECRET[6:-8] not in text


def test_the_handler_puts_off_what_failed(
    cloud: Aws,
    ended: Callable[..., WebhookMessage],
    receiver: Receiver,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEBHOOK_RETRY_SECONDS", "1")
    app = load_app("webhook")
    receiver.answers = [500, 200]
    cloud.sqs.send_message(QueueUrl=cloud.webhooks_queue_url, MessageBody=ended().model_dump_json())

    def receive(wait: int) -> Any:
        (message,) = cloud.sqs.receive_message(
            QueueUrl=cloud.webhooks_queue_url,
            VisibilityTimeout=180,
            WaitTimeSeconds=wait,
            AttributeNames=["ApproximateReceiveCount"],
        )["Messages"]
        event = sample_event("webhook-sqs")
        event["Records"][0] |= {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        return app.handler(event, lambda_context)["batchItemFailures"]

    # As when the account has no concurrency left: received, and nobody called.
    for _ in range(2):
        (lost,) = cloud.sqs.receive_message(QueueUrl=cloud.webhooks_queue_url)["Messages"]
        cloud.sqs.change_message_visibility(
            QueueUrl=cloud.webhooks_queue_url, ReceiptHandle=lost["ReceiptHandle"], VisibilityTimeout=0
        )
    began = datetime.now(UTC)
    assert len(receive(0)) == 1
    assert receive(10) == []  # back after a second, not after three minutes
    assert 0.9 < (datetime.now(UTC) - began).total_seconds() < 10
    assert len(receiver.received) == 2
