"""pull, against a queue that behaves as Cloudflare's does."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from stempipe.adapters.cloudflare import CloudflareQueue, QueueUnavailable, http_client
from stempipe.adapters.storage import Storage, s3_client
from stempipe.jobs.record import Status
from stempipe.jobs.table import Jobs
from stempipe.rules.intake import Intake
from stempipe.rules.pull import Drained, Puller
from stempipe.settings import IntakeSettings
from tests.aws import UPLOADS, Aws
from tests.cloudflare import PATH, TOKEN, CloudflareQueueService
from tests.http import Answer, serving


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_767_268_800.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> CloudflareQueueService:
    return CloudflareQueueService(now=clock)


@pytest.fixture
def url(service: CloudflareQueueService) -> Iterator[str]:
    with serving(service) as address:
        yield address + PATH


@pytest.fixture
def queue(url: str) -> CloudflareQueue:
    return CloudflareQueue(http_client(), url, lambda: TOKEN)


@pytest.fixture
def puller(cloud: Aws, queue: CloudflareQueue) -> Puller:
    return Puller(queue, Intake.connect(IntakeSettings.from_environment()))


@pytest.fixture
def song(cloud: Aws, sample_event: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """Puts a song into an inbox; gives R2's notification of it."""

    def put(name: str = "song.mp3") -> dict[str, Any]:
        event = sample_event("intake-r2")
        event["object"]["key"] = f"inbox/alice/{name}"
        cloud.s3.put_object(Bucket=UPLOADS, Key=event["object"]["key"], Body=b"music")
        return event

    return put


def a_minute() -> float:
    return 60.0


