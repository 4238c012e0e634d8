"""intake: storage says that an object was created; the job is written and queued."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from stempipe.errors import StempipeError
from stempipe.intake import Intake
from stempipe.jobs import Jobs
from stempipe.observability import MetricUnit, logger, metrics, tracer
from stempipe.queue import JobQueue, sqs_client
from stempipe.settings import IntakeSettings
from stempipe.storage import Storage, s3_client
from stempipe.uploads import read_record, split_event


@cache
def intake() -> Intake:
    """The rules, wired to AWS once per process."""
    settings = IntakeSettings.from_environment()
    return Intake(
        jobs=Jobs(settings.jobs_table, retention_days=settings.retention_days),
        storage=Storage(s3_client(settings), settings.storage_provider),
        queue=JobQueue(sqs_client(), settings.jobs_queue_url),
        settings=settings,
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take in every upload of an event."""
    return {"jobs": take_in(event, intake())}


def take_in(event: dict[str, Any], rules: Intake) -> list[dict[str, str]]:
    """Each record by itself: one that is no good is logged, and the others go on.

    Raises
    ------
    ExceptionGroup
        Trying some of them again can help. Lambda then sends the whole event again: what was taken
        in stays so.
    """
    jobs, faults = [], []
    for record in split_event(event):
        try:
            if (upload := read_record(record)) and (job := rules.take(upload)):
                logger.info("Taken in", owner=job.owner, job_id=job.id, status=job.status)
                metrics.add_metric("UploadsTakenIn", MetricUnit.Count, 1)
                jobs.append({"owner": job.owner, "id": job.id, "status": job.status})
        except ValidationError:
            logger.exception("Not a record of a storage event")
            metrics.add_metric("RecordsUnreadable", MetricUnit.Count, 1)
        except Exception as fault:
            if isinstance(fault, StempipeError) and not fault.retryable:
                logger.warning("Not taken in", code=fault.code, reason=fault.message)
                continue
            logger.exception("Not taken in; the event should come again")
            faults.append(fault)
    if faults:
        raise ExceptionGroup("records to be tried again", faults)
    return jobs
