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
from stempipe.config import STEMS
from stempipe.job import MAX_ATTEMPTS, Job
from stempipe.settings import IntakeSettings, SeparateSettings, Settings, StatusSettings, SweepSettings

FUNCTIONS = ("IntakeFunction", "SeparateFunction", "StatusFunction", "SweepFunction")


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
    for policy in function["Policies"]:
        yield from policy.get("Statement") or policy["Fn::If"][1]["Statement"]


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


def test_a_workers_disk_holds_the_largest_upload_and_all_stems_of_the_longest_song(
    template: Template, resources: dict[str, Any]
) -> None:
    longest = template["Parameters"]["MaxSongSeconds"]["MaxValue"]
    largest = template["Parameters"]["MaxUploadBytes"]["MaxValue"]
    stems = max(len(names) for names in STEMS.values()) * longest * 48_000 * 2 * 2
    disk = resources["SeparateFunction"]["Properties"]["EphemeralStorage"]["Size"] * 1024 * 1024
    assert largest + stems < disk


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


@pytest.mark.parametrize(
    ("function", "settings"),
    [
        ("IntakeFunction", IntakeSettings),
        ("SeparateFunction", SeparateSettings),
        ("StatusFunction", StatusSettings),
        ("SweepFunction", SweepSettings),
    ],
)
def test_every_function_is_told_its_settings(
    template: Template, resources: dict[str, Any], function: str, settings: type[Settings]
) -> None:
    told = template["Globals"]["Function"]["Environment"]["Variables"].keys() | (
        resources[function]["Properties"]["Environment"]["Variables"].keys()
    )
    needed = {name.upper() for name in settings.model_fields} - {"AWS_ENDPOINT_URL"}
    assert needed <= told
    assert told <= needed | {"POWERTOOLS_LOG_LEVEL"}


def test_functions_may_do_only_what_is_named_to_only_what_is_theirs(resources: dict[str, Any]) -> None:
    functions = properties(resources, "AWS::Serverless::Function")
    assert set(functions) == set(FUNCTIONS)
    for function in functions.values():
        for statement in statements(function):
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                assert "*" not in action
            assert statement["Resource"] != "*"
            assert "Sid" in statement


def test_function_logs_do_not_live_for_ever(resources: dict[str, Any]) -> None:
    groups = properties(resources, "AWS::Logs::LogGroup")
    for function in FUNCTIONS:
        group = resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        assert "RetentionInDays" in groups[group]


def test_every_route_but_health_needs_a_token(resources: dict[str, Any]) -> None:
    assert resources["Api"]["Properties"]["Auth"]["DefaultAuthorizer"] == "Jwt"
    events = resources["StatusFunction"]["Properties"]["Events"]
    open_routes = {event["Properties"]["Path"] for event in events.values() if "Auth" in event["Properties"]}
    assert open_routes == {"/v1/health"}
