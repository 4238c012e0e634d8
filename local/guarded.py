"""MiniStack behind the guard; runs in MiniStack's environment.

Signatures are checked with MiniStack's own functions: what names a key, and which service is meant, must be
read here as it is read there.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any

from ministack.app import app as ministack
from ministack.core import lambda_runtime, sigv4
from ministack.core.iam_evaluator import CredentialResolutionError, is_root_access_key, resolve_credential
from ministack.core.router import detect_service, extract_access_key_id
from ministack.services import apigateway, cloudfront, lambda_svc

from local.guard import Guard, Refused, Request

# By these two MiniStack knows its administrator, and by other names for him, which have the same secret.
ADMINISTRATOR = os.environ["AWS_ACCESS_KEY_ID"]
SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]
_LEEWAY_SECONDS = 5  # as the WebSocket's authorizer has


class MiniStackSignatures:
    """AWS's Signature Version 4, in the header or in the query, by the keys that MiniStack knows."""

    def key(self, request: Request) -> str:
        """See `Signatures`."""
        return str(extract_access_key_id(request.headers, request.query))

    def service(self, request: Request) -> str:
        """See `Signatures`."""
        return str(detect_service(request.method, request.path, request.headers, request.query))

    def needs_body(self, request: Request) -> bool:
        """See `Signatures`."""
        # S3's requests name the hash of the body in the head, or say that they are not signed with it.
        return _in_header(request) and "x-amz-content-sha256" not in request.headers

    def has_page(self, label: str) -> bool:
        """See `Signatures`."""
        return cloudfront.find_distribution_for_label(label) is not None

    def check(self, request: Request, body: bytes) -> None:
        """See `Signatures`; that the body has the hash which a signed head names is not checked."""
        if _in_header(request):
            signature = sigv4.parse_header_signature(request.headers)
            token = request.headers.get("x-amz-security-token", "")
        else:
            signature = sigv4.parse_query_signature(request.query)
            token = request.query.get("X-Amz-Security-Token", [""])[0]
        if not isinstance(signature, sigv4.HeaderSignature) or signature.region_set is not None:
            raise Refused("The request is not signed by Signature Version 4.")
        key = signature.access_key_id
        if key != self.key(request):
            raise Refused("The request names more than one access key.")
        if key != ADMINISTRATOR and is_root_access_key(key):
            raise Refused(f"The access key {key!r} is not this cloud's. `make local` prints the one that is.")
        credential = resolve_credential(key, session_token=token)
        if isinstance(credential, CredentialResolutionError):
            raise Refused(f"The access key {key!r}: {credential.message}")
        if failure := _too_late(request, signature) or sigv4.header_signature_failure(
            signature,
            credential.secret_access_key,
            request.method,
            request.raw_path,
            request.query,
            request.headers,
            body,
            presigned=not _in_header(request),
        ):
            raise Refused(failure[1])


def _in_header(request: Request) -> bool:
    return request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")


def _too_late(request: Request, signature: sigv4.HeaderSignature) -> tuple[str, str] | None:
    if _in_header(request):
        failure: tuple[str, str] | None = sigv4.request_time_failure(signature)
        return failure
    try:
        seconds = request.query.get("X-Amz-Expires", ["0"])[0]
        expired = sigv4.presigned_request_is_expired(signature.amz_date, seconds)
    except ValueError:
        expired = True
    return ("AccessDenied", "The signature has expired.") if expired else None


def _function_keys(config: dict[str, Any]) -> dict[str, str]:
    """The keys of a function: MiniStack makes them of its name and its role's, which everybody can do."""
    path, _, role = config.get("Role", "").rpartition("/")
    keys: dict[str, str] = _made_of_names(config | {"Role": f"{path}/{SECRET}/{role}"})
    return keys


async def _with_leeway(route: Any, authorizer: Any, headers: Any, query: Any) -> Any:
    """Have a token of a clock a little ahead wait for its time: API Gateway takes it, MiniStack does not."""
    answer = await _without_leeway(route, authorizer, headers, query)
    refusal = answer[2]
    if refusal:
        token = apigateway._extract_token_from_identity_source(
            authorizer.get("identitySource", []), headers, query
        )
        ahead = _seconds_ahead(token or "")
        if 0 < ahead <= _LEEWAY_SECONDS:
            await asyncio.sleep(ahead)
            answer = await _without_leeway(route, authorizer, headers, query)
    return answer


def _seconds_ahead(token: str) -> float:
    try:
        claims = json.loads(apigateway._b64url_decode(token.split(".")[1]))
        return max(int(claims.get(name, 0)) for name in ("iat", "nbf")) - time.time()
    except (LookupError, ValueError, TypeError, AttributeError):
        return 0.0  # no token


def _from_the_first(positions: Any, kept: Any) -> None:
    """Have functions read tables' streams from the first change after a start.

    MiniStack keeps how far they had read, and not what they read: they would miss as many changes.
    """
    _as_kept(positions, kept)
    if positions is lambda_svc._dynamodb_stream_positions:
        positions._data.update(dict.fromkeys(positions._data, 0))


_made_of_names = lambda_runtime.execution_credentials
for caller in (lambda_runtime, lambda_svc):  # the latter has it by a name of its own
    caller.execution_credentials = _function_keys

_without_leeway = apigateway._validate_jwt_authorizer
apigateway._validate_jwt_authorizer = _with_leeway

_as_kept = lambda_svc._restore_esm_positions
lambda_svc._restore_esm_positions = _from_the_first

app = Guard(ministack, MiniStackSignatures(), os.environ["GUARD_NAMES"].split())
