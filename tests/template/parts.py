"""The template's functions, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stempipe.settings import (
    AuthorizeSettings,
    ConnectSettings,
    IntakeSettings,
    NotifySettings,
    PullSettings,
    ReceiveSettings,
    SeparateSettings,
    StatusSettings,
    SweepSettings,
    WebhookSettings,
)

FUNCTIONS = {
    "AuthorizeFunction": AuthorizeSettings,
    "ConnectFunction": ConnectSettings,
    "IntakeFunction": IntakeSettings,
    "NotifyFunction": NotifySettings,
    "PullFunction": PullSettings,
    "ReceiveFunction": ReceiveSettings,
    "SeparateFunction": SeparateSettings,
    "StatusFunction": StatusSettings,
    "SweepFunction": SweepSettings,
    "WebhookFunction": WebhookSettings,
}


def properties(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: item["Properties"] for name, item in resources.items() if item["Type"] == kind}


def statements(resources: dict[str, Any], function: str) -> Iterator[dict[str, Any]]:
    """What a function may do, on whatever condition, by itself or by a policy that it shares."""
    for policy in resources[function]["Properties"].get("Policies", []):
        if "Ref" in policy:
            policy = resources[policy["Ref"]]["Properties"]["PolicyDocument"]
        yield from policy.get("Statement") or policy["Fn::If"][1]["Statement"]


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action
