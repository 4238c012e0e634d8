"""The template, parsed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.template import Template, load


@pytest.fixture(scope="session")
def template(root: Path) -> Template:
    """The template in its long form."""
    return load(root / "template.yaml")


@pytest.fixture(scope="session")
def resources(template: Template) -> dict[str, Any]:
    """Its resources."""
    resources: dict[str, Any] = template["Resources"]
    return resources
