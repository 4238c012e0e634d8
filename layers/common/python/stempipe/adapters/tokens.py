"""Tokens of WebSocket clients: what API Gateway checks of a JWT at the HTTP API's door, checked by us.

A WebSocket API has no authorizer for JWTs of its own. The rules are those of the HTTP API's, so that a token
which opens one opens the other. Needs PyJWT, which no function but authorize has.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Collection, Mapping
from typing import Any

import jwt

from stempipe.errors import Unauthorized

_TIMEOUT_SECONDS = 3
_KEYS_LIFESPAN_SECONDS = 3600
# The issuer's clock may be ahead of ours: a token that was made just now is good already.
_LEEWAY_SECONDS = 5


def keys_of(issuer_url: str) -> jwt.PyJWKClient:
    """An issuer's signing keys, by OpenID Connect discovery; they are fetched when needed, and then kept."""
    url = f"{issuer_url.rstrip('/')}/.well-known/openid-configuration"
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - the operator's
        configuration = json.load(response)
    return jwt.PyJWKClient(
        configuration["jwks_uri"], lifespan=_KEYS_LIFESPAN_SECONDS, timeout=_TIMEOUT_SECONDS
    )


class Tokens:
    """Checks tokens.

    Parameters
    ----------
    issuer, audiences
        What a token must name: the one, and any of the others. As with API Gateway, a ``client_id`` serves in
        place of an audience: Cognito's access tokens have no other.
    keys
        The issuer's.
    """

    def __init__(self, issuer: str, audiences: Collection[str], keys: jwt.PyJWKClient) -> None:
        self._issuer = issuer
        self._audiences = tuple(audiences)
        self._keys = keys

    def subject(self, token: str) -> str:
        """Whose token it is.

        Raises
        ------
        Unauthorized
            It is not to be trusted, or names nobody.
        jwt.PyJWKClientConnectionError
            The issuer's keys cannot be had now.
        """
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                # Spelled out: by the token's own word, "none" and an HMAC with the public key would do.
                algorithms=["RS256"],
                issuer=self._issuer,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
                leeway=_LEEWAY_SECONDS,
            )
        except jwt.PyJWKClientConnectionError:
            raise
        except jwt.PyJWTError as fault:
            raise Unauthorized("The token is not one that opens this API.") from fault
        # API Gateway has no leeway for the end, and a token is not good for longer here than there.
        if int(claims["exp"]) <= time.time():
            raise Unauthorized("The token has expired. Get another one.")
        if not any(audience in self._audiences for audience in _audiences(claims)):
            raise Unauthorized("The token is for another audience.")
        # Cognito's ID tokens may have the audience of its access tokens.
        if claims.get("token_use", "access") != "access":
            raise Unauthorized("Send an access token.")
        if not claims["sub"]:
            raise Unauthorized("The token names nobody.")
        return str(claims["sub"])


def _audiences(claims: Mapping[str, Any]) -> list[Any]:
    audience = claims.get("aud", claims.get("client_id"))
    return audience if isinstance(audience, list) else [audience]
