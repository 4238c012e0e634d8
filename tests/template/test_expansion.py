"""The template as AWS expands it, for each combination of parameters that changes what there is."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from local.template import Template
from tests.template.parts import properties
from tests.template.stack import QUEUE, R2, WEBHOOK, Stack

USERS: dict[str, dict[str, str]] = {
    "cognito": {},
    # And nobody watches it, where no more is chosen.
    "own": {"JwtIssuer": "https://issuer.example.com/", "JwtAudience": "stempipe", "Monitoring": "none"},
}
STORAGE: dict[str, dict[str, str]] = {
    "s3": {},
    "queue": R2 | QUEUE,
    "webhook": R2 | WEBHOOK,
    "both": R2 | QUEUE | WEBHOOK,
}
# What makes no resources, but changes them.
MORE: dict[str, dict[str, str]] = {
    "more": {
        "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "PagerTopicArn": "arn:aws:sns:us-east-1:123456789012:pager",
        "Monitoring": "full",
        "BudgetMonthlyUsd": "20",
        "AllowedOrigin": "https://example.com",
        "PageClientId": "page",
        "SeparateOnLambda": "false",
        "OtherWorkers": "3",
    },
    "none": {},
}
COMBINATIONS = {"-".join(names): names for names in product(USERS, STORAGE, MORE)}


def chosen(name: str) -> dict[str, str]:
    users, storage, more = COMBINATIONS[name]
    return USERS[users] | STORAGE[storage] | MORE[more]


pytestmark = pytest.mark.slow  # it needs the environment of sam


@pytest.fixture(scope="module")
def sam(root: Path) -> Callable[..., Any]:
    """Has expand.py do something, with what it reads."""

    def run(given: Any, *arguments: str | Path) -> Any:
        done = subprocess.run(
            [root / ".venv/sam/bin/python", root / "tests/template/expand.py", *arguments],
            input=json.dumps(given),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def expanded(root: Path, sam: Callable[..., Any]) -> dict[str, Any]:
    """Each combination's template after the transform, and the warnings that this gave."""
    found = sam([chosen(name) for name in COMBINATIONS], "expand", root / "template.yaml")
    return dict(zip(COMBINATIONS, found, strict=True))


@pytest.fixture(scope="module")
def resolved(expanded: dict[str, Any]) -> dict[str, Template]:
    """The same with its conditions decided."""
    return {name: Stack(found["template"], chosen(name)).resolved() for name, found in expanded.items()}


@pytest.fixture(scope="module")
def faults(sam: Callable[..., Any], resolved: dict[str, Template]) -> dict[str, list[str]]:
    """What cfn-lint has against each."""
    return dict(zip(resolved, sam(list(resolved.values()), "lint"), strict=True))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_it_expands_and_is_clean(
    template: Template, expanded: dict[str, Any], faults: dict[str, list[str]], name: str
) -> None:
    assert Stack(template, chosen(name)).refusals() == []
    assert expanded[name]["warnings"] == []
    assert faults[name] == []


@pytest.mark.parametrize("name", COMBINATIONS)
def test_what_it_is_made_of_follows_the_parameters(resolved: dict[str, Template], name: str) -> None:
    users, storage, more = COMBINATIONS[name]
    resources = resolved[name]["Resources"]
    kinds = [resource["Type"] for resource in resources.values()]
    assert ("AWS::Cognito::UserPool" in kinds) == (users == "cognito")
    assert ("PullFunction" in resources) == (storage in ("queue", "both"))
    assert ("ReceiveFunction" in resources) == (storage in ("webhook", "both"))
    assert kinds.count("AWS::Lambda::Function") == 8 + {"s3": 0, "both": 2}.get(storage, 1)
    alarms = [item for item in resources.values() if item["Type"].endswith("Alarm")]
    told = [item for item in alarms if item["Properties"].get("AlarmActions")]
    assert told == (alarms if more == "more" else [])
    assert kinds.count("AWS::CloudWatch::Dashboard") == (2 if more == "more" else users == "cognito")
    assert (alarms == []) == (users == "own" and more == "none")
    assert ("Budget" in resources) == (more == "more")
    # Conditions are decided, and no reference is left to what is not there.
    names = resources.keys() | resolved[name]["Parameters"].keys()
    assert {ref for ref in references(resolved[name]) if "::" not in ref} <= names


@pytest.mark.parametrize("name", COMBINATIONS)
def test_it_keeps_to_what_cloudformation_takes(expanded: dict[str, Any], name: str) -> None:
    # More than 51,200 bytes, so that it comes by a bucket, as sam sends it; such a one may have a million.
    template = expanded[name]["template"]
    assert len(json.dumps(template)) < 1_000_000
    assert len(template["Resources"]) < 200


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_page_is_told_in_json_where_all_is(resolved: dict[str, Template], name: str) -> None:
    users, _, more = COMBINATIONS[name]
    config = json.loads(text_of(resolved[name]["Outputs"]["PageConfig"]["Value"]))
    assert config.keys() == {"api", "live", "login", "limits"}
    assert config["limits"].keys() == {"bytes", "seconds", "models"}
    if users == "own" and more == "none":
        assert config["login"] is None
        return
    assert config["login"].keys() == {"issuer", "discovery", "clientId", "scope", "audience", "signOut"}
    issuer = (
        "https://cognito-idp.Region.amazonaws.com/UserPool"
        if users == "cognito"
        else USERS["own"]["JwtIssuer"]
    )
    assert config["login"]["issuer"] == issuer


