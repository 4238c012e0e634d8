"""Every route of the HTTP API: who may ask, what is not there, our own faults, and the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import boto3
import pytest

from tests.aws import Aws
from tests.integration.status.asking import Ask


def test_health_needs_no_token(ask: Ask) -> None:
    assert ask("GET", "/v1/health", owner=None) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/01K"])
def test_everything_else_does(ask: Ask, path: str) -> None:
    status, body = ask("GET", path, owner=None)
    assert (status, body["error"]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("claims", [{"token_use": "id"}, {"sub": ""}, {"exp": ""}])
def test_a_token_that_is_no_access_token_of_somebody_for_some_time_is_refused(
    ask: Ask, claims: dict[str, str]
) -> None:
    answer = ask("GET", "/v1/jobs", claims=claims)
    assert (answer.status, answer.body["error"]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/songs"), ("PATCH", "/v1/jobs"), ("GET", "/")])
def test_what_is_not_there_is_404_in_json(ask: Ask, method: str, path: str) -> None:
    answer = ask(method, path)
    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")


def test_an_unforeseen_fault_is_500_and_says_nothing_of_its_cause(ask: Ask, cloud: Aws) -> None:
    boto3.client("dynamodb").delete_table(TableName="jobs")
    answer = ask("GET", "/v1/jobs/01K")
    assert (answer.status, answer.body["error"]["code"]) == (500, "internal_error")
    assert "table" not in answer.body["error"]["message"].lower()


def test_the_openapi_document_has_every_route(ask: Ask) -> None:
    document = ask("GET", "/v1/openapi.json").body
    routes = {(method, path) for path, item in document["paths"].items() for method in item}
    assert routes == {
        ("post", "/v1/jobs"),
        ("get", "/v1/jobs"),
        ("get", "/v1/jobs/{id}"),
        ("get", "/v1/jobs/{id}/files"),
        ("delete", "/v1/jobs/{id}"),
        ("post", "/v1/jobs/{id}/retry"),
        ("get", "/v1/quota"),
        ("get", "/v1/health"),
    }
    assert document["paths"]["/v1/health"]["get"]["security"] == [{}]
    assert document["components"]["securitySchemes"]["jwt"]["scheme"] == "bearer"
    assert "estimatedTimeRemaining" in document["components"]["schemas"]["JobView"]["properties"]


def test_the_schema_of_analyses_is_served_and_published_alike(
    load_app: Callable[[str], ModuleType], cloud: Aws
) -> None:
    served = load_app("status").analysis_schema().body
    published = (Path(__file__).parents[3] / "docs" / "analysis.schema.json").read_text()
    assert json.loads(served) == json.loads(published)
