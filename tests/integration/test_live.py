"""connect and notify: what a connection may ask, and what it is told."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from stempipe.adapters.connections import Connections, Unreachable, Wire, wire_client
from stempipe.adapters.queue import WebhookQueue
from stempipe.adapters.storage import Storage, stem_links
from stempipe.errors import InternalError
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig, Quality
from stempipe.jobs.record import Callback, Job, Source, Stage, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import job_view
from stempipe.rules.live import Live
from stempipe.rules.notify import Notifier
from stempipe.settings import StatusSettings
from tests.aws import CONNECTIONS, UPLOADS, Aws
from tests.receiver import Receiver, hang, receiving

Message = dict[str, Any]


class Sockets:
    """Connections that are open, and what each was sent; those that are not open are gone."""

    def __init__(self, *ids: str) -> None:
        self.open = set(ids)
        self.sent: dict[str, list[Message]] = defaultdict(list)
        self.before_sending: Callable[[str], None] = lambda _: None

    def send(self, connection_id: str, message: str) -> None:
        self.before_sending(connection_id)
        if connection_id not in self.open:
            raise Unreachable(connection_id)
        assert len(message.encode()) < 32 * 1024  # what one frame may carry
        self.sent[connection_id].append(json.loads(message))

    def versions(self, connection_id: str) -> list[tuple[str, int]]:
        jobs = [message["job"] for message in self.sent[connection_id] if message["type"] == "job"]
        return [(job["id"], job["version"]) for job in jobs]


@pytest.fixture
def sockets() -> Sockets:
    return Sockets("phone", "laptop", "stranger")


@pytest.fixture
def connections(cloud: Aws) -> Connections:
    return Connections(CONNECTIONS)


@pytest.fixture
def view(cloud: Aws) -> Any:
    return partial(job_view, link=stem_links(Storage(cloud.s3, "s3"), StatusSettings.from_environment()))


@pytest.fixture
def live(jobs: Jobs, connections: Connections, sockets: Sockets, view: Any) -> Live:
    return Live(jobs, connections, sockets.send, view)


@pytest.fixture
def notifier(cloud: Aws, connections: Connections, sockets: Sockets, view: Any) -> Notifier:
    return Notifier(connections, sockets.send, view, WebhookQueue(cloud.sqs, cloud.webhooks_queue_url))


@pytest.fixture
def told(cloud: Aws, notifier: Notifier) -> Callable[[], str | None]:
    """Tells of what changed since the last time."""
    done = 0

    def tell() -> str | None:
        nonlocal done
        records = cloud.changes()[done:]
        done += len(records)
        return notifier.tell_records(records)

    return tell


def queued(
    jobs: Jobs, job_id: str = "01K", owner: str = "alice", callback: Callback | None = None, stems: int = 2
) -> Job:
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
    config = JobConfig(model_variant="2stems" if stems == 2 else "5stems")
    return jobs.add(owner, job_id, Status.QUEUED, source, config, callback=callback)


def complete(jobs: Jobs, job_id: str = "01K", stems: tuple[str, ...] = ("vocals", "accompaniment")) -> None:
    Claim.take(jobs, "alice", job_id, 30).complete(
        {stem: f"alice/{job_id}/1/{stem}.wav" for stem in stems},
        gain_db=0.0,
        duration_seconds=180.0,
        sample_rate=44100,
        channels=2,
        codec="mp3",
        gb_seconds=12.5,
    )


def ask(live: Live, connection_id: str = "phone", owner: str = "alice", **message: Any) -> None:
    live.answer(owner, connection_id, json.dumps(message))


# ---- what is asked ---------------------------------------------------------------------------------


def test_whoever_subscribes_to_a_job_is_shown_it_as_the_api_shows_it(
    live: Live, jobs: Jobs, sockets: Sockets, view: Any
) -> None:
    job = queued(jobs)
    ask(live, action="subscribe", jobId="01K")
    assert sockets.sent["phone"] == [
        {"type": "subscribed", "jobId": "01K"},
        {"type": "job", "job": json.loads(view(job).model_dump_json(by_alias=True))},
    ]
    assert sockets.sent["phone"][1]["job"]["config"]["modelVariant"] == "2stems"


def test_whoever_subscribes_to_all_is_shown_the_newest_in_their_order(
    live: Live, jobs: Jobs, sockets: Sockets
) -> None:
    for number in range(30):
        queued(jobs, f"job-{number:02}")
    queued(jobs, "another's", owner="bob")
    ask(live, action="subscribe")
    assert sockets.sent["phone"][0] == {"type": "subscribed", "jobId": None}
    assert [job_id for job_id, _ in sockets.versions("phone")] == [
        f"job-{number:02}" for number in range(5, 30)
    ]


def test_anothers_job_and_none_look_the_same(live: Live, jobs: Jobs, sockets: Sockets) -> None:
    queued(jobs)
    ask(live, "stranger", "bob", action="subscribe", jobId="01K")
    ask(live, "stranger", "bob", action="subscribe", jobId="01X")
    foreign, missing = (message["error"] for message in sockets.sent["stranger"])
    assert foreign["code"] == missing["code"] == "job_not_found"
    assert foreign["message"].replace("01K", "01X") == missing["message"]


def test_a_ping_is_answered(live: Live, sockets: Sockets) -> None:
    ask(live, action="ping")
    assert sockets.sent["phone"] == [{"type": "pong"}]


NONSENSE = [
    "", "nonsense", "[]", "null", "1", "{}", '{"action": "dance"}', '{"action": "$connect"}',
    '{"action": null}',
    '{"action": "subscribe", "jobId": 1}', '{"action": "subscribe", "jobId": ""}',
    '{"action": "subscribe", "job": "01K"}', '{"action": "subscribe", "jobId": "' + "x" * 65 + '"}',
    "[" * 100_000,
]  # fmt: skip


def test_what_cannot_be_understood_is_said_to_be_so(live: Live, sockets: Sockets) -> None:
    for body in NONSENSE:
        live.answer("alice", "phone", body)
        message = sockets.sent["phone"].pop()
        assert (message["type"], message["error"]["code"]) == ("error", "invalid_request"), body


def test_a_fault_of_ours_is_said_to_be_one_without_its_cause(
    live: Live, jobs: Jobs, sockets: Sockets, cloud: Aws
) -> None:
    import boto3

    boto3.client("dynamodb").delete_table(TableName="jobs")
    ask(live, action="subscribe", jobId="01K")
    (message,) = sockets.sent["phone"]
    assert message["error"] == {"code": "internal_error", "message": InternalError().message}


# ---- what is told ----------------------------------------------------------------------------------


def test_every_change_is_told_in_order_to_those_who_subscribed_and_to_nobody_else(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], str | None]
) -> None:
    queued(jobs)
    queued(jobs, "01L")
    queued(jobs, "01M", owner="bob")
    ask(live, "phone", action="subscribe", jobId="01K")
    ask(live, "laptop", action="subscribe")
    ask(live, "stranger", "bob", action="subscribe")
    told()  # of what was before: twice told does no harm
    sockets.sent.clear()

    claim = Claim.take(jobs, "alice", "01K", 30)
    for progress in (10, 50, 90):
        claim.report(Stage.SEPARATING, progress, 1.0)
    Claim.take(jobs, "alice", "01L", 30)
    complete_with = {"vocals": "alice/01K/1/vocals.wav"}
    claim.complete(
        complete_with, gain_db=0, duration_seconds=1, sample_rate=44100, channels=2, codec="mp3", gb_seconds=1
    )
    assert told() is None

    assert sockets.versions("phone") == [("01K", version) for version in (2, 3, 4, 5, 6)]
    assert [job for job in sockets.versions("laptop") if job[0] == "01K"] == sockets.versions("phone")
    assert ("01L", 2) in sockets.versions("laptop")
    assert sockets.sent["stranger"] == []
    last = sockets.sent["phone"][-1]["job"]
    assert (last["status"], last["progress"]) == ("completed", 100)
    assert last["results"]["stems"]["vocals"].startswith("https://")


def test_a_job_that_is_made_later_is_told_to_who_subscribed_to_all(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], str | None]
) -> None:
    ask(live, action="subscribe")
    queued(jobs)
    told()
    assert sockets.versions("phone") == [("01K", 1)]


def test_what_the_owner_cannot_see_is_not_told(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], str | None]
) -> None:
    job = queued(jobs)
    ask(live, action="subscribe", jobId="01K")
    told()
    sockets.sent.clear()
    jobs.mark_enqueued(job, "message")
    told()
    assert sockets.sent == {}


@pytest.mark.parametrize("job_id", ["01K", None])
def test_whoever_unsubscribes_is_told_no_more(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], str | None], job_id: str | None
) -> None:
    queued(jobs)
    queued(jobs, "01L")
    ask(live, action="subscribe", jobId="01K")
    ask(live, action="subscribe", jobId="01L")
    told()
    ask(live, action="unsubscribe", **({"jobId": job_id} if job_id else {}))
    assert sockets.sent["phone"][-1] == {"type": "unsubscribed", "jobId": job_id}
    sockets.sent.clear()
    complete(jobs)
    complete(jobs, "01L")
    told()
    heard = {job for job, _ in sockets.versions("phone")}
    assert heard == ({"01L"} if job_id else set())


def test_after_a_disconnection_nobody_is_told_and_coming_back_shows_the_present_state(
    live: Live, jobs: Jobs, sockets: Sockets, connections: Connections, told: Callable[[], str | None]
) -> None:
    queued(jobs)
    ask(live, action="subscribe", jobId="01K")
    live.disconnected("alice", "phone")
    assert connections.of("alice") == []
    complete(jobs)
    told()
    sockets.sent.clear()
    ask(live, "laptop", action="subscribe", jobId="01K")
    assert sockets.sent["phone"] == []
    assert sockets.sent["laptop"][-1]["job"]["status"] == "completed"


def test_a_change_between_subscribing_and_looking_is_not_lost(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], str | None]
) -> None:
    queued(jobs)
    told()

    def change(_: str) -> None:
        sockets.before_sending = lambda _: None
        complete(jobs)
        told()  # notify is faster than connect

    sockets.before_sending = change
    ask(live, action="subscribe", jobId="01K")
    versions = [version for _, version in sockets.versions("phone")]
    assert max(versions) == 3  # a client that keeps the largest version has the final state
    assert versions[-1] == 1  # and this is why it must


def test_a_connection_that_is_gone_is_forgotten_and_holds_nobody_up(
    live: Live, jobs: Jobs, sockets: Sockets, connections: Connections, told: Callable[[], str | None]
) -> None:
    queued(jobs)
    ask(live, "phone", action="subscribe", jobId="01K")
    ask(live, "laptop", action="subscribe", jobId="01K")
    sockets.open.remove("phone")
    complete(jobs)
    assert told() is None
    assert sockets.sent["laptop"][-1]["job"]["status"] == "completed"
    assert [connection.id for connection in connections.of("alice")] == ["laptop"]


def test_slow_connections_are_written_to_side_by_side(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], str | None]
) -> None:
    queued(jobs)
    told()
    for number in range(20):
        sockets.open.add(f"slow-{number}")
        ask(live, f"slow-{number}", action="subscribe", jobId="01K")
    sockets.before_sending = lambda _: time.sleep(0.2)
    complete(jobs)
    began = time.monotonic()
    told()
    assert time.monotonic() - began < 20 * 0.2


def test_a_thousand_connections_hold_nobody_up(
    live: Live, jobs: Jobs, sockets: Sockets, connections: Connections, told: Callable[[], str | None]
) -> None:
    """Half of them watch another job, the rest watches none, and has no record at all."""
    queued(jobs)
    told()
    for number in range(500):
        sockets.open.add(f"idle-{number}")
        connections.subscribe("alice", f"idle-{number}", "another")
    ask(live, action="subscribe", jobId="01K")
    complete(jobs)
    assert told() is None
    assert sockets.sent["phone"][-1]["job"]["status"] == "completed"
    assert sockets.sent.keys() == {"phone"}


def test_the_largest_job_fits_a_frame(live: Live, jobs: Jobs, sockets: Sockets) -> None:
    source = Source("s3", UPLOADS, "key", "é" * 255, bytes=5, etag="e")
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig(model_variant="5stems", quality=Quality()))
    complete(jobs, stems=("vocals", "piano", "drums", "bass", "other"))
    ask(live, action="subscribe", jobId="01K")
    assert len(sockets.sent["phone"][-1]["job"]["results"]["stems"]) == 5


# ---- webhooks and records --------------------------------------------------------------------------


def test_the_end_of_a_job_with_a_callback_is_queued_once(
    cloud: Aws, jobs: Jobs, told: Callable[[], str | None]
) -> None:
    queued(jobs, callback=Callback("https://example.com/", None))
    queued(jobs, "01L")
    told()
    assert cloud.messages(cloud.webhooks_queue_url) == []
    complete(jobs)
    complete(jobs, "01L")
    told()
    jobs.note_delivery(
        jobs.get("alice", "01K"), state=jobs.get("alice", "01K").delivery, attempts=1, status=500
    )
    told()
    assert cloud.messages(cloud.webhooks_queue_url) == [{"owner": "alice", "id": "01K", "version": 3}]


def test_a_record_that_is_no_job_is_given_back_and_those_before_it_are_told(
    cloud: Aws, live: Live, jobs: Jobs, sockets: Sockets, notifier: Notifier
) -> None:
    ask(live, action="subscribe")
    for number in range(4):
        queued(jobs, f"job-{number}")
    records = cloud.changes()
    del records[2]["dynamodb"]["NewImage"]["createdAt"]
    records[2]["dynamodb"]["NewImage"]["progress"] = {"N": "x"}
    assert notifier.tell_records(records) == records[2]["dynamodb"]["SequenceNumber"]
    assert [job for job, _ in sockets.versions("phone")] == ["job-0", "job-1"]
    assert notifier.tell_records(records[3:]) is None
    assert [job for job, _ in sockets.versions("phone")] == ["job-0", "job-1", "job-3"]


def test_when_nobody_can_be_looked_up_all_of_it_comes_again(
    cloud: Aws, jobs: Jobs, notifier: Notifier
) -> None:
    import boto3

    queued(jobs)
    boto3.client("dynamodb").delete_table(TableName=CONNECTIONS)
    records = cloud.changes()
    assert notifier.tell_records(records) == records[0]["dynamodb"]["SequenceNumber"]


# ---- the wire --------------------------------------------------------------------------------------


@pytest.fixture
def gateway() -> Iterator[Receiver]:
    """Answers as API Gateway's management API."""
    with receiving() as receiver:
        yield receiver


