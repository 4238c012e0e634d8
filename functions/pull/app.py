"""pull: every minute, R2's notifications are taken from their Cloudflare Queue."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.adapters.cloudflare import CloudflareQueue, http_client
from stempipe.observability import logger, metrics, tracer
from stempipe.rules.intake import Intake
from stempipe.rules.pull import Puller
from stempipe.settings import PullSettings

# Seconds that a secret is used before it is looked up again.
SECRET_AGE = 300


@cache
def puller() -> Puller:
    """The rules, wired to AWS and Cloudflare once per process."""
    settings = PullSettings.from_environment()

    def token() -> str:
        secret = parameters.get_secret(settings.cloudflare_secret_arn, transform="json", max_age=SECRET_AGE)
        return str(secret["api_token"])

    return Puller(
        queue=CloudflareQueue(http_client(), settings.cloudflare_queue_url, token),
        intake=Intake.connect(settings),
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Take in what the queue holds; answer how many messages are done with and how many will come again."""
    drained = puller().drain(lambda: context.get_remaining_time_in_millis() / 1000)
    return {"done": drained.done, "again": drained.again}
