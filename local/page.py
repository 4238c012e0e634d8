"""The page on this machine: where it is, what it is told, and its files.

MiniStack serves a distribution as a host of its own, ``<label>.cloudfront.localhost``, which browsers look
for on this machine, and trust as they trust https. Its login, APIs and storage are all at one address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from web.publish import PublishError, put

Template = dict[str, Any]

# Where `make web-dev` serves the page.
DEVELOPERS = "http://localhost:5173"
# For it, in the state folder.
CONFIG = "config.json"

_ADDRESS = "https://${PageDistribution.DomainName}"


def serve_here(template: Template, endpoint: str) -> None:
    """Have the template's page answer on this machine, by plain HTTP, and call what is here."""
    host, port = endpoint.removeprefix("http://").split(":")
    resources = template["Resources"]
    behavior = resources["PageDistribution"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]
    behavior["ViewerProtocolPolicy"] = "allow-all"
    security = resources["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    directives = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Join"][1]
    (calls,) = (place for place, item in enumerate(directives) if isinstance(item, dict))
    directives[calls] = f"connect-src 'self' {endpoint} ws://{host}:{port}"
    client = resources["PageClient"]["Properties"]
    for addresses in ("CallbackURLs", "LogoutURLs"):
        client[addresses] = [*client[addresses], f"{DEVELOPERS}/"]
    for section in ("Resources", "Outputs"):
        template[section] = _at_home(template[section], port)


def _at_home(item: Any, port: str) -> Any:
    """The same with the distribution's address as it is here."""
    if isinstance(item, list):
        return [_at_home(part, port) for part in item]
    if not isinstance(item, dict):
        return item
    text = item.get("Fn::Sub")
    if isinstance(text, str) and text.startswith(_ADDRESS):
        # MiniStack's name for it ends as AWS's does.
        name = {"Fn::Split": [".", {"Fn::GetAtt": ["PageDistribution", "DomainName"]}]}
        address = f"http://${{Label}}.cloudfront.localhost:{port}{text.removeprefix(_ADDRESS)}"
        return {"Fn::Sub": [address, {"Label": {"Fn::Select": [0, name]}}]}
    return {key: _at_home(value, port) for key, value in item.items()}


def publish(s3: Any, outputs: Mapping[str, str], endpoint: str, state: Path, **here: Any) -> bool:
    """Put the built page into its bucket, and its configuration into the state folder, too.

    Parameters
    ----------
    outputs
        The stack's.
    endpoint
        Of everything else.
    state
        The folder.
    here
        Of its configuration, what is otherwise than the stack says.

    Returns
    -------
    bool
        Whether there is one: it is not built where npm's packages cannot be had.
    """
    config = json.loads(outputs["PageConfig"]) | here
    if login := config["login"]:
        pool = f"{endpoint}/{outputs['UserPoolId']}"
        login |= {"discovery": f"{pool}/.well-known/openid-configuration", "signOut": f"{endpoint}/logout"}
    kept = state / CONFIG
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(config))
    try:
        put(s3, outputs["PageBucket"], config)
    except PublishError:
        return False
    return True
