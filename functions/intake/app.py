"""intake: storage says that an object was created; the job is written and queued."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.intake import Intake
from stempipe.jobs import Jobs
from stempipe.observability import logger, metrics, tracer
from stempipe.queue import JobQueue, sqs_client
from stempipe.settings import IntakeSettings
from stempipe.storage import Storage, s3_client


@cache
def intake() -> Intake:
    """The rules, wired to AWS once per process."""
    settings = IntakeSettings.from_environment()
    return Intake(
        jobs=Jobs.of(settings),
        storage=Storage(s3_client(settings), settings.storage_provider),
        queue=JobQueue(sqs_client(), settings.jobs_queue_url),
        settings=settings,
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take in every upload of an event."""
    return {"jobs": intake().take_in(event)}
