"""Who the user is: a token from the environment, or Cognito's, kept and renewed."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import httpx

from stempipe_client.command.places import config_folder, read_json, write_json
from stempipe_client.command.settings import Settings
from stempipe_client.errors import StempipeError, TransientError
from stempipe_client.http import FAILURES, UNPACKED, beginning, reason
from stempipe_client.names import said

TOKEN_VARIABLE = "STEMPIPE_TOKEN"  # noqa: S105 - the name of a variable
EARLY_SECONDS = 60.0
"""A token is renewed so long before it expires."""

_MOST_BYTES = 1 << 20
_PASSING = ("TooManyRequestsException", "InternalErrorException")


@dataclass(frozen=True)
class Tokens:
    """What Cognito gave. `expires_at` is of the access token, in seconds of the Unix epoch."""

    access: str
    refresh: str | None
    expires_at: float


@dataclass(frozen=True)
class Challenge:
    """Cognito wants something more before it gives tokens. `user` is its own name for the user."""

    name: str
    session: str
    user: str | None = None


class Cognito:
    """A client of a user pool, over plain HTTPS.

    Parameters
    ----------
    url
        Cognito's address.
    client_id
        Of the user pool's client.
    """

    def __init__(self, url: str, client_id: str) -> None:
        self._url = url
        self._client_id = client_id

    def sign_in(self, user: str, password: str) -> Tokens | Challenge:
        """Log a user in."""
        return self._initiate("USER_PASSWORD_AUTH", {"USERNAME": user, "PASSWORD": password})

    def renew(self, refresh: str) -> Tokens:
        """A new access token."""
        answer = self._initiate("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh}, refresh)
        if isinstance(answer, Challenge):
            raise StempipeError(
                "unauthorized", f"Cognito asks for {answer.name}. Log in again: stempipe login"
            )
        return answer

    def set_password(self, challenge: Challenge, user: str, password: str) -> Tokens | Challenge:
        """Answer the challenge NEW_PASSWORD_REQUIRED."""
        request = {
            "ChallengeName": challenge.name,
            "ClientId": self._client_id,
            "Session": challenge.session,
            # Not an alias, as an e-mail address is.
            "ChallengeResponses": {"USERNAME": challenge.user or user, "NEW_PASSWORD": password},
        }
        return self._outcome(self._ask("RespondToAuthChallenge", request), None)

    def _initiate(
        self, flow: str, parameters: dict[str, str], refresh: str | None = None
    ) -> Tokens | Challenge:
        request = {"AuthFlow": flow, "ClientId": self._client_id, "AuthParameters": parameters}
        return self._outcome(self._ask("InitiateAuth", request), refresh)

    def _outcome(self, answer: dict[str, Any], refresh: str | None) -> Tokens | Challenge:
        try:
            if "ChallengeName" in answer:
                user = answer.get("ChallengeParameters", {}).get("USER_ID_FOR_SRP")
                return Challenge(said(answer["ChallengeName"]), str(answer.get("Session", "")), user)
            result = answer["AuthenticationResult"]
            return Tokens(
                access=str(result["AccessToken"]),
                refresh=result.get("RefreshToken", refresh),
                expires_at=time.time() + result["ExpiresIn"],
            )
        except (ArithmeticError, AttributeError, KeyError, TypeError) as error:
            raise self._no_answer() from error

    def _ask(self, action: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = UNPACKED | {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
        }
        try:
            with httpx.stream("POST", self._url, json=request, headers=headers, timeout=20) as response:
                body = beginning(response, _MOST_BYTES)
        except FAILURES as error:
            message = f"{self._url} cannot be reached: {reason(error)}"
            raise TransientError("unreachable", message) from error
        answer: Any = None
        with suppress(ValueError, RecursionError):
            answer = json.loads(body)
        if not isinstance(answer, dict) or not answer:
            raise self._no_answer()
        if response.is_success:
            return answer
        fault = str(answer.get("__type", ""))
        message = f"Cognito refuses: {said(answer.get('message') or answer.get('Message') or fault)}"
        if response.is_server_error or fault.endswith(_PASSING):
            raise TransientError("unreachable", message)
        raise StempipeError("unauthorized", message)

    def _no_answer(self) -> TransientError:
        return TransientError("unreachable", f"What answers at {self._url} is not Cognito, or not well.")


class Session:
    """Gives a token that is good now; call it.

    Parameters
    ----------
    tokens
        Those that there are.
    renew
        Gets new ones for them.
    keep
        Is told the new ones.
    """

    def __init__(
        self,
        tokens: Tokens | None,
        renew: Callable[[Tokens | None], Tokens],
        keep: Callable[[Tokens], None] = lambda tokens: None,
    ) -> None:
        self._tokens = tokens
        self._renew = renew
        self._keep = keep
        self._lock = Lock()

    def __call__(self) -> str:
        with self._lock:
            if self._tokens is None or self._tokens.expires_at - EARLY_SECONDS < time.time():
                self._tokens = self._renew(self._tokens)
                self._keep(self._tokens)
            return self._tokens.access


def cognito(settings: Settings) -> Cognito:
    """Where users of a service log in.

    Raises
    ------
    StempipeError
        `not_configured`
    """
    if not settings.client_id or not settings.cognito_url:
        raise StempipeError(
            "not_configured",
            f"To log in, set client-id and login-url (stempipe config set ...), or put a token into"
            f" {TOKEN_VARIABLE}.",
        )
    return Cognito(settings.cognito_url, settings.client_id)


def token(settings: Settings) -> Callable[[], str]:
    """The user's token for a service, good whenever it is asked for.

    Raises
    ------
    StempipeError
        `unauthorized`: there is none; `not_configured`.
    """
    if given := os.environ.get(TOKEN_VARIABLE):
        return lambda: given
    if settings.user and settings.password:
        user, password = settings.user, settings.password
        return Session(None, lambda _: _signed_in(cognito(settings), user, password))
    tokens = kept(settings)
    if tokens is None:
        raise StempipeError("unauthorized", "You are not logged in. Try: stempipe login")
    return Session(tokens, lambda old: _renewed(settings, old), lambda new: keep(settings, new))


def _signed_in(pool: Cognito, user: str, password: str) -> Tokens:
    answer = pool.sign_in(user, password)
    if isinstance(answer, Challenge):
        raise StempipeError("unauthorized", f"Cognito asks for {answer.name}.")
    return answer


def _renewed(settings: Settings, tokens: Tokens | None) -> Tokens:
    if tokens is None or tokens.refresh is None:
        raise StempipeError("unauthorized", "Your login has expired. Try: stempipe login")
    try:
        return cognito(settings).renew(tokens.refresh)
    except StempipeError as error:
        if error.code != "unauthorized":
            raise
        raise StempipeError("unauthorized", "Your login has expired. Try: stempipe login") from error


# ---- kept logins -----------------------------------------------------------------------------------


def _file() -> Path:
    return config_folder() / "logins.json"


def kept(settings: Settings) -> Tokens | None:
    """The login of a service."""
    login = read_json(_file()).get(settings.api_url)
    try:
        return Tokens(**login) if login else None
    except TypeError:
        return None


def keep(settings: Settings, tokens: Tokens | None) -> None:
    """Keep a login, in a file for the user alone; None forgets it."""
    logins = read_json(_file())
    logins.pop(settings.api_url, None)
    write_json(_file(), logins | ({settings.api_url: asdict(tokens)} if tokens else {}))
