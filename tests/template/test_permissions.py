"""Who may do what: the functions in the account, and whoever calls the APIs."""

from __future__ import annotations

from typing import Any

from tests.template.parts import FUNCTIONS, actions, properties, statements


def test_functions_may_do_only_what_is_named_to_only_what_is_theirs(resources: dict[str, Any]) -> None:
    functions = properties(resources, "AWS::Serverless::Function")
    assert set(functions) == set(FUNCTIONS)
    for function in functions:
        for statement in statements(resources, function):
            for action in actions(statement):
                assert "*" not in action
            assert statement["Resource"] != "*"
            assert "Sid" in statement


def test_whoever_reads_uploads_can_tell_a_missing_one_from_a_forbidden_one(
    resources: dict[str, Any],
) -> None:
    # S3 answers 403 for an object that is not there to whoever may not list the bucket.
    for function in ("IntakeFunction", "SeparateFunction"):
        actions = [statement["Action"] for statement in statements(resources, function)]
        assert "s3:GetObject" in actions
        assert "s3:ListBucket" in actions


def test_a_worker_may_read_the_stems_that_it_goes_on_from(resources: dict[str, Any]) -> None:
    may = [
        statement
        for statement in statements(resources, "SeparateFunction")
        if "s3:GetObject" in actions(statement) and "StemsBucket" in str(statement["Resource"])
    ]
    assert may


def test_who_lists_stems_must_say_of_which_job(resources: dict[str, Any]) -> None:
    for function in ("StatusFunction", "SeparateFunction"):
        for statement in statements(resources, function):
            if "s3:ListBucket" in statement["Action"] and "StemsBucket" in str(statement["Resource"]):
                (prefix,) = statement["Condition"]["StringLike"].values()
                assert prefix.startswith("*/*/")


def test_only_the_deliverer_opens_the_secrets_of_webhooks(resources: dict[str, Any]) -> None:
    may = {
        name: [action for statement in statements(resources, name) for action in actions(statement)]
        for name in FUNCTIONS
    }
    assert [name for name in may if "kms:Decrypt" in may[name]] == ["WebhookFunction"]
    assert [name for name in may if "kms:Encrypt" in may[name]] == ["StatusFunction"]
    assert may["AuthorizeFunction"] == []


def test_each_secret_is_read_by_those_who_need_it(resources: dict[str, Any]) -> None:
    readers: dict[str, set[str]] = {}
    for name in properties(resources, "AWS::Serverless::Function"):
        for statement in statements(resources, name):
            if statement["Action"] == "secretsmanager:GetSecretValue":
                ((_, resource),) = statement["Resource"].items()
                readers.setdefault("".join(resource), set()).add(name)
    assert readers == {
        "R2SecretArn": set(FUNCTIONS) - {"AuthorizeFunction"},
        "R2QueueSecretArn": {"PullFunction"},
        "WebhookSecretId": {"ReceiveFunction"},
    }


def test_every_route_needs_a_token_but_health_the_schema_and_what_is_signed(
    resources: dict[str, Any],
) -> None:
    assert resources["Api"]["Properties"]["Auth"]["DefaultAuthorizer"] == "Jwt"
    routes = [
        event["Properties"]
        for function in properties(resources, "AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    assert {route["Path"] for route in routes if "Auth" in route} == {
        "/v1/health",
        "/v1/schemas/analysis.json",
        "/v1/events/r2",
    }


def test_whoever_connects_needs_a_token_and_no_log_has_it(resources: dict[str, Any]) -> None:
    api = resources["LiveApi"]["Properties"]
    assert api["Auth"]["AuthType"] == "CUSTOM"
    assert api["Auth"]["IdentitySource"] == ["route.request.querystring.token"]
    assert "AccessLogSettings" not in api
    assert "LoggingLevel" not in api["DefaultRouteSettings"]