def test_a_message_is_posted_to_its_connection(cloud: Aws, gateway: Receiver) -> None:
    Wire(wire_client(gateway.url)).send("L0SM9cOFvHcCIhw=", "{}")
    (request,) = gateway.received
    assert (request.path, request.body) == ("/@connections/L0SM9cOFvHcCIhw%3D", b"{}")


def test_a_closed_connection_is_unreachable(cloud: Aws, gateway: Receiver) -> None:
    gateway.answers = [410]
    with pytest.raises(Unreachable):
        Wire(wire_client(gateway.url)).send("phone", "{}")
    assert len(gateway.received) == 1


def progress(status: Status) -> str:
    return json.dumps({"type": "job", "job": {"id": "01K", "status": status, "version": 5}})


@pytest.mark.parametrize("message", ['{"type": "pong"}', progress(Status.COMPLETED), progress(Status.QUEUED)])
def test_a_message_that_matters_waits_until_api_gateway_is_asked_less_often(
    cloud: Aws, gateway: Receiver, message: str
) -> None:
    gateway.answers = [429, 429, 429, 200]
    Wire(wire_client(gateway.url)).send("phone", message)
    assert [request.body for request in gateway.received] == 4 * [message.encode()]


def test_progress_is_left_out_while_api_gateway_is_asked_too_often(cloud: Aws, gateway: Receiver) -> None:
    gateway.answers = [429, 429, 200]
    wire = Wire(wire_client(gateway.url))
    wire.send("phone", progress(Status.PROCESSING))
    wire.send("phone", progress(Status.COMPLETED))
    assert [json.loads(request.body)["job"]["status"] for request in gateway.received] == [
        *2 * ["processing"],
        "completed",
    ]


