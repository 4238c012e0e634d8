"""notify: what a connection is told, which callbacks are queued, and what comes again."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, cast

import boto3
import pytest
from pynamodb.exceptions import PynamoDBException

from stempipe.adapters.connections import MOST, Connection, Connections, connection_model
from stempipe.errors import TooManyConnections
from stempipe.jobs.record import Callback, Job, Stage
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import JobView
from stempipe.rules.live import Live
from stempipe.rules.notify import Notifier
from tests.aws import CONNECTIONS, Aws
from tests.claims import take
from tests.integration.live.sockets import Message, Sockets, ask, complete, queued
from tests.receiver import Receiver
from tests.stored import stored_song


def test_every_change_is_told_in_order_to_those_who_subscribed_and_to_nobody_else(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], None]
) -> None:
    queued(jobs)
    queued(jobs, "01L")
    queued(jobs, "01M", owner="bob")
    ask(live, "phone", action="subscribe", jobId="01K")
    ask(live, "laptop", action="subscribe")
    ask(live, "stranger", "bob", action="subscribe")
    told()  # of what was before: twice told does no harm
    sockets.sent.clear()

    claim = take(jobs, "alice", "01K", 30)
    for progress in (10, 50, 90):
        claim.report(Stage.SEPARATING, progress, 1.0)
    take(jobs, "alice", "01L", 30)
    complete_with = {"vocals": "alice/01K/1/vocals.wav"}
    claim.complete(stored=stored_song(complete_with), gb_seconds=1)
    told()

    assert sockets.versions("phone") == [("01K", version) for version in (2, 3, 4, 5, 6)]
    assert [job for job in sockets.versions("laptop") if job[0] == "01K"] == sockets.versions("phone")
    assert ("01L", 2) in sockets.versions("laptop")
    assert sockets.sent["stranger"] == []
    last = sockets.sent["phone"][-1]["job"]
    assert (last["status"], last["progress"]) == ("completed", 100)
    assert last["results"]["stems"]["vocals"].startswith("https://")


def test_a_job_that_is_made_later_is_told_to_who_subscribed_to_all(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], None]
) -> None:
    ask(live, action="subscribe")
    queued(jobs)
    told()
    assert sockets.versions("phone") == [("01K", 1)]


def test_what_the_owner_cannot_see_is_not_told(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], None]
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
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], None], job_id: str | None
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
    live: Live, jobs: Jobs, sockets: Sockets, connections: Connections, told: Callable[[], None]
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
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], None]
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
    live: Live, jobs: Jobs, sockets: Sockets, connections: Connections, told: Callable[[], None]
) -> None:
    queued(jobs)
    ask(live, "phone", action="subscribe", jobId="01K")
    ask(live, "laptop", action="subscribe", jobId="01K")
    sockets.open.remove("phone")
    complete(jobs)
    told()
    assert sockets.sent["laptop"][-1]["job"]["status"] == "completed"
    assert [connection.id for connection in connections.of("alice")] == ["laptop"]


def test_slow_connections_are_written_to_side_by_side(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], None]
) -> None:
    queued(jobs)
    told()
    together = Barrier(4)
    for number in range(together.parties):
        sockets.open.add(f"slow-{number}")
        ask(live, f"slow-{number}", action="subscribe", jobId="01K")

    def wait(_: str) -> None:
        together.wait(timeout=30)  # one after the other, the first would wait for the others in vain

    sockets.before_sending = wait
    complete(jobs)
    told()
    for number in range(together.parties):
        assert sockets.sent[f"slow-{number}"][-1]["job"]["status"] == "completed"


def test_what_goes_wrong_with_one_connection_is_no_others_fault(
    live: Live, jobs: Jobs, sockets: Sockets, told: Callable[[], None]
) -> None:
    for connection in ("phone", "laptop"):
        ask(live, connection, action="subscribe")

    def fail(connection: str) -> None:
        if connection == "phone":
            raise ValueError("nobody thought of this")

    sockets.before_sending = fail
    queued(jobs)
    told()
    assert sockets.versions("laptop") == [("01K", 1)]


def test_an_owner_has_so_many_connections_and_no_more(
    live: Live, jobs: Jobs, sockets: Sockets, connections: Connections
) -> None:
    """Each change is written to all of them, and everybody's changes come one after the other."""
    queued(jobs)
    for number in range(MOST):
        connections.subscribe("alice", f"other-{number}", "another")
    ask(live, action="subscribe", jobId="01K")
    assert sockets.sent["phone"][-1]["error"]["code"] == "too_many_connections"
    connections.subscribe("alice", "other-0", "01K")  # one that it has already
    connections.forget("alice", "other-1")
    ask(live, action="subscribe", jobId="01K")
    assert sockets.sent["phone"][-1]["type"] == "job"


