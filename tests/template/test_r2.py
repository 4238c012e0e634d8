"""What is there for R2, and which parameters it needs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.template import Template
from tests.template.stack import QUEUE, R2, WEBHOOK, Stack

PULL = {"PullFunction", "PullLogGroup"}
RECEIVE = {"ReceiveFunction", "ReceiveLogGroup", "ReceivedTable", "WebhookSecret"}
COGNITO = {"UserPool", "UserPoolClient", "UserPoolDomain", "PageClient"}
LAMBDA = {"SeparateJobs"}


@pytest.mark.parametrize(
    ("chosen", "there"),
    [
        ({}, set()),
        (R2 | QUEUE, PULL),
        (R2 | WEBHOOK, RECEIVE),
        (R2 | QUEUE | WEBHOOK, PULL | RECEIVE),
    ],
)
def test_what_brings_r2s_notifications_is_there_where_it_is_asked_for(
    template: Template, chosen: dict[str, str], there: set[str]
) -> None:
    stack = Stack(template, {"Monitoring": "none"} | chosen)
    assert stack.refusals() == []
    assert stack.conditional() == COGNITO | LAMBDA | there


@pytest.mark.parametrize(
    ("chosen", "missing"),
    [
        (R2, "R2QueueId or R2Webhook"),
        *((R2 | WEBHOOK | {name: ""}, name) for name in R2 if name != "StorageProvider"),
        *((R2 | QUEUE | {name: ""}, name) for name in QUEUE if name != "R2QueueId"),
        (QUEUE, "StorageProvider r2"),
        (WEBHOOK, "StorageProvider r2"),
    ],
)
def test_half_a_choice_is_refused(template: Template, chosen: dict[str, str], missing: str) -> None:
    (refusal,) = Stack(template, chosen).refusals()
    assert refusal.endswith(f"needs {missing}.")


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("", True),
        ("https://account.eu.r2.cloudflarestorage.com", True),
        ("account.r2.cloudflarestorage.com", False),
        ("http://account.r2.cloudflarestorage.com", False),
        ("https://account.r2.cloudflarestorage.com/stempipe-uploads", False),
        ("https://account.r2.cloudflarestorage.com/", False),
    ],
)
def test_an_endpoint_is_an_address_without_a_path(template: Template, endpoint: str, good: bool) -> None:
    pattern = template["Parameters"]["R2Endpoint"]["AllowedPattern"]
    assert (re.search(pattern, endpoint) is not None) == good


def test_the_queue_is_addressed_as_cloudflare_has_it(resources: dict[str, Any]) -> None:
    variables = resources["PullFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["CLOUDFLARE_QUEUE_URL"] == {
        "Fn::Sub": "https://api.cloudflare.com/client/v4/accounts/${CloudflareAccountId}/queues/${R2QueueId}"
    }
