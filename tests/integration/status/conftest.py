"""The HTTP API, as tests ask it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from types import ModuleType
from typing import Any

import pytest

from tests.aws import Aws
from tests.integration.status.asking import Answer, Ask


@pytest.fixture
def ask(
    cloud: Aws,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Callable[[str], dict[str, Any]],
) -> Ask:
    """Asks as alice, whose token is in order, unless a test says otherwise."""
    app = load_app("status")

    def ask(
        method: str,
        path: str,
        body: Any = None,
        *,
        owner: str | None = "alice",
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        claims: dict[str, str] | None = None,
    ) -> Answer:
        event = deepcopy(sample_event("status-list-jobs"))
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = method
        event["queryStringParameters"] = query or {}
        event["headers"] |= {"content-type": content_type} | (headers or {})
        if isinstance(body, bytes):
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        elif body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if owner is None:
            del event["requestContext"]["authorizer"]
        else:
            event["requestContext"]["authorizer"]["jwt"]["claims"] |= {"sub": owner} | (claims or {})
        answer = app.handler(event, lambda_context)
        if answer["statusCode"] == 204:
            assert not answer["body"]
            return Answer(204, None)
        assert answer["headers"]["Content-Type"] == "application/json"
        return Answer(answer["statusCode"], json.loads(answer["body"]))

    return ask
