"""receive: R2's notifications, forwarded by a Cloudflare Worker to POST /v1/events/r2."""

from __future__ import annotations

import base64
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.adapters.received import ReceivedMessages
from stempipe.errors import (
    AlreadyReceived,
    BodyTooLarge,
    InternalError,
    InvalidRequest,
    JobNotFound,
    StempipeError,
    StorageRefuses,
    StorageUnavailable,
    Unauthorized,
)
from stempipe.jobs.views import ErrorView, Problem
from stempipe.observability import logger, metrics, tracer
from stempipe.rules.intake import Intake
from stempipe.rules.receive import Receiver
from stempipe.settings import ReceiveSettings

HTTP_STATUS: dict[type[StempipeError], HTTPStatus] = {
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    JobNotFound: HTTPStatus.NOT_FOUND,
    AlreadyReceived: HTTPStatus.CONFLICT,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageRefuses: HTTPStatus.SERVICE_UNAVAILABLE,
}

# Seconds that a secret is used before it is looked up again.
SECRET_AGE = 300


@cache
def receiver() -> Receiver:
    """The rules, wired to AWS once per process."""
    settings = ReceiveSettings.from_environment()
    return Receiver(
        intake=Intake.connect(settings),
        received=ReceivedMessages(settings.received_table),
        secret=lambda: str(parameters.get_secret(settings.webhook_secret_arn, max_age=SECRET_AGE)),
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request: 204 when the notification is taken in, or is of nothing to take in."""
    body = event.get("body") or ""
    try:
        content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        receiver().receive(event["headers"], content)
    except StempipeError as error:
        logger.warning("Refused", code=error.code, reason=error.message)
        return _problem(HTTP_STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR), error)
    except Exception:
        logger.exception("Unforeseen")
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, InternalError())
    return {"statusCode": HTTPStatus.NO_CONTENT}


def _problem(status: HTTPStatus, error: StempipeError) -> dict[str, Any]:
    problem = Problem(error=ErrorView(code=error.code, message=error.message))
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": problem.model_dump_json(),
    }