def unreachable(puller: Puller) -> Puller:
    """The same, with storage that is not there."""

    def refuse(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://r2")

    client = s3_client(puller.intake.settings)
    client.meta.events.register("before-parameter-build.s3.HeadObject", refuse)
    intake = Intake(puller.intake.jobs, Storage(client, "r2"), puller.intake.dispatch, puller.intake.settings)
    return Puller(puller.queue, intake)


# ---- the queue -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["json", "bytes", "text"])
def test_a_body_is_read_however_it_was_sent(
    service: CloudflareQueueService, queue: CloudflareQueue, content_type: Any
) -> None:
    service.send({"action": "PutObject"}, content_type)
    (message,) = queue.pull(10, 30)
    assert json.loads(message.body) == {"action": "PutObject"}
    assert message.attempts == 1


@pytest.mark.parametrize("result", [{"messages": []}, {"messages": None}, {}])
def test_an_empty_queue_is_nothing_to_worry_about(
    service: CloudflareQueueService, queue: CloudflareQueue, result: dict[str, Any]
) -> None:
    body = json.dumps({"success": True, "errors": [], "messages": [], "result": result}).encode()
    service.refusals.append(Answer(200, body))
    assert queue.pull(10, 30) == []


def test_a_message_that_is_not_settled_comes_again_when_its_visibility_ends(
    service: CloudflareQueueService, queue: CloudflareQueue, clock: Clock
) -> None:
    service.send({})
    (first,) = queue.pull(10, 30)
    clock.now += 29
    assert queue.pull(10, 30) == []
    clock.now += 1
    (second,) = queue.pull(10, 30)
    assert (first.attempts, second.attempts) == (1, 2)
    assert first.lease != second.lease
    # The lease has expired, but Cloudflare takes it.
    queue.settle([first], {})
    assert service.backlog == 0


def test_a_message_that_is_put_off_comes_again_after_that(
    service: CloudflareQueueService, queue: CloudflareQueue, clock: Clock
) -> None:
    service.send({})
    (message,) = queue.pull(10, 30)
    queue.settle([], {message: 600})
    clock.now += 599
    assert queue.pull(10, 30) == []
    clock.now += 1
    assert len(queue.pull(10, 30)) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_cloudflare_is_asked_again(
    service: CloudflareQueueService, queue: CloudflareQueue, status: int
) -> None:
    service.send({})
    service.refusals.append(Answer(status, b"", {"Retry-After": "0"}))
    assert len(queue.pull(10, 30)) == 1


@pytest.mark.parametrize(
    "answer", [Answer(429), Answer(200, b"<html>"), Answer(200, b'{"result": null}'), Answer(302)]
)
def test_a_fault_that_lasts_is_told(
    service: CloudflareQueueService, queue: CloudflareQueue, answer: Answer
) -> None:
    service.refusals += [answer] * 3
    with pytest.raises(QueueUnavailable):
        queue.pull(10, 30)


def test_a_wrong_token_is_told_but_not_shown(service: CloudflareQueueService, url: str) -> None:
    with pytest.raises(QueueUnavailable, match=r"403.*Authentication error") as refusal:
        CloudflareQueue(http_client(), url, lambda: "a-wrong-token").pull(10, 30)
    assert "a-wrong-token" not in str(refusal.value)


def test_a_cloudflare_that_is_out_of_reach_is_told() -> None:
    with pytest.raises(QueueUnavailable, match="cannot be reached"):
        CloudflareQueue(http_client(), "http://127.0.0.1:9", lambda: TOKEN).pull(10, 30)


# ---- the rules -----------------------------------------------------------------------------------


def test_notifications_become_jobs_until_the_queue_is_empty(
    service: CloudflareQueueService, puller: Puller, jobs: Jobs, cloud: Aws, song: Callable[..., Any]
) -> None:
    for number in range(13):
        service.send(song(f"{number}.mp3"))
    assert puller.drain(a_minute) == Drained(done=13, again=0)
    assert service.backlog == 0
    taken = jobs.listing.newest("alice", 20).jobs
    assert {(job.state, job.provider) for job in taken} == {(Status.QUEUED, "r2")}
    assert len(taken) == 13
    assert len(service.pulls) == 3  # the last one found nothing


def test_a_message_stays_away_for_longer_than_a_run(
    service: CloudflareQueueService, puller: Puller, song: Callable[..., Any]
) -> None:
    puller.drain(a_minute)
    assert service.pulls == [{"batch_size": 10, "visibility_timeout_ms": 120_000}]


def test_nothing_is_pulled_when_the_time_is_nearly_over(
    service: CloudflareQueueService, puller: Puller, song: Callable[..., Any]
) -> None:
    service.send(song())
    assert puller.drain(lambda: 19.0) == Drained(0, 0)
    assert service.pulls == []


def test_what_a_batch_has_no_time_for_comes_again(
    service: CloudflareQueueService, puller: Puller, jobs: Jobs, clock: Clock, song: Callable[..., Any]
) -> None:
    for number in range(3):
        service.send(song(f"{number}.mp3"))
    left = iter([60.0, 41.0, 22.0, 3.0, 3.0])
    assert puller.drain(lambda: next(left)) == Drained(done=2, again=1)
    clock.now += 30
    assert puller.drain(a_minute) == Drained(done=1, again=0)
    assert len(jobs.listing.newest("alice", 10).jobs) == 3


def test_where_storage_fails_the_message_comes_again_later_and_later(
    service: CloudflareQueueService, puller: Puller, jobs: Jobs, clock: Clock, song: Callable[..., Any]
) -> None:
    service.send(song())
    broken = unreachable(puller)
    for seconds in (30, 60, 120):
        assert broken.drain(a_minute) == Drained(done=0, again=1)
        clock.now += seconds - 1
        assert broken.drain(a_minute) == Drained(0, 0)
        clock.now += 1
    assert puller.drain(a_minute) == Drained(done=1, again=0)
    assert len(jobs.listing.newest("alice", 10).jobs) == 1


def test_a_message_is_not_acknowledged_before_its_job_is_queued(
    service: CloudflareQueueService,
    puller: Puller,
    jobs: Jobs,
    cloud: Aws,
    clock: Clock,
    song: Callable[..., Any],
) -> None:
    service.send(song())
    cloud.sqs.delete_queue(QueueUrl=cloud.jobs_queue_url)
    assert puller.drain(a_minute) == Drained(done=0, again=1)
    assert jobs.listing.newest("alice", 10).jobs[0].enqueued_at is None
    cloud.sqs.create_queue(QueueName="JOBS_QUEUE_URL")
    clock.now += 30
    assert puller.drain(a_minute) == Drained(done=1, again=0)
    assert len(cloud.messages()) == 1


def test_what_is_no_notification_is_done_with_at_once(
    service: CloudflareQueueService, puller: Puller, jobs: Jobs, song: Callable[..., Any]
) -> None:
    service.send("no JSON")
    service.send("{}")
    service.send("no base64, no JSON", "text")
    service.send("", "bytes")
    service.send(song())
    assert puller.drain(a_minute) == Drained(done=5, again=0)
    assert service.backlog == 0
    assert len(jobs.listing.newest("alice", 10).jobs) == 1


def test_a_notification_of_nothing_to_take_in_is_done_with_at_once(
    service: CloudflareQueueService, puller: Puller, jobs: Jobs, cloud: Aws, song: Callable[..., Any]
) -> None:
    cloud.s3.put_object(Bucket=UPLOADS, Key="jobs/alice/no-such-job", Body=b"music")
    service.send(song() | {"action": "DeleteObject"})
    service.send(song() | {"bucket": "another"})
    for key in ("elsewhere/song.mp3", "inbox/alice/no such song.mp3", "jobs/alice/no-such-job"):
        service.send(song() | {"object": {"key": key}})
    assert puller.drain(a_minute) == Drained(done=5, again=0)
    assert (service.backlog, jobs.listing.newest("alice", 10).jobs) == (0, [])


def test_a_notification_that_comes_twice_is_one_job(
    service: CloudflareQueueService, puller: Puller, jobs: Jobs, cloud: Aws, song: Callable[..., Any]
) -> None:
    notification = song()
    service.send(notification)
    service.send(notification)
    puller.drain(a_minute)
    assert len(jobs.listing.newest("alice", 10).jobs) == 1
    assert len(cloud.messages()) == 1


def test_what_could_not_be_acknowledged_comes_again_and_does_no_harm(
    service: CloudflareQueueService,
    puller: Puller,
    jobs: Jobs,
    clock: Clock,
    song: Callable[..., Any],
) -> None:
    service.send(song())

    class LosesTheAcknowledgement(Intake):
        def take_record(self, record: Any) -> Any:
            service.refusals += [Answer(503)] * 3
            return super().take_record(record)

    losing = LosesTheAcknowledgement(**vars(puller.intake))
    with pytest.raises(QueueUnavailable):
        Puller(puller.queue, losing).drain(a_minute)
    assert service.backlog == 1
    clock.now += 120
    assert puller.drain(a_minute) == Drained(done=1, again=0)
    assert len(jobs.listing.newest("alice", 10).jobs) == 1


# ---- the handler ---------------------------------------------------------------------------------


def test_the_handler_takes_the_token_from_its_secret(
    service: CloudflareQueueService,
    url: str,
    cloud: Aws,
    song: Callable[..., Any],
    load_app: Callable[[str], ModuleType],
    sample_event: Callable[[str], dict[str, Any]],
    lambda_context: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logged: io.StringIO,
) -> None:
    secret = boto3.client("secretsmanager").create_secret(
        Name="queue", SecretString=json.dumps({"api_token": TOKEN})
    )
    monkeypatch.setenv("CLOUDFLARE_QUEUE_URL", url)
    monkeypatch.setenv("CLOUDFLARE_SECRET_ARN", secret["ARN"])
    service.send(song())
    service.send("no JSON")
    app = load_app("pull")
    assert app.handler(sample_event("pull-schedule"), lambda_context) == {"done": 2, "again": 0}
    assert len(cloud.messages()) == 1
    assert "Taken in" in logged.getvalue()
    assert "Not taken in" in logged.getvalue()
    assert TOKEN not in logged.getvalue() + capsys.readouterr().out
