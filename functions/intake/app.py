"""intake: storage says that an object was created; the job is written and queued."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.observability import logger, metrics, tracer
from stempipe.rules.intake import Intake
from stempipe.settings import IntakeSettings


@cache
def intake() -> Intake:
    """The rules, wired to AWS once per process."""
    return Intake.connect(IntakeSettings.from_environment())


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take in every upload of an event."""
    return {"jobs": intake().take_in(event)}
