"""The rewriting of template.yaml for MiniStack, on the real template."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from local import template as templates
from local.template import CodeLocation, Template

KEPT = ("Rules", "Conditions", "Globals", "Outputs")


@pytest.fixture(scope="module")
def original(root: Path) -> Template:
    return templates.load(root / "template.yaml")


def rewrite(template: Template) -> Template:
    return templates.for_ministack(
        template,
        root=Path("/repository"),
        python=Path("/venv/bin/python"),
        logs=Path("/logs"),
        code=CodeLocation("code", "bootstrap.zip"),
        environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
    )


@pytest.fixture(scope="module")
def rewritten(original: Template) -> Template:
    return rewrite(original)


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: item for name, item in template["Resources"].items() if item["Type"] == kind}


def http_events(template: Template) -> list[dict[str, Any]]:
    return [
        event["Properties"]
        for function in of_type(template, "AWS::Serverless::Function").values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]


def routes(template: Template) -> dict[str, dict[str, Any]]:
    return {
        route["Properties"]["RouteKey"]: route["Properties"]
        for route in of_type(template, "AWS::ApiGatewayV2::Route").values()
    }


def test_every_function_runs_the_bootstrap_from_its_source_folder(
    original: Template, rewritten: Template
) -> None:
    functions = of_type(rewritten, "AWS::Serverless::Function")
    assert functions.keys() == of_type(original, "AWS::Serverless::Function").keys()
    for name, function in functions.items():
        properties = function["Properties"]
        assert properties["Runtime"] == "provided.al2023"
        assert properties["Handler"] == "app.handler"
        assert properties["CodeUri"] == {"Bucket": "code", "Key": "bootstrap.zip"}
        assert properties.keys().isdisjoint({"PackageType", "ImageUri", "Layers"})
        variables = properties["Environment"]["Variables"]
        assert variables["LOCAL_PYTHON"] == "/venv/bin/python"
        assert variables["LOCAL_LOG"] == f"/logs/{name}.log"
        assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("function", "folder"),
    [
        ("IntakeFunction", "intake"),
        ("PullFunction", "pull"),
        ("ReceiveFunction", "receive"),
        ("SeparateFunction", "separate"),
        ("StatusFunction", "status"),
    ],
)
def test_a_function_imports_from_its_folder_and_the_layer(
    rewritten: Template, function: str, folder: str
) -> None:
    variables = rewritten["Resources"][function]["Properties"]["Environment"]["Variables"]
    assert variables["PYTHONPATH"] == f"/repository/functions/{folder}:/repository/layers/common/python"


def test_functions_keep_their_variables(original: Template, rewritten: Template) -> None:
    for name, function in of_type(original, "AWS::Serverless::Function").items():
        before = function["Properties"]["Environment"]["Variables"]
        after = rewritten["Resources"][name]["Properties"]["Environment"]["Variables"]
        assert before.keys() <= after.keys()
        for variable in before.keys() - {"ISSUER_URL", "LIVE_ENDPOINT"}:
            assert after[variable] == before[variable]


def test_what_aws_serves_at_addresses_of_its_own_is_served_here(rewritten: Template) -> None:
    variables = {
        name: function["Properties"]["Environment"]["Variables"]
        for name, function in of_type(rewritten, "AWS::Serverless::Function").items()
    }
    live = {"Fn::Sub": "http://127.0.0.1:4566/_aws/execute-api/${LiveApi}/v1"}
    assert variables["ConnectFunction"]["LIVE_ENDPOINT"] == live
    assert variables["NotifyFunction"]["LIVE_ENDPOINT"] == live
    assert variables["AuthorizeFunction"]["ISSUER_URL"] == {"Fn::Sub": "http://127.0.0.1:4566/${UserPool}"}
    # Whom a token names as its issuer is the same everywhere.
    assert "amazonaws.com" in str(variables["AuthorizeFunction"]["JWT_ISSUER"])


def test_there_is_a_route_for_every_http_event(original: Template, rewritten: Template) -> None:
    events = http_events(original)
    assert events
    assert routes(rewritten).keys() == {f"{event['Method']} {event['Path']}" for event in events}
    assert not http_events(rewritten)


def test_a_route_is_open_only_where_its_event_says_so(original: Template, rewritten: Template) -> None:
    for event in http_events(original):
        route = routes(rewritten)[f"{event['Method']} {event['Path']}"]
        if event.get("Auth") == {"Authorizer": "NONE"}:
            assert route["AuthorizationType"] == "NONE"
            assert "AuthorizerId" not in route
        else:
            assert route["AuthorizationType"] == "JWT"
            assert route["AuthorizerId"] == {"Ref": "ApiJwtAuthorizer"}
    assert routes(rewritten)["GET /v1/health"]["AuthorizationType"] == "NONE"


def test_every_route_leads_to_its_function(original: Template, rewritten: Template) -> None:
    for name, function in of_type(original, "AWS::Serverless::Function").items():
        own = [event["Properties"] for event in function["Properties"].get("Events", {}).values()]
        for route in (event for event in own if event.get("ApiId")):
            target = routes(rewritten)[f"{route['Method']} {route['Path']}"]["Target"]
            assert target == {"Fn::Sub": f"integrations/${{{name}Integration}}"}
            integration = rewritten["Resources"][f"{name}Integration"]["Properties"]
            assert integration["IntegrationUri"] == {"Fn::GetAtt": [name, "Arn"]}
            permission = rewritten["Resources"][f"{name}ApiPermission"]["Properties"]
            assert permission["FunctionName"] == {"Ref": name}


def test_what_leads_to_a_function_is_there_where_the_function_is(rewritten: Template) -> None:
    resources = rewritten["Resources"]
    conditions = {
        name: resources[name].get("Condition")
        for name in ("ReceiveFunction", "ReceiveFunctionR2EventRoute", "ReceiveFunctionIntegration")
    }
    assert set(conditions.values()) == {"ReceiveR2"}
    assert "Condition" not in resources["StatusFunctionHealthRoute"]


def test_the_authorizer_checks_what_the_template_says(original: Template, rewritten: Template) -> None:
    before = original["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["Jwt"]["JwtConfiguration"]
    after = rewritten["Resources"]["ApiJwtAuthorizer"]["Properties"]["JwtConfiguration"]
    assert after == {"Issuer": before["issuer"], "Audience": before["audience"]}


def test_cors_is_kept(original: Template, rewritten: Template) -> None:
    before = original["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    after = rewritten["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    assert [on_aws(value) for value in after.values()] == list(before.values())


def on_aws(item: Any) -> Any:
    """The same with the page's address as it was."""
    if isinstance(item, list):
        return [on_aws(part) for part in item]
    if not isinstance(item, dict):
        return item
    if isinstance(item.get("Fn::Sub"), list) and "${Label}" in item["Fn::Sub"][0]:
        here, label = item["Fn::Sub"]
        assert here.startswith("http://${Label}.cloudfront.localhost:4566")
        name = {"Fn::GetAtt": ["PageDistribution", "DomainName"]}
        assert label == {"Label": {"Fn::Select": [0, {"Fn::Split": [".", name]}]}}
        path = here.removeprefix("http://${Label}.cloudfront.localhost:4566")
        return {"Fn::Sub": "https://${PageDistribution.DomainName}" + path}
    return {key: on_aws(value) for key, value in item.items()}


