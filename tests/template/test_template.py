"""template.yaml itself: valid, closed, and in step with the code."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.template import Template
from stempipe.jobs.config import STEMS
from stempipe.jobs.record import Job
from stempipe.jobs.usage import Limits, Usage
from stempipe.settings import Settings
from tests.routes import routes
from tests.template.parts import FUNCTIONS, properties


@pytest.mark.slow
def test_sam_finds_no_fault(root: Path) -> None:
    done = subprocess.run(
        [root / ".venv/sam/bin/python", "-m", "samcli", "validate", "--lint"],
        cwd=root,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_workers_disk_holds_the_largest_upload_and_all_stems_of_the_longest_song_twice(
    template: Template, resources: dict[str, Any]
) -> None:
    longest = template["Parameters"]["MaxSongSeconds"]["MaxValue"]
    largest = template["Parameters"]["MaxUploadBytes"]["MaxValue"]
    samples = max(len(names) for names in STEMS.values()) * longest * 48_000 * 2
    spools, files = 4 * samples, 4 * samples  # files at most of float, too
    disk = resources["SeparateFunction"]["Properties"]["EphemeralStorage"]["Size"] * 1024 * 1024
    assert largest + spools + files < disk


def test_images_are_started_by_an_absolute_path(root: Path) -> None:
    # As Lambda's documentation asks; Docker finds a relative one, and so would hide it.
    entries = re.findall(r"^ENTRYPOINT (.*)", (root / "functions/separate/Dockerfile").read_text(), re.M)
    assert [json.loads(entry)[0] for entry in entries] == 2 * ["/opt/venv/bin/python"]


def test_failures_of_a_batch_are_reported(resources: dict[str, Any]) -> None:
    mapping = resources["SeparateJobs"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumConcurrency" in mapping["ScalingConfig"]


def test_whoever_deploys_is_asked_for_each_parameter_under_a_heading(template: dict[str, Any]) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    asked = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(asked) == sorted(template["Parameters"])


def test_buckets_are_closed_and_encrypted_and_what_is_users_expires(resources: dict[str, Any]) -> None:
    buckets = properties(resources, "AWS::S3::Bucket")
    assert set(buckets) == {"UploadsBucket", "StemsBucket", "PageBucket"}
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in bucket
        if name == "PageBucket":
            continue
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert rule["Status"] == "Enabled"
        assert {"ExpirationInDays", "AbortIncompleteMultipartUpload"} <= rule.keys()
    refusals = {
        policy["Bucket"]["Ref"]: [
            (statement["Effect"], statement["Condition"])
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        ]
        for policy in properties(resources, "AWS::S3::BucketPolicy").values()
    }
    plain_http = ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    keys_of_others = ("Deny", {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}})
    assert refusals == {
        "UploadsBucket": [plain_http, keys_of_others],
        "StemsBucket": [plain_http],
        "PageBucket": [plain_http],
    }


def test_the_page_is_read_through_its_distribution_alone(resources: dict[str, Any]) -> None:
    policies = properties(resources, "AWS::S3::BucketPolicy").values()
    allowed = [
        statement
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    (statement,) = allowed
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == (
        "s3:GetObject",
        {"Fn::Sub": "${PageBucket.Arn}/*"},
    )
    source = statement["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert source.endswith(":distribution/${PageDistribution}")
    config = resources["PageDistribution"]["Properties"]["DistributionConfig"]
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    assert config["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]


def test_the_pages_client_has_no_secret_and_code_alone(resources: dict[str, Any]) -> None:
    client = resources["PageClient"]["Properties"]
    assert "GenerateSecret" not in client
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        ("", True), ("https://example.com", True), ("http://localhost:5173", True), ("*", False),
        ("https://example.com/", False), ("https://*.example.com", False), ("example.com", False),
    ],
)  # fmt: skip
def test_one_origin_more_may_be_allowed_and_not_all(template: Template, origin: str, good: bool) -> None:
    pattern = template["Parameters"]["AllowedOrigin"]["AllowedPattern"]
    assert (re.search(pattern, origin) is not None) == good


def test_the_table_is_what_the_record_says(resources: dict[str, Any]) -> None:
    table = resources["JobsTable"]["Properties"]
    assert table["KeySchema"] == [
        {"AttributeName": Job.owner.attr_name, "KeyType": "HASH"},
        {"AttributeName": Job.id.attr_name, "KeyType": "RANGE"},
    ]
    newest, due, line = table["GlobalSecondaryIndexes"]
    assert newest["IndexName"] == Job.newest.Meta.index_name
    assert newest["Projection"]["NonKeyAttributes"] == Job.newest.Meta.projection.non_key_attributes
    assert due["Projection"]["ProjectionType"] == Job.due.Meta.projection.projection_type
    assert due["IndexName"] == Job.due.Meta.index_name
    assert due["KeySchema"] == [
        {"AttributeName": Job.open_shard.attr_name, "KeyType": "HASH"},
        {"AttributeName": Job.due_at.attr_name, "KeyType": "RANGE"},
    ]
    assert line["Projection"]["ProjectionType"] == Job.line.Meta.projection.projection_type
    assert line["IndexName"] == Job.line.Meta.index_name
    assert line["KeySchema"] == [
        {"AttributeName": Job.owner.attr_name, "KeyType": "HASH"},
        {"AttributeName": Job.in_line_since.attr_name, "KeyType": "RANGE"},
    ]
    assert table["TimeToLiveSpecification"]["AttributeName"] == Job.expires_at.attr_name
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_the_table_of_accounts_is_what_its_record_says(template: Template, resources: dict[str, Any]) -> None:
    table = resources["UsageTable"]["Properties"]
    assert table["KeySchema"] == [
        {"AttributeName": Usage.owner.attr_name, "KeyType": "HASH"},
        {"AttributeName": Usage.day.attr_name, "KeyType": "RANGE"},
    ]
    assert table["TimeToLiveSpecification"]["AttributeName"] == Usage.expires_at.attr_name
    defaults = [
        template["Parameters"][name]["Default"] for name in ("MaxOpenJobs", "MaxMinutesADay", "MaxBytesKept")
    ]
    assert Limits(*defaults) == Limits()


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
    ours = {"OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"} if function == "SeparateFunction" else set()
    assert told == needed & told | ours | {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_SERVICE_NAME"}


def test_function_logs_do_not_live_for_ever(resources: dict[str, Any]) -> None:
    groups = properties(resources, "AWS::Logs::LogGroup")
    for function in FUNCTIONS:
        group = resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        assert "RetentionInDays" in groups[group]


@pytest.mark.parametrize("api", ["Api", "LiveApi"])
def test_the_apis_are_throttled(template: Template, resources: dict[str, Any], api: str) -> None:
    limits = resources[api]["Properties"]["DefaultRouteSettings"]
    rate, burst = (
        template["Parameters"][limits[name]["Ref"]]["Default"]
        for name in ("ThrottlingRateLimit", "ThrottlingBurstLimit")
    )
    assert 0 < rate <= burst


def test_the_access_log_has_nothing_of_what_was_asked_for(resources: dict[str, Any]) -> None:
    log = json.loads(resources["Api"]["Properties"]["AccessLogSettings"]["Format"])
    assert log["requestId"] == "$context.requestId"  # without it API Gateway refuses the format
    # No path, no query, no header, and of the token nothing but whose it is.
    assert set(log.values()) == {
        "$context.requestTime",
        "$context.requestId",
        "$context.identity.sourceIp",
        "$context.authorizer.claims.sub",
        "$context.routeKey",
        "$context.status",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.error.message",
        "$context.integration.status",
    }


def test_a_new_accounts_concurrency_holds_the_defaults(template: Template, resources: dict[str, Any]) -> None:
    new_account = 10
    workers, webhooks = (
        template["Parameters"][resources[name]["Properties"]["ScalingConfig"]["MaximumConcurrency"]["Ref"]][
            "Default"
        ]
        for name in ("SeparateJobs", "WebhookMessages")
    )
    # What a job under way has changed is told by one run of notify at a time, in the order of the changes.
    notify = workers
    # For the APIs, for uploads, and for what comes every minute.
    assert new_account - workers - webhooks - notify >= 3


def test_names_of_users_have_no_case(resources: dict[str, Any]) -> None:
    assert resources["UserPool"]["Properties"]["UsernameConfiguration"] == {"CaseSensitive": False}


def test_what_sealed_secrets_need_is_kept_with_them(resources: dict[str, Any]) -> None:
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        assert resources["CallbackKey"][policy] == resources["JobsTable"][policy]


def test_what_comes_again_by_the_clock_is_not_tried_again_besides(resources: dict[str, Any]) -> None:
    for function in properties(resources, "AWS::Serverless::Function").values():
        if any(event["Type"] == "Schedule" for event in function.get("Events", {}).values()):
            assert function["EventInvokeConfig"]["MaximumRetryAttempts"] == 0


def test_a_browser_may_call_every_route(resources: dict[str, Any]) -> None:
    cors = resources["Api"]["Properties"]["CorsConfiguration"]
    events = resources["StatusFunction"]["Properties"]["Events"].values()
    assert {event["Properties"]["Method"] for event in events} == set(cors["AllowMethods"])
    assert {"authorization", "content-type", "idempotency-key"} <= set(cors["AllowHeaders"])
    assert cors["ExposeHeaders"] == ["retry-after", "ratelimit", "ratelimit-policy"]


def test_there_is_an_event_for_every_route_and_a_route_for_every_event(resources: dict[str, Any]) -> None:
    events = resources["StatusFunction"]["Properties"]["Events"].values()
    assert {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events} == {
        *((route.method, route.path) for route in routes()),
        ("GET", "/v1/openapi.json"),
        ("GET", "/v1/schemas/analysis.json"),
    }


def test_a_batch_that_notify_cannot_take_is_halved_and_at_last_given_up_and_kept(
    resources: dict[str, Any],
) -> None:
    mapping = resources["NotifyChanges"]["Properties"]
    # It raises: with reports of single failures, Lambda would halve the batch at the one reported.
    assert "FunctionResponseTypes" not in mapping
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] < 10
    assert (
        mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] == "NotifyDeadLetterQueue"
    )
    assert (
        resources["JobsTable"]["Properties"]["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    )


def test_the_worker_is_told_of_the_disk_that_it_has(resources: dict[str, Any]) -> None:
    worker = resources["SeparateFunction"]["Properties"]
    assert int(worker["Environment"]["Variables"]["DISK_MB"]) == worker["EphemeralStorage"]["Size"]
