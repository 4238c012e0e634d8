"""webhook: a job has ended; its callback is told."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.adapters.outbound import Outbound
from stempipe.adapters.queue import TryAgain, WebhookMessage, WebhookQueue, sqs_client
from stempipe.adapters.storage import Storage, s3_client, stem_links
from stempipe.adapters.turns import Turns
from stempipe.adapters.vault import Vault, kms_client
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import job_view
from stempipe.observability import about, logger, metrics, tracer
from stempipe.rules.webhooks import Deliverer
from stempipe.settings import WebhookSettings

# Batches are of one, so that nobody waits for another's slow receiver.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@cache
def settings() -> WebhookSettings:
    """This function's settings."""
    return WebhookSettings.from_environment()


@cache
def queue() -> WebhookQueue:
    """The webhooks queue."""
    return WebhookQueue(sqs_client(), settings().webhooks_queue_url)


@cache
def deliverer() -> Deliverer:
    """The rules, wired to AWS once per process."""
    storage = Storage(s3_client(settings()), settings().storage_provider)
    return Deliverer(
        jobs=Jobs.of(settings()),
        view=partial(job_view, link=stem_links(storage, settings())),
        vault=Vault(kms_client(), settings().callback_key_id),
        outbound=Outbound(settings().webhook_allowed_hosts),
        retry_seconds=settings().webhook_retry_seconds,
        given_up=WebhookQueue(sqs_client(), settings().webhooks_dead_letter_queue_url),
        turns=Turns(settings().turns_table, time.time),
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Deliver each message; answer which must come back."""

    def deliver(record: SQSRecord) -> None:
        message = WebhookMessage.model_validate_json(record.body)
        about(message.owner, message.id)
        try:
            deliverer().deliver(message)
        except TryAgain as again:
            queue().put_off(record.receipt_handle, again.seconds)
            raise

    answer: Any = process_partial_response(
        event=event, record_handler=deliver, processor=processor, context=context
    )
    return dict(answer)
