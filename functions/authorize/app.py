"""authorize: may this client connect to the WebSocket API, and who is it?"""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from stempipe.adapters.tokens import Tokens, keys_of
from stempipe.errors import Unauthorized
from stempipe.observability import logger, tracer
from stempipe.settings import AuthorizeSettings


@cache
def tokens() -> Tokens:
    """The rules, wired to the issuer once per process."""
    settings = AuthorizeSettings.from_environment()
    return Tokens(settings.jwt_issuer, settings.jwt_audiences, keys_of(settings.issuer_url))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer with a policy, and the subject of the token as the principal of every later route."""
    # A browser's WebSocket can send no header of its own: the token is in the query. Never log the event.
    token = (event.get("queryStringParameters") or {}).get("token", "")
    try:
        subject, effect = tokens().subject(token), "Allow"
    except Unauthorized as refusal:
        logger.info("Refused", reason=refusal.message)
        subject, effect = "nobody", "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": subject,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
