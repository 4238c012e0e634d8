"""template.yaml itself: valid, closed, and its numbers in step with each other and with the code."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.template import Template, load
from stempipe.jobs.config import STEMS
from stempipe.jobs.record import MAX_ATTEMPTS, Job
from stempipe.rules.pull import VISIBILITY_SECONDS
from stempipe.settings import (
    AuthorizeSettings,
    ConnectSettings,
    IntakeSettings,
    NotifySettings,
    PullSettings,
    ReceiveSettings,
    SeparateSettings,
    Settings,
    StatusSettings,
    SweepSettings,
    WebhookSettings,
)
from tests.routes import routes

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


@pytest.fixture(scope="session")
def template(root: Path) -> Template:
    """The template in its long form."""
    return load(root / "template.yaml")


@pytest.fixture(scope="session")
def resources(template: Template) -> dict[str, Any]:
    resources: dict[str, Any] = template["Resources"]
    return resources


def properties(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: item["Properties"] for name, item in resources.items() if item["Type"] == kind}


def statements(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in function.get("Policies", []):
        yield from policy.get("Statement") or policy["Fn::If"][1]["Statement"]


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action


def test_sam_finds_no_fault(root: Path) -> None:
    done = subprocess.run(
        [root / ".venv/sam/bin/python", "-m", "samcli", "validate", "--lint"],
        cwd=root,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_a_workers_disk_holds_the_largest_upload_and_all_stems_of_the_longest_song_twice(
    template: Template, resources: dict[str, Any]
) -> None:
    longest = template["Parameters"]["MaxSongSeconds"]["MaxValue"]
    largest = template["Parameters"]["MaxUploadBytes"]["MaxValue"]
    samples = max(len(names) for names in STEMS.values()) * longest * 48_000 * 2
    spools, files = 4 * samples, 4 * samples  # files at most of float, too
    disk = resources["SeparateFunction"]["Properties"]["EphemeralStorage"]["Size"] * 1024 * 1024
    assert largest + spools + files < disk


def test_whoever_reads_uploads_can_tell_a_missing_one_from_a_forbidden_one(
    resources: dict[str, Any],
) -> None:
    # S3 answers 403 for an object that is not there to whoever may not list the bucket.
    for function in ("IntakeFunction", "SeparateFunction"):
        actions = [statement["Action"] for statement in statements(resources[function]["Properties"])]
        assert "s3:GetObject" in actions
        assert "s3:ListBucket" in actions


def test_failures_of_a_batch_are_reported(resources: dict[str, Any]) -> None:
    mapping = resources["SeparateJobs"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumConcurrency" in mapping["ScalingConfig"]


def test_buckets_are_closed_encrypted_and_expire(resources: dict[str, Any]) -> None:
    buckets = properties(resources, "AWS::S3::Bucket")
    assert set(buckets) == {"UploadsBucket", "StemsBucket"}
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in bucket
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert rule["Status"] == "Enabled"
        assert {"ExpirationInDays", "AbortIncompleteMultipartUpload"} <= rule.keys()
    policies = properties(resources, "AWS::S3::BucketPolicy").values()
    assert {policy["Bucket"]["Ref"] for policy in policies} == set(buckets)
    for policy in policies:
        (refusal,) = policy["PolicyDocument"]["Statement"]
        assert (refusal["Effect"], refusal["Condition"]["Bool"]) == (
            "Deny",
            {"aws:SecureTransport": "false"},
        )


def test_the_table_is_what_the_record_says(resources: dict[str, Any]) -> None:
    table = resources["JobsTable"]["Properties"]
    assert table["KeySchema"] == [
        {"AttributeName": Job.owner.attr_name, "KeyType": "HASH"},
        {"AttributeName": Job.id.attr_name, "KeyType": "RANGE"},
    ]
    newest, due = table["GlobalSecondaryIndexes"]
    assert newest["IndexName"] == Job.newest.Meta.index_name
    assert due["IndexName"] == Job.due.Meta.index_name
    assert due["KeySchema"] == [
        {"AttributeName": Job.open_shard.attr_name, "KeyType": "HASH"},
        {"AttributeName": Job.due_at.attr_name, "KeyType": "RANGE"},
    ]
    assert table["TimeToLiveSpecification"]["AttributeName"] == Job.expires_at.attr_name
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


@pytest.mark.parametrize(("function", "settings"), FUNCTIONS.items())
def test_every_function_is_told_its_settings(
    template: Template, resources: dict[str, Any], function: str, settings: type[Settings]
) -> None:
    told = template["Globals"]["Function"]["Environment"]["Variables"].keys() | (
        resources[function]["Properties"]["Environment"]["Variables"].keys()
    )
    # Which engine it has, an image knows best.
    needed = {name.upper() for name in settings.model_fields} - {"AWS_ENDPOINT_URL", "ENGINE"}
    assert needed <= told
    assert told <= needed | {"POWERTOOLS_LOG_LEVEL"}


def test_functions_may_do_only_what_is_named_to_only_what_is_theirs(resources: dict[str, Any]) -> None:
    functions = properties(resources, "AWS::Serverless::Function")
    assert set(functions) == set(FUNCTIONS)
    for function in functions.values():
        for statement in statements(function):
            for action in actions(statement):
                assert "*" not in action
            assert statement["Resource"] != "*"
            assert "Sid" in statement


def test_function_logs_do_not_live_for_ever(resources: dict[str, Any]) -> None:
    groups = properties(resources, "AWS::Logs::LogGroup")
    for function in FUNCTIONS:
        group = resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        assert "RetentionInDays" in groups[group]


def test_the_api_is_throttled(resources: dict[str, Any]) -> None:
    limits = resources["Api"]["Properties"]["DefaultRouteSettings"]
    assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"]


def test_a_browser_may_call_every_route(resources: dict[str, Any]) -> None:
    cors = resources["Api"]["Properties"]["CorsConfiguration"]
    events = resources["StatusFunction"]["Properties"]["Events"].values()
    assert {event["Properties"]["Method"] for event in events} == set(cors["AllowMethods"])
    assert {"authorization", "content-type", "idempotency-key"} <= set(cors["AllowHeaders"])


def test_there_is_an_event_for_every_route_and_a_route_for_every_event(resources: dict[str, Any]) -> None:
    events = resources["StatusFunction"]["Properties"]["Events"].values()
    assert {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events} == {
        *((route.method, route.path) for route in routes()),
        ("GET", "/v1/openapi.json"),
    }


def test_who_lists_stems_must_say_of_which_job(resources: dict[str, Any]) -> None:
    for function in ("StatusFunction", "SeparateFunction"):
        for statement in statements(resources[function]["Properties"]):
            if "s3:ListBucket" in statement["Action"] and "StemsBucket" in str(statement["Resource"]):
                (prefix,) = statement["Condition"]["StringLike"].values()
                assert prefix.startswith("*/*/")


def test_every_route_needs_a_token_but_health_and_what_is_signed(resources: dict[str, Any]) -> None:
    assert resources["Api"]["Properties"]["Auth"]["DefaultAuthorizer"] == "Jwt"
    routes = [
        event["Properties"]
        for function in properties(resources, "AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    assert {route["Path"] for route in routes if "Auth" in route} == {"/v1/health", "/v1/events/r2"}


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
    queue = resources["WebhooksQueue"]["Properties"]
    assert sum(waits) + len(waits) * times["VisibilityTimeout"] < queue["MessageRetentionPeriod"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] > len(waits) + 1


def test_a_record_that_notify_cannot_take_is_given_up_and_kept(resources: dict[str, Any]) -> None:
    mapping = resources["NotifyChanges"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 0 < mapping["MaximumRetryAttempts"] < 10
    assert (
        mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] == "NotifyDeadLetterQueue"
    )
    assert (
        resources["JobsTable"]["Properties"]["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    )


def test_whoever_connects_needs_a_token_and_no_log_has_it(resources: dict[str, Any]) -> None:
    api = resources["LiveApi"]["Properties"]
    assert api["Auth"]["AuthType"] == "CUSTOM"
    assert api["Auth"]["IdentitySource"] == ["route.request.querystring.token"]
    assert "AccessLogSettings" not in api
    assert "LoggingLevel" not in api["DefaultRouteSettings"]


def test_only_the_deliverer_opens_the_secrets_of_webhooks(resources: dict[str, Any]) -> None:
    may = {
        name: [
            action for statement in statements(resources[name]["Properties"]) for action in actions(statement)
        ]
        for name in FUNCTIONS
    }
    assert [name for name in may if "kms:Decrypt" in may[name]] == ["WebhookFunction"]
    assert [name for name in may if "kms:Encrypt" in may[name]] == ["StatusFunction"]
    assert may["AuthorizeFunction"] == []


# ---- R2 ------------------------------------------------------------------------------------------

R2 = {
    "StorageProvider": "r2",
    "R2Endpoint": "https://account.r2.cloudflarestorage.com",
    "R2SecretArn": "arn:keys",
    "R2UploadsBucket": "uploads",
    "R2StemsBucket": "stems",
}
QUEUE = {"R2QueueId": "queue", "R2QueueSecretArn": "arn:token", "CloudflareAccountId": "account"}
WEBHOOK = {"R2Webhook": "true"}


class Evaluator:
    """CloudFormation's conditions, for a choice of parameters."""

    def __init__(self, template: Template, chosen: dict[str, str]) -> None:
        self._template = template
        self._parameters = {
            name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()
        } | chosen

    def holds(self, expression: Any) -> Any:
        if not isinstance(expression, dict):
            return expression
        ((function, argument),) = expression.items()
        match function:
            case "Ref":
                return self._parameters[argument]
            case "Condition":
                return self.holds(self._template["Conditions"][argument])
            case "Fn::Equals":
                left, right = argument
                return self.holds(left) == self.holds(right)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(self.holds(part) for part in argument)
        raise AssertionError(f"unknown: {function}")

    def conditional(self) -> set[str]:
        """The conditional resources that are there."""
        return {
            name
            for name, resource in self._template["Resources"].items()
            if "Condition" in resource and self.holds({"Condition": resource["Condition"]})
        }

    def refusals(self) -> list[str]:
        """What the rules have against the parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self._template["Rules"].values()
            if self.holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.holds(assertion["Assert"])
        ]


PULL = {"PullFunction", "PullLogGroup"}
RECEIVE = {"ReceiveFunction", "ReceiveLogGroup", "ReceivedTable", "WebhookSecret"}
COGNITO = {"UserPool", "UserPoolClient"}


@pytest.mark.parametrize(
    ("chosen", "there"),
    [
        ({}, set()),
        (R2, set()),
        (R2 | QUEUE, PULL),
        (R2 | WEBHOOK, RECEIVE),
        (R2 | QUEUE | WEBHOOK, PULL | RECEIVE),
    ],
)
def test_what_brings_r2s_notifications_is_there_where_it_is_asked_for(
    template: Template, chosen: dict[str, str], there: set[str]
) -> None:
    stack = Evaluator(template, chosen)
    assert stack.refusals() == []
    assert stack.conditional() == COGNITO | there


@pytest.mark.parametrize(
    ("chosen", "missing"),
    [
        *((R2 | {name: ""}, name) for name in R2 if name != "StorageProvider"),
        *((R2 | QUEUE | {name: ""}, name) for name in QUEUE if name != "R2QueueId"),
        (QUEUE, "StorageProvider r2"),
        (WEBHOOK, "StorageProvider r2"),
    ],
)
def test_half_a_choice_is_refused(template: Template, chosen: dict[str, str], missing: str) -> None:
    (refusal,) = Evaluator(template, chosen).refusals()
    assert refusal.endswith(f"needs {missing}.")


def test_the_queue_is_addressed_as_cloudflare_has_it(resources: dict[str, Any]) -> None:
    variables = resources["PullFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["CLOUDFLARE_QUEUE_URL"] == {
        "Fn::Sub": "https://api.cloudflare.com/client/v4/accounts/${CloudflareAccountId}/queues/${R2QueueId}"
    }


def test_a_pulled_message_stays_away_until_the_run_is_over(resources: dict[str, Any]) -> None:
    assert resources["PullFunction"]["Properties"]["Timeout"] < VISIBILITY_SECONDS


def test_each_secret_is_read_by_those_who_need_it(resources: dict[str, Any]) -> None:
    readers: dict[str, set[str]] = {}
    for name, function in properties(resources, "AWS::Serverless::Function").items():
        for statement in statements(function):
            if statement["Action"] == "secretsmanager:GetSecretValue":
                ((_, resource),) = statement["Resource"].items()
                readers.setdefault("".join(resource), set()).add(name)
    assert readers == {
        "R2SecretArn": set(FUNCTIONS) - {"AuthorizeFunction"},
        "R2QueueSecretArn": {"PullFunction"},
        "WebhookSecretId": {"ReceiveFunction"},
    }
