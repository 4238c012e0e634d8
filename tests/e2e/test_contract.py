"""The API keeps to its OpenAPI document, whatever is sent to it.

Schemathesis makes requests of the document: valid ones, which must be answered as the document says, and
broken ones, which must be refused.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance, unsupported_method

from local.cloud import Deployment
from tests.routes import document

schema = schemathesis.openapi.from_dict(document())

# Why a request that the schema allows may be refused all the same: what a schema cannot say.
ONLY_THE_API_KNOWS = {"empty_file", "too_large", "invalid_config"}
# The last is of 5.0, which is an integer to JSON Schema and none to the API.
ONLY_THE_API_CHECKS = (
    *("cursor: ", "filename: ", "config.", "callbackUrl: ", "callbackSecret: "),
    *("body.size: Input should be a valid integer", "body.midi.size: Input should be a valid integer"),
    "body.stems",  # which names there may be, and no two alike
)


@pytest.fixture(scope="module")
def token(cloud: Deployment) -> str:
    """Somebody's who has no jobs but those made here."""
    return cloud.token("tester@example.com")


@schema.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_is_answered_as_documented(case: Any, cloud: Deployment, token: str) -> None:
    answer = case.call(base_url=cloud.api_url, headers={"Authorization": f"Bearer {token}"})
    known = answer.status_code in (413, 422) and is_known(answer.json()["error"])
    # API Gateway answers 404, not 405, where there is no such route.
    excluded = [unsupported_method, *([positive_data_acceptance] if known else [])]
    case.validate_response(answer, excluded_checks=excluded)


def is_known(error: dict[str, str]) -> bool:
    # One known reason is enough to refuse it, whatever else is said.
    return error["code"] in ONLY_THE_API_KNOWS or any(
        reason.startswith(ONLY_THE_API_CHECKS) for reason in error["message"].split("; ")
    )
