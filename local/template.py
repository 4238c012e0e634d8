"""From template.yaml to the template that MiniStack runs.

Only what MiniStack cannot run as AWS does is rewritten. It runs no images without Docker, so a function
becomes a bootstrap that starts AWS's own runtime client in its source folder. It reads no OpenAPI body, which
is what ``AWS::Serverless::HttpApi`` turns into, so the API becomes explicit resources. The rest are details.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from local import page

Template = dict[str, Any]

# One file for all functions; what differs is in their variables. `exec`, so that the signals which MiniStack
# sends reach the function; `tee`, because MiniStack passes a log on only when the invocation has ended; a
# folder for temporary files, because on AWS each process has a disk of its own.
BOOTSTRAP = """\
#!/usr/bin/env bash
exec > >(exec tee -a "$LOCAL_LOG") 2>&1
export TMPDIR="$(mktemp -d)"
exec "$LOCAL_PYTHON" -m awslambdaric "$_HANDLER"
"""
IMAGE_HANDLER = "app.handler"  # an image names its handler in the Dockerfile

# One separation keeps two cores busy; more at once would make each slower. AWS allows no fewer.
MAX_CONCURRENCY = 2


class CodeLocation(NamedTuple):
    """Where the zipped bootstrap lies in MiniStack's S3."""

    bucket: str
    key: str


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: ``!Ref x`` is ``{"Ref": "x"}``."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def load(path: Path) -> Template:
    """Parse a CloudFormation template in YAML into its long (JSON) form."""
    template = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    # An unquoted date is one to YAML and a string to CloudFormation.
    template["AWSTemplateFormatVersion"] = str(template.get("AWSTemplateFormatVersion", "2010-09-09"))
    return dict(template)


def for_ministack(
    template: Template,
    *,
    root: Path,
    python: Path,
    logs: Path,
    code: CodeLocation,
    environment: Mapping[str, str],
) -> Template:
    """Rewrite a SAM template into one that MiniStack can run.

    Parameters
    ----------
    template
        The parsed template; it is not changed.
    root
        The folder that the template's paths are relative to.
    python
        Interpreter with ``awslambdaric`` and everything that the functions import.
    logs
        Folder for one log file per function, named as the function is in the template.
    code
        Where `BOOTSTRAP`, zipped, was uploaded.
    environment
        Variables added to every function.
    """
    template = copy.deepcopy(template)
    resources: dict[str, Any] = template["Resources"]
    functions = _of_type(resources, "AWS::Serverless::Function")
    layers = _of_type(resources, "AWS::Serverless::LayerVersion")
    layer_paths = [root / layer["Properties"]["ContentUri"] / "python" for layer in layers.values()]
    for logical_id in layers:
        del resources[logical_id]
    # CloudFormation hands a mapping's numbers to a function's variables as strings; MiniStack does not.
    for mapping in template.get("Mappings", {}).values():
        for name, values in mapping.items():
            mapping[name] = {key: str(value) for key, value in values.items()}
    # MiniStack would compare the parameter's string with a number, and poll the queue no more.
    for mapping in _of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        if "ScalingConfig" in mapping["Properties"]:
            mapping["Properties"]["ScalingConfig"] = {"MaximumConcurrency": MAX_CONCURRENCY}

    # Metrics come of neither logs nor queues here: alarms would be silent, and dashboards empty. MiniStack
    # refuses those of alarms that calculate, and composite ones, besides.
    template["Parameters"]["Monitoring"]["Default"] = "none"
    # There is no TLS here, and MiniStack enforces patterns and policies.
    for parameter in template.get("Parameters", {}).values():
        parameter.pop("AllowedPattern", None)
    for logical_id, policy in _of_type(resources, "AWS::S3::BucketPolicy").items():
        document = policy["Properties"]["PolicyDocument"]
        document["Statement"] = [item for item in document["Statement"] if not _refuses_plain_http(item)]
        if not document["Statement"]:
            del resources[logical_id]

    for api_id, api in _of_type(resources, "AWS::Serverless::HttpApi").items():
        resources |= _explicit_api(api_id, api["Properties"], functions)
    for logical_id, function in functions.items():
        folder = _run_bootstrap(function, code)
        function["Properties"].setdefault("Environment", {}).setdefault("Variables", {}).update(
            environment,
            PYTHONPATH=":".join(str(path) for path in [root / folder, *layer_paths]),
            LOCAL_PYTHON=str(python),
            LOCAL_LOG=str(logs / f"{logical_id}.log"),
        )
    variables = {
        logical_id: function["Properties"]["Environment"]["Variables"]
        for logical_id, function in functions.items()
    }
    _serve_here(variables, environment["AWS_ENDPOINT_URL"])
    page.serve_here(template, environment["AWS_ENDPOINT_URL"])
    return template


def _serve_here(variables: dict[str, Any], endpoint: str) -> None:
    """Where a function is told an address of AWS's own, tell it MiniStack's."""
    variables["AuthorizeFunction"]["ISSUER_URL"] = {"Fn::Sub": f"{endpoint}/${{UserPool}}"}
    for function in ("ConnectFunction", "NotifyFunction"):
        variables[function]["LIVE_ENDPOINT"] = {"Fn::Sub": f"{endpoint}/_aws/execute-api/${{LiveApi}}/v1"}