def test_a_connection_is_cut_off_where_its_jobs_end_cannot_be_told_at_all(
    cloud: Aws, gateway: Receiver
) -> None:
    gateway.answers = [429]
    with pytest.raises(Unreachable):
        Wire(wire_client(gateway.url)).send("phone", progress(Status.COMPLETED))
    # Six tries, and the end, which is tried twice.
    assert [request.body != b"" for request in gateway.received] == [*6 * [True], *2 * [False]]


@pytest.mark.parametrize("fault", [500, hang(30)])
def test_a_connection_that_cannot_be_written_to_is_cut_off_soon(
    cloud: Aws, gateway: Receiver, fault: Any
) -> None:
    gateway.answers = [fault, fault, 204]
    began = time.monotonic()
    with pytest.raises(Unreachable):
        Wire(wire_client(gateway.url)).send("phone", "{}")
    assert time.monotonic() - began < 8
    assert len(gateway.received) == 3  # twice the message, then the end


# ---- the handlers ----------------------------------------------------------------------------------


@pytest.fixture
def load(
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    gateway: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Callable[[Message], Message]]:
    monkeypatch.setenv("LIVE_ENDPOINT", gateway.url)

    def load(name: str) -> Callable[[Message], Message]:
        app = load_app(name)

        def handle(event: Message) -> Message:
            answer: Message = app.handler(event, lambda_context)
            return answer

        return handle

    return load


