"""connect: the WebSocket API's routes."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.adapters.connections import Connections, Wire, wire_client
from stempipe.adapters.storage import Storage, s3_client, stem_links
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import job_view
from stempipe.observability import logger, metrics, tracer
from stempipe.rules.live import Live
from stempipe.settings import ConnectSettings


@cache
def live() -> Live:
    """The rules, wired to AWS once per process."""
    settings = ConnectSettings.from_environment()
    storage = Storage(s3_client(settings), settings.storage_provider)
    return Live(
        jobs=Jobs.of(settings),
        connections=Connections(settings.connections_table),
        send=Wire(wire_client(settings.live_endpoint)).send,
        view=partial(job_view, link=stem_links(storage, settings)),
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one message, or forget a connection. A new one is nothing to remember until it subscribes."""
    request = event["requestContext"]
    owner, connection_id = request["authorizer"]["principalId"], request["connectionId"]
    logger.append_keys(owner=owner, connection=connection_id)
    # Not by the route: a client's message may name any of them.
    match request["eventType"]:
        case "MESSAGE":
            live().answer(owner, connection_id, event.get("body") or "")
        case "DISCONNECT":
            live().disconnected(owner, connection_id)
    return {"statusCode": 200}