def test_connections_that_are_long_over_are_not_counted(connections: Connections) -> None:
    """Their records may be there for days: DynamoDB deletes late."""
    over = datetime.now(UTC) - timedelta(hours=1)
    for number in range(MOST):
        connection_model(CONNECTIONS)("alice", f"other-{number}", expires_at=over).save()
    connections.subscribe("alice", "phone", None)
    assert "phone" in {connection.id for connection in connections.of("alice")}


def test_connections_that_come_at_the_same_moment_are_not_more(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MOST):
        connections.subscribe("alice", f"other-{number}", None)
    others = connections.of
    seen: list[list[Connection]] = [[]]  # it looks before the others are there

    def of(owner: str) -> list[Connection]:
        return seen.pop() if seen else others(owner)

    monkeypatch.setattr(connections, "of", of)
    with pytest.raises(TooManyConnections):
        connections.subscribe("alice", "phone", None)
    assert len(others("alice")) == MOST


# ---- webhooks and records --------------------------------------------------------------------------


def test_the_end_of_a_job_with_a_callback_is_queued_once(
    cloud: Aws, jobs: Jobs, told: Callable[[], None]
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


def test_a_record_that_is_no_job_is_put_aside_and_holds_nobody_up(
    cloud: Aws, live: Live, jobs: Jobs, sockets: Sockets, notifier: Notifier
) -> None:
    ask(live, action="subscribe")
    for number in range(4):
        queued(jobs, f"job-{number}")
    records = cloud.changes()
    del records[2]["dynamodb"]["NewImage"]["createdAt"]
    records[2]["dynamodb"]["NewImage"]["progress"] = {"N": "x"}
    notifier.tell_records(records)
    assert [job for job, _ in sockets.versions("phone")] == ["job-0", "job-1", "job-3"]
    (aside,) = cloud.messages(cloud.notify_dead_letter_queue_url)
    assert aside["dynamodb"]["SequenceNumber"] == records[2]["dynamodb"]["SequenceNumber"]


def test_an_owner_whose_jobs_cannot_be_shown_holds_nobody_up(
    live: Live, jobs: Jobs, sockets: Sockets, notifier: Notifier, cloud: Aws, view: Any
) -> None:
    ask(live, "phone", action="subscribe")
    ask(live, "stranger", "mallory", action="subscribe")
    queued(jobs, owner="mallory")
    queued(jobs)

    def broken(job: Job) -> JobView:
        if job.owner == "mallory":
            raise ValueError("no view")
        return cast(JobView, view(job))

    sockets.sent.clear()
    replace(notifier, view=broken).tell_records(cloud.changes())
    assert [job for job, _ in sockets.versions("phone")] == ["01K"]


def test_when_nobody_can_be_looked_up_all_of_it_comes_again(
    cloud: Aws, jobs: Jobs, notifier: Notifier
) -> None:
    queued(jobs)
    boto3.client("dynamodb").delete_table(TableName=CONNECTIONS)
    records = cloud.changes()
    with pytest.raises(PynamoDBException):
        notifier.tell_records(records)


# ---- the handler -----------------------------------------------------------------------------------


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

    notify({"Records": cloud.changes()})
    assert json.loads(gateway.received[-1].body)["job"]["version"] == 1

    event["requestContext"] |= {"eventType": "DISCONNECT", "routeKey": "$disconnect"}
    connect(event)
    assert connections.of("alice") == []


def test_notify_tells_of_the_sample_event(
    cloud: Aws,
    connections: Connections,
    gateway: Receiver,
    load: Callable[[str], Callable[[Message], Message]],
    sample_event: Callable[[str], Message],
) -> None:
    connections.subscribe("alice", "phone", None)
    load("notify")(sample_event("notify-stream"))
    (request,) = gateway.received
    assert json.loads(request.body)["job"]["status"] == "completed"
    assert cloud.messages(cloud.webhooks_queue_url) == [
        {"owner": "alice", "id": "01KB0000000000000000000000", "version": 1767268800009}
    ]