def test_connect_and_notify_are_wired_to_each_other_by_the_tables(
    cloud: Aws,
    jobs: Jobs,
    connections: Connections,
    gateway: Receiver,
    load: Callable[[str], Callable[[Message], Message]],
    sample_event: Callable[[str], Message],
) -> None:
    connect, notify = load("connect"), load("notify")
    queued(jobs)
    event = sample_event("connect-subscribe")
    opened = deepcopy(event)
    opened["requestContext"]["eventType"] = "CONNECT"
    assert connect(opened) == {"statusCode": 200}
    event["body"] = json.dumps({"action": "subscribe", "jobId": "01K"})
    assert connect(event) == {"statusCode": 200}
    assert [json.loads(request.body)["type"] for request in gateway.received] == ["subscribed", "job"]

    assert notify({"Records": cloud.changes()}) == {"batchItemFailures": []}
    assert json.loads(gateway.received[-1].body)["job"]["version"] == 1

    event["requestContext"] |= {"eventType": "DISCONNECT", "routeKey": "$disconnect"}
    connect(event)
    assert connections.of("alice") == []


def test_a_message_that_names_the_route_of_disconnecting_does_not_disconnect(
    connections: Connections,
    gateway: Receiver,
    load: Callable[[str], Callable[[Message], Message]],
    sample_event: Callable[[str], Message],
) -> None:
    connections.subscribe("alice", "Fjq0rfXNIAMCFtA=", None)
    event = sample_event("connect-subscribe")
    event["requestContext"]["routeKey"] = "$disconnect"
    event["body"] = '{"action": "$disconnect"}'
    load("connect")(event)
    assert len(connections.of("alice")) == 1


def test_notify_says_from_where_a_batch_must_come_again(
    cloud: Aws, jobs: Jobs, load: Callable[[str], Callable[[Message], Message]]
) -> None:
    queued(jobs)
    records = cloud.changes()
    records[0]["dynamodb"]["NewImage"] = {"owner": {"S": "alice"}, "progress": {"N": "x"}}
    failures = load("notify")({"Records": records})["batchItemFailures"]
    assert failures == [{"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}]


def test_notify_tells_of_the_sample_event(
    cloud: Aws,
    connections: Connections,
    gateway: Receiver,
    load: Callable[[str], Callable[[Message], Message]],
    sample_event: Callable[[str], Message],
) -> None:
    connections.subscribe("alice", "phone", None)
    assert load("notify")(sample_event("notify-stream")) == {"batchItemFailures": []}
    (request,) = gateway.received
    assert json.loads(request.body)["job"]["status"] == "completed"
    assert cloud.messages(cloud.webhooks_queue_url) == [
        {"owner": "alice", "id": "01KB0000000000000000000000", "version": 9}
    ]
