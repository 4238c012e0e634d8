"""The real template, rewritten and deployed on MiniStack: every resource is there and wired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud import STACK, Deployment, running
from local.server import free_port

pytestmark = pytest.mark.slow  # it needs MiniStack


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with running(port=free_port(), state=tmp_path_factory.mktemp("cloud")) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def physical_ids(deployment: Deployment) -> dict[str, str]:
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources")
    summaries = [
        summary for page in pages.paginate(StackName=STACK) for summary in page["StackResourceSummaries"]
    ]
    assert {summary["ResourceStatus"] for summary in summaries} == {"CREATE_COMPLETE"}
    return {summary["LogicalResourceId"]: summary["PhysicalResourceId"] for summary in summaries}


def test_functions_exist_with_the_templates_limits(
    deployment: Deployment, physical_ids: dict[str, str]
) -> None:
    client = deployment.client("lambda")
    separate = client.get_function_configuration(FunctionName=physical_ids["SeparateFunction"])
    assert (separate["MemorySize"], separate["Timeout"]) == (3008, 300)
    assert separate["EphemeralStorage"]["Size"] == 5120
    variables = separate["Environment"]["Variables"]
    assert variables["STEMS_BUCKET"] == deployment.stems_bucket
    assert all(isinstance(value, str) for value in variables.values())
    for name in ("IntakeFunction", "StatusFunction"):
        assert client.get_function_configuration(FunctionName=physical_ids[name])["State"] == "Active"


def test_an_upload_invokes_intake(deployment: Deployment, physical_ids: dict[str, str]) -> None:
    notification = deployment.client("s3").get_bucket_notification_configuration(
        Bucket=deployment.uploads_bucket
    )
    [target] = notification["LambdaFunctionConfigurations"]
    assert target["LambdaFunctionArn"].endswith(f":{physical_ids['IntakeFunction']}")
    assert target["Events"] == ["s3:ObjectCreated:*"]


def test_a_message_invokes_separate_and_failures_go_to_the_dead_letter_queue(
    deployment: Deployment, physical_ids: dict[str, str]
) -> None:
    sqs = deployment.client("sqs")
    [mapping] = mappings(deployment, physical_ids["SeparateFunction"])
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    queue = sqs.get_queue_attributes(QueueUrl=deployment.jobs_queue_url, AttributeNames=["All"])["Attributes"]
    dead_letters = sqs.get_queue_attributes(
        QueueUrl=deployment.jobs_dead_letter_queue_url, AttributeNames=["QueueArn"]
    )["Attributes"]
    assert mapping["EventSourceArn"] == queue["QueueArn"]
    assert queue["VisibilityTimeout"] == "1800"
    assert dead_letters["QueueArn"] in queue["RedrivePolicy"]


def mappings(deployment: Deployment, function: str) -> list[Any]:
    listed = deployment.client("lambda").list_event_source_mappings(FunctionName=function)
    return list(listed["EventSourceMappings"])


def test_changes_of_jobs_invoke_notify(deployment: Deployment, physical_ids: dict[str, str]) -> None:
    [mapping] = mappings(deployment, physical_ids["NotifyFunction"])
    table = deployment.client("dynamodb").describe_table(TableName=deployment.jobs_table)["Table"]
    assert mapping["EventSourceArn"] == table["LatestStreamArn"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_the_websocket_api_asks_for_a_token_and_has_its_routes(
    deployment: Deployment, physical_ids: dict[str, str]
) -> None:
    client = deployment.client("apigatewayv2")
    routes = {route["RouteKey"]: route for route in client.get_routes(ApiId=physical_ids["LiveApi"])["Items"]}
    assert routes.keys() == {"$connect", "$disconnect", "$default"}
    assert routes["$connect"]["AuthorizationType"] == "CUSTOM"


def test_the_jobs_table_has_its_indexes(deployment: Deployment) -> None:
    table = deployment.client("dynamodb").describe_table(TableName=deployment.jobs_table)["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["newest", "due", "line"]


def test_the_apis_routes_need_a_token_but_health_and_the_schema(
    deployment: Deployment, physical_ids: dict[str, str]
) -> None:
    routes = deployment.client("apigatewayv2").get_routes(ApiId=physical_ids["Api"])["Items"]
    open_routes = [route["RouteKey"] for route in routes if route["AuthorizationType"] == "NONE"]
    assert sorted(open_routes) == ["GET /v1/health", "GET /v1/schemas/analysis.json"]
    assert "POST /v1/jobs" in {route["RouteKey"] for route in routes}


def test_a_second_deployment_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    with running(port=port, state=tmp_path) as first:
        pass
    with running(port=port, state=tmp_path) as second:
        assert second == first
