"""sweep: by the clock, what was left behind is put right; on request, dead letters go round again."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from stempipe.adapters.queue import HELD_SECONDS, DeadLetters, JobQueue, sqs_client
from stempipe.adapters.storage import Storage, s3_client
from stempipe.jobs.table import Jobs
from stempipe.observability import logger, metrics, tracer
from stempipe.rules.dispatch import Dispatch
from stempipe.rules.intake import Intake
from stempipe.rules.sweep import Sweep
from stempipe.settings import SweepSettings


class Request(BaseModel):
    """What the schedule or an operator asks for."""

    sweep: Literal["jobs", "objects", "redrive"]


# What one sweep does not find, the next one finds. A redrive is to find all, those included that a sweep has
# just looked at.
PATIENCE_SECONDS = HELD_SECONDS + 2


@cache
def sweep(wait_seconds: int = 0) -> Sweep:
    """The rules, wired to AWS once per process; they wait so long for dead letters."""
    settings = SweepSettings.from_environment()
    jobs = Jobs.of(settings)
    storage = Storage(s3_client(settings), settings.storage_provider)
    sqs = sqs_client(wait_seconds)
    return Sweep(
        jobs=jobs,
        storage=storage,
        intake=Intake(
            jobs, storage, Dispatch.of(settings, jobs, JobQueue(sqs, settings.jobs_queue_url)), settings
        ),
        dead_jobs=DeadLetters(sqs, settings.jobs_dead_letter_queue_url, wait_seconds),
        dead_uploads=DeadLetters(sqs, settings.intake_dead_letter_queue_url, wait_seconds),
        uploads_bucket=settings.uploads_bucket,
        stems_bucket=settings.stems_bucket,
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Do what is asked for; answer what was done how often."""

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    match Request.model_validate(event).sweep:
        case "jobs":
            return sweep().sweep_jobs(seconds_left)
        case "objects":
            return sweep().sweep_objects(seconds_left)
        case "redrive":
            return sweep(PATIENCE_SECONDS).redrive()