def text_of(item: Any) -> str:
    """A value with the names of what it refers to in place of that, and 1 for a number."""
    if isinstance(item, str):
        return item
    if "Ref" in item:
        return str(item["Ref"]).removeprefix("AWS::")
    if "Fn::Select" in item:
        place, split = item["Fn::Select"]
        between, whole = split["Fn::Split"]
        return str(text_of(whole).split(between)[place])
    if "Fn::Join" in item:
        between, parts = item["Fn::Join"]
        return between.join(map(text_of, parts)) if isinstance(parts, list) else text_of(parts)
    text, more = item["Fn::Sub"] if isinstance(item["Fn::Sub"], list) else (item["Fn::Sub"], {})
    for name, value in more.items():
        text = text.replace(f"${{{name}}}", text_of(value))
    text = text.replace("${JwtIssuer}", USERS["own"]["JwtIssuer"])
    text = re.sub(r"\$\{Max\w+\}", "1", text)
    return re.sub(r"\$\{(?:AWS::)?(\w+)\}", r"\1", text)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_page_calls_what_is_there_and_nothing_else(resolved: dict[str, Template], name: str) -> None:
    users, storage, _ = COMBINATIONS[name]
    headers = resolved[name]["Resources"]["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    policy = text_of(headers["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    assert "unsafe" not in policy
    (calls,) = (part.split() for part in policy.split("; ") if part.startswith("connect-src"))
    bucket = "https://StackName-{}-AccountId-Region.s3.{}URLSuffix"
    s3 = [bucket.format(name, region) for name in ("uploads", "stems") for region in ("Region.", "")]
    cognito = [
        "https://cognito-idp.Region.amazonaws.com",
        "https://StackName-AccountId.auth.Region.amazoncognito.com",
    ]
    apis = ["https://*.execute-api.Region.URLSuffix", "wss://*.execute-api.Region.URLSuffix"]
    login = cognito if users == "cognito" else ["https://issuer.example.com"]
    assert calls[1:] == ["'self'", *apis, *(s3 if storage == "s3" else ["R2Endpoint"]), *login]


@pytest.mark.parametrize("name", COMBINATIONS)
def test_storage_and_the_api_answer_the_page_and_one_origin_more_alone(
    resolved: dict[str, Template], name: str
) -> None:
    resources = resolved[name]["Resources"]
    page = {"Fn::Sub": "https://${PageDistribution.DomainName}"}
    origins = [page] if COMBINATIONS[name][2] == "none" else [page, {"Ref": "AllowedOrigin"}]
    other = MORE["more"]["AllowedOrigin"]  # which the transform has put there
    cors = resources["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]
    assert cors["allowOrigins"] == [other if "Ref" in origin else origin for origin in origins]
    for bucket in ("UploadsBucket", "StemsBucket"):
        (rule,) = resources[bucket]["Properties"]["CorsConfiguration"]["CorsRules"]
        assert rule["AllowedOrigins"] == origins
    for client in properties(resources, "AWS::Cognito::UserPoolClient").values():
        back = [{"Fn::Sub": "https://${PageDistribution.DomainName}/"}]
        assert client.get("CallbackURLs", back) == client.get("LogoutURLs", back) == back


def references(item: Any) -> set[str]:
    if isinstance(item, list):
        return set().union(*map(references, item))
    if not isinstance(item, dict):
        return set()
    if isinstance(item.get("Ref"), str):
        return {item["Ref"]}
    if "Fn::GetAtt" in item:
        return {item["Fn::GetAtt"][0]}
    return set().union(*map(references, item.values()))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_function_is_traced_and_counts_for_its_own_stack(
    resolved: dict[str, Template], name: str
) -> None:
    resources = resolved[name]["Resources"]
    for function in properties(resources, "AWS::Lambda::Function").values():
        assert function["TracingConfig"] == {"Mode": "Active"}
        variables = function["Environment"]["Variables"]
        assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
        role = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
        assert any("AWSXrayWriteOnlyAccess" in arn for arn in role["ManagedPolicyArns"])


@pytest.mark.parametrize("name", COMBINATIONS)
def test_both_apis_are_throttled_by_parameters_and_the_http_api_alone_is_logged(
    resolved: dict[str, Template], name: str
) -> None:
    stages = properties(resolved[name]["Resources"], "AWS::ApiGatewayV2::Stage")
    limits = {stage["ApiId"]["Ref"]: stage["DefaultRouteSettings"] for stage in stages.values()}
    assert limits == {
        api: {"ThrottlingRateLimit": {"Ref": f"{kind}Rate"}, "ThrottlingBurstLimit": {"Ref": f"{kind}Burst"}}
        for api, kind in {"Api": "Api", "LiveApi": "Live"}.items()
    }
    logs = {stage["ApiId"]["Ref"]: stage.get("AccessLogSettings") for stage in stages.values()}
    assert logs["LiveApi"] is None
    assert logs["Api"]["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}
    assert "\n" not in logs["Api"]["Format"]  # API Gateway refuses more than a line


def test_going_back_from_r2_to_s3_leaves_nothing_of_r2(root: Path, sam: Callable[..., Any]) -> None:
    # A stack keeps the values of its parameters: only what the rules want is changed.
    parameters = R2 | QUEUE | {"StorageProvider": "s3", "R2QueueId": ""}
    (found,) = sam([parameters], "expand", root / "template.yaml")
    stack = Stack(found["template"], parameters)
    assert stack.refusals() == []
    functions = list(properties(stack.resolved()["Resources"], "AWS::Lambda::Function").values())
    for function in functions:
        variables = function["Environment"]["Variables"]
        assert (variables["STORAGE_ENDPOINT"], variables["STORAGE_SECRET_ARN"]) == ("", "")
    assert not [value for value in R2.values() if value != "r2" and f'"{value}"' in json.dumps(functions)]