def test_the_page_is_served_by_plain_http_and_calls_this_machine(rewritten: Template) -> None:
    resources = rewritten["Resources"]
    config = resources["PageDistribution"]["Properties"]["DistributionConfig"]
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "allow-all"
    headers = resources["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    directives = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Join"][1]
    assert "connect-src 'self' http://127.0.0.1:4566 ws://127.0.0.1:4566" in directives
    assert all(isinstance(directive, str) for directive in directives)


def test_the_login_leads_back_to_the_page_or_to_that_of_a_developer(
    original: Template, rewritten: Template
) -> None:
    before, after = (template["Resources"]["PageClient"]["Properties"] for template in (original, rewritten))
    for addresses in ("CallbackURLs", "LogoutURLs"):
        assert on_aws(after[addresses]) == [*before[addresses], "http://localhost:5173/"]
    assert rewritten["Resources"]["UserPoolClient"] == original["Resources"]["UserPoolClient"]


def test_nothing_else_is_changed(original: Template, rewritten: Template) -> None:
    for section in KEPT:
        assert on_aws(rewritten[section]) == original[section]
    for name, parameter in original["Parameters"].items():
        # R2 has no TLS here.
        assert rewritten["Parameters"][name] == {
            key: value for key, value in parameter.items() if key != "AllowedPattern"
        } | ({"Default": "none"} if name == "Monitoring" else {})
    rewritten_types = {
        "AWS::S3::BucketPolicy",
        "AWS::Serverless::Function",
        "AWS::Serverless::HttpApi",
        "AWS::Serverless::LayerVersion",
        "AWS::Lambda::EventSourceMapping",
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::Cognito::UserPoolClient",
    }
    for name, resource in original["Resources"].items():
        if resource["Type"] not in rewritten_types:
            assert on_aws(rewritten["Resources"][name]) == resource


def test_of_the_bucket_policies_only_the_refusal_of_plain_http_is_dropped(original: Template) -> None:
    template = copy.deepcopy(original)
    policy = template["Resources"]["StemsBucketPolicy"]["Properties"]["PolicyDocument"]
    other = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*"}
    policy["Statement"] = [other]
    rewritten = rewrite(template)["Resources"]
    assert rewritten["StemsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"] == [other]
    (kept,) = rewritten["UploadsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert kept["Sid"] == "RefuseKeysOfOthers"
    assert "StemsBucketPolicy" not in rewrite(original)["Resources"]


def test_the_template_given_is_left_as_it_was(original: Template) -> None:
    before = copy.deepcopy(original)
    rewrite(original)
    assert original == before


def test_a_property_of_the_api_that_cannot_run_here_is_named(original: Template) -> None:
    template = copy.deepcopy(original)
    template["Resources"]["Api"]["Properties"]["FailOnWarnings"] = True
    with pytest.raises(ValueError, match=r"Api.*FailOnWarnings"):
        rewrite(template)


def test_short_forms_are_read_as_long_ones(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        "A: !Ref B\nC: !GetAtt D.E.F\nG: !If [H, !Sub '${I}', !Ref AWS::NoValue]\nJ: {Condition: K}\n"
    )
    template = templates.load(path)
    assert template["A"] == {"Ref": "B"}
    assert template["C"] == {"Fn::GetAtt": ["D", "E.F"]}
    assert template["G"] == {"Fn::If": ["H", {"Fn::Sub": "${I}"}, {"Ref": "AWS::NoValue"}]}
    assert template["J"] == {"Condition": "K"}
