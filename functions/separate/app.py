"""separate: a message says that a job may be worked on; its song becomes stems."""

from __future__ import annotations

import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from media.confinement import forbid_inspection
from sound import Spleeter
from stempipe.adapters.queue import JobMessage, JobQueue, TryAgain, sqs_client
from stempipe.adapters.storage import Storage, s3_client
from stempipe.jobs.table import Jobs
from stempipe.observability import about, logger, metrics, tracer
from stempipe.rules.dispatch import Dispatch
from stempipe.rules.worker import Worker
from stempipe.settings import SeparateSettings

# Seconds before Lambda stops the worker at which it gives its job back.
MARGIN_SECONDS = 10
# Of temporary disk, which Lambda does not bill.
FREE_DISK_MB = 512

# Batches are of one: a failed record is the entire batch, and that is no reason to raise.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@cache
def settings() -> SeparateSettings:
    """This function's settings."""
    return SeparateSettings.from_environment()


@cache
def queue() -> JobQueue:
    """The jobs queue."""
    return JobQueue(sqs_client(), settings().jobs_queue_url)


@cache
def worker(memory_mb: int) -> Worker:
    """The rules, wired to AWS once per process, whose credentials are then its own alone."""
    try:
        forbid_inspection()
    except OSError as error:
        logger.warning("Other processes of this user can read this one's credentials", error=str(error))
    jobs = Jobs.of(settings())
    return Worker(
        jobs=jobs,
        storage=Storage(s3_client(settings()), settings().storage_provider),
        sound=Spleeter(settings()),
        dispatch=Dispatch.of(settings(), jobs, queue()),
        stems_bucket=settings().stems_bucket,
        lease_seconds=settings().lease_seconds,
        memory_gb=memory_mb / 1024,
        disk_gb=max(0, settings().disk_mb - FREE_DISK_MB) / 1024,
        scratch=empty_scratch(),
    )


def empty_scratch() -> Path:
    """A folder for songs in work. /tmp outlives a worker that was killed, and so does what was in it."""
    folder = Path(tempfile.gettempdir(), "stempipe")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work on each message's job; answer which messages must come back."""
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS

    def work_on(record: SQSRecord) -> None:
        message = JobMessage.model_validate_json(record.body)
        about(message.owner, message.id)
        try:
            worker(int(context.memory_limit_in_mb)).work_on(message, lambda: time.monotonic() > deadline)
        except TryAgain as again:
            queue().put_off(record.receipt_handle, again.seconds)
            raise

    answer: Any = process_partial_response(
        event=event, record_handler=work_on, processor=processor, context=context
    )
    return dict(answer)
