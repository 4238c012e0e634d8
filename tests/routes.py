"""The API's routes, as its OpenAPI document has them: a new one is tested without a word."""

from __future__ import annotations

import importlib.util
import json
from typing import Any, NamedTuple

from tests.aws import ROOT


class Route(NamedTuple):
    """A path and a verb."""

    method: str
    path: str
    operation: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_open(self) -> bool:
        """Whether it needs no token."""
        return self.operation.get("security") == [{}]


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    spec = importlib.util.spec_from_file_location("status_app_for_routes", ROOT / "functions/status/app.py")
    assert spec
    assert spec.loader
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    read: dict[str, Any] = json.loads(app.openapi_document())
    return read


def routes() -> list[Route]:
    """All routes."""
    return [
        Route(method.upper(), path, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
    ]
