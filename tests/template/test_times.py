"""The template's times: in step with each other, and with the code."""

from __future__ import annotations

import json
from typing import Any

from local.template import Template
from stempipe.jobs.record import MAX_ATTEMPTS
from stempipe.rules.heartbeat import HEARTBEAT_SECONDS
from stempipe.rules.pull import VISIBILITY_SECONDS
from stempipe.rules.webhooks import TURN_SECONDS


def test_times_agree(template: Template, resources: dict[str, Any]) -> None:
    times = template["Mappings"]["Times"]["Separate"]
    # AWS advises six times, so that a throttled message is not lost to its receive count.
    assert times["VisibilityTimeout"] == 6 * times["FunctionTimeout"]
    assert times["Lease"] < times["FunctionTimeout"] <= 900
    links = template["Mappings"]["Times"]["Links"]
    assert links["UploadLost"] >= links["Upload"] + 900
    find = {key: {"Fn::FindInMap": ["Times", "Separate", key]} for key in times}
    assert resources["SeparateFunction"]["Properties"]["Timeout"] == find["FunctionTimeout"]
    assert resources["JobsQueue"]["Properties"]["VisibilityTimeout"] == find["VisibilityTimeout"]


def test_the_queue_does_not_give_up_before_the_job_does(resources: dict[str, Any]) -> None:
    receipts = resources["JobsQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    assert receipts > MAX_ATTEMPTS


def test_sweep_does_not_send_a_message_again_that_may_still_become_a_dead_letter(
    template: Template, resources: dict[str, Any]
) -> None:
    # Else it would do so for ever, because only the latest message speaks for the job.
    times = template["Mappings"]["Times"]["Separate"]
    queue = resources["JobsQueue"]["Properties"]
    receipts = queue["RedrivePolicy"]["maxReceiveCount"]
    assert times["MessageLost"] >= (receipts + 1) * times["VisibilityTimeout"]
    assert times["MessageLost"] < queue["MessageRetentionPeriod"]


def test_what_is_left_behind_is_swept(resources: dict[str, Any]) -> None:
    events = resources["SweepFunction"]["Properties"]["Events"].values()
    schedule = {event["Properties"]["Schedule"]: json.loads(event["Properties"]["Input"]) for event in events}
    assert schedule == {"rate(1 minute)": {"sweep": "jobs"}, "rate(1 hour)": {"sweep": "objects"}}


def test_webhooks_are_tried_for_a_day_and_every_wait_is_one_that_sqs_can(
    template: Template, resources: dict[str, Any]
) -> None:
    waits = [int(wait) for wait in template["Parameters"]["WebhookRetrySeconds"]["Default"].split(",")]
    assert waits == sorted(waits)
    assert 86_400 <= sum(waits) < 2 * 86_400
    times = template["Mappings"]["Times"]["Webhook"]
    assert times["VisibilityTimeout"] == 6 * times["FunctionTimeout"]
    # Twelve hours from the receipt, the delivery included.
    assert max(waits) + times["FunctionTimeout"] < 43_200
    # Whoever has an owner's turn is stopped by then.
    assert times["FunctionTimeout"] <= TURN_SECONDS
    queue = resources["WebhooksQueue"]["Properties"]
    assert sum(waits) + len(waits) * times["VisibilityTimeout"] < queue["MessageRetentionPeriod"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] > len(waits) + 1


def test_a_pulled_message_stays_away_until_the_run_is_over(resources: dict[str, Any]) -> None:
    assert resources["PullFunction"]["Properties"]["Timeout"] < VISIBILITY_SECONDS


def test_progress_is_heard_of_once_a_second() -> None:
    # Lambda polls each shard of a stream four times a second. The rest is for the write, notify and the post.
    polling, underway = 0.25, 0.25
    assert HEARTBEAT_SECONDS + polling + underway <= 1


def test_a_worker_may_miss_many_reports_before_its_lease_lapses(template: Template) -> None:
    lease = template["Mappings"]["Times"]["Separate"]["Lease"]
    # At worst the lease was renewed by the report before the one that would have renewed it again.
    assert (lease - lease / 4) / HEARTBEAT_SECONDS > 40
