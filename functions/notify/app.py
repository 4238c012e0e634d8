"""notify: jobs have changed; those who watch are told, and webhooks are put on their way."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.adapters.connections import Connections, Wire, wire_client
from stempipe.adapters.queue import AsideQueue, WebhookQueue, sqs_client
from stempipe.adapters.storage import Storage, s3_client, stem_links
from stempipe.jobs.views import job_view
from stempipe.observability import logger, metrics, tracer
from stempipe.rules.notify import Notifier
from stempipe.settings import NotifySettings


@cache
def notifier() -> Notifier:
    """The rules, wired to AWS once per process."""
    settings = NotifySettings.from_environment()
    sqs = sqs_client()
    storage = Storage(s3_client(settings), settings.storage_provider)
    return Notifier(
        connections=Connections(settings.connections_table),
        send=Wire(wire_client(settings.live_endpoint)).send,
        view=partial(job_view, link=stem_links(storage, settings)),
        webhooks=WebhookQueue(sqs, settings.webhooks_queue_url),
        aside=AsideQueue(sqs, settings.notify_dead_letter_queue_url),
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Tell of a batch of changes. If it raises, the batch comes again."""
    notifier().tell_records(event["Records"])