def _of_type(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {logical_id: resource for logical_id, resource in resources.items() if resource["Type"] == kind}


def _refuses_plain_http(statement: Mapping[str, Any]) -> bool:
    refusal = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    return refusal.items() <= statement.items()


# ---- functions ---------------------------------------------------------------------------------


def _run_bootstrap(function: dict[str, Any], code: CodeLocation) -> str:
    """Turn a zip or image function into the bootstrap's; returns the folder of its source."""
    metadata = function.pop("Metadata", {})
    properties = function["Properties"]
    folder = properties.get("CodeUri") or PurePosixPath(metadata["Dockerfile"]).parent
    for key in ("PackageType", "ImageUri", "ImageConfig", "Layers"):
        properties.pop(key, None)
    properties["Runtime"] = "provided.al2023"
    properties.setdefault("Handler", IMAGE_HANDLER)
    properties["CodeUri"] = {"Bucket": code.bucket, "Key": code.key}
    return str(folder)


# ---- HTTP API ----------------------------------------------------------------------------------

# Of an HttpApi's properties, those that are its stage's.
_STAGE = ("DefaultRouteSettings", "AccessLogSettings")


def _explicit_api(api_id: str, api: Mapping[str, Any], functions: Mapping[str, Any]) -> dict[str, Any]:
    """The API's resources, and its logical id kept, so that references to it hold."""
    unknown = api.keys() - {"Description", "Auth", "CorsConfiguration", *_STAGE}
    if unknown:
        raise ValueError(f"{api_id}: cannot run these properties of an HttpApi here: {sorted(unknown)}")
    ref = {"Ref": api_id}
    properties: dict[str, Any] = {"Name": {"Ref": "AWS::StackName"}, "ProtocolType": "HTTP"}
    stage: dict[str, Any] = {"ApiId": ref, "StageName": "$default", "AutoDeploy": True}
    if "Description" in api:
        properties["Description"] = api["Description"]
    if "CorsConfiguration" in api:
        # MiniStack reads the names as its own API spells them, not as CloudFormation does.
        cors = api["CorsConfiguration"]
        properties["CorsConfiguration"] = {key[0].lower() + key[1:]: value for key, value in cors.items()}
    stage |= {name: api[name] for name in _STAGE if name in api}
    resources: dict[str, Any] = {
        api_id: {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties},
        f"{api_id}ApiGatewayDefaultStage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": stage},
    }
    auth = api.get("Auth", {})
    for name, authorizer in auth.get("Authorizers", {}).items():
        resources[f"{api_id}{name}Authorizer"] = _jwt_authorizer(ref, name, authorizer)
    for function_id, function in functions.items():
        routes = {
            f"{function_id}{event_id}Route": _route(api_id, function_id, event["Properties"], auth)
            for event_id, event in _pop_api_events(function["Properties"], ref).items()
        }
        if routes:
            # They are there where the function is.
            condition = {key: value for key, value in function.items() if key == "Condition"}
            own = routes | _integration(api_id, function_id)
            resources |= {logical_id: resource | condition for logical_id, resource in own.items()}
    return resources


def _pop_api_events(function: dict[str, Any], api_ref: Any) -> dict[str, Any]:
    events = function.get("Events", {})
    api_events = {
        event_id: event
        for event_id, event in events.items()
        if event["Type"] == "HttpApi" and event["Properties"].get("ApiId") == api_ref
    }
    for event_id in api_events:
        del events[event_id]
    return api_events


def _jwt_authorizer(api: Any, name: str, authorizer: Mapping[str, Any]) -> dict[str, Any]:
    jwt = authorizer["JwtConfiguration"]
    return {
        "Type": "AWS::ApiGatewayV2::Authorizer",
        "Properties": {
            "ApiId": api,
            "Name": name,
            "AuthorizerType": "JWT",
            "IdentitySource": [authorizer["IdentitySource"]],
            "JwtConfiguration": {"Issuer": jwt["issuer"], "Audience": jwt["audience"]},
        },
    }


def _route(
    api_id: str, function_id: str, event: Mapping[str, Any], auth: Mapping[str, Any]
) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "ApiId": {"Ref": api_id},
        "RouteKey": f"{event['Method'].upper()} {event['Path']}",
        "Target": {"Fn::Sub": f"integrations/${{{function_id}Integration}}"},
        "AuthorizationType": "NONE",
    }
    authorizer = event.get("Auth", {}).get("Authorizer", auth.get("DefaultAuthorizer", "NONE"))
    if authorizer != "NONE":
        properties |= {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": f"{api_id}{authorizer}Authorizer"}}
    return {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties}


def _integration(api_id: str, function_id: str) -> dict[str, Any]:
    source = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{api_id}}}/*"
    return {
        f"{function_id}Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": api_id},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": [function_id, "Arn"]},
                "PayloadFormatVersion": "2.0",
            },
        },
        f"{function_id}{api_id}Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": function_id},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": source},
            },
        },
    }
