"""One request to the HTTP API, patiently; and what its refusals mean."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from stempipe_client.errors import FinalError, StempipeError, TransientError, patiently
from stempipe_client.http import FAILURES, UNPACKED, beginning, reason
from stempipe_client.names import said
from stempipe_client.pace import Pace

Answer = TypeVar("Answer")

_TIMEOUT = httpx.Timeout(60, connect=10)
MOST_BYTES = 8 << 20
"""Of an answer. A function of AWS answers with 6 MB at most."""


class Api:
    """The HTTP API, as a user. Threads may share one.

    Parameters
    ----------
    url
        Its base address.
    token
        Gives the user's access token, good now.
    pace
        How patient it is.

    Raises
    ------
    StempipeError
        `not_configured`: that is no address.
    """

    def __init__(self, url: str, token: Callable[[], str], pace: Pace) -> None:
        try:
            self._http = httpx.Client(base_url=url, timeout=_TIMEOUT)
            _ = self._http.base_url.host
        except (httpx.InvalidURL, ValueError) as error:
            raise StempipeError("not_configured", f"{url} is no address: {reason(error)}") from error
        self._token = token
        self._pauses = pace.pauses

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], Answer],
        *,
        repeatable: bool = True,
        headers: dict[str, str] | None = None,
        **request: Any,
    ) -> Answer:
        """Ask, and again while it fails in passing.

        Parameters
        ----------
        read
            Makes the result of an answer's body; a `ValidationError` says that it is none of this API.
        repeatable
            Whether nothing is done twice if it is asked again.

        Raises
        ------
        StempipeError
            The API's refusal; or `unreachable`, `unauthorized`, `api_error` or `answer_too_long`.
        """

        def once() -> Answer:
            token = self._token()
            try:
                all_headers = UNPACKED | {"Authorization": f"Bearer {token}"} | (headers or {})
                with self._http.stream(method, path, headers=all_headers, **request) as response:
                    body = beginning(response, MOST_BYTES + 1)
            except FAILURES as error:
                message = f"{self._http.base_url} cannot be reached: {reason(error)}"
                raise TransientError("unreachable", message) from error
            if len(body) > MOST_BYTES:
                message = f"The API answers with more than {MOST_BYTES:,} bytes, which no answer of it has."
                raise StempipeError("answer_too_long", message)
            _check(response, body)
            try:
                return read(body)
            except ValidationError as error:  # a network's login page, for one
                message = f"The answer is none of Stempipe's API: {_text(body)}"
                raise TransientError("api_error", message) from error

        return patiently(once, self._pauses if repeatable else ())


def _check(response: httpx.Response, body: bytes) -> None:
    """Raise what the API says, if it does not say yes."""
    if response.is_success:
        return
    status = response.status_code
    answer: Any = None
    with suppress(ValueError, RecursionError):  # a proxy's page is no JSON
        answer = json.loads(body)
    code, message = "api_error", f"The API answers {status}: {_text(body)}"
    if status == httpx.codes.UNAUTHORIZED or (status == httpx.codes.FORBIDDEN and answer):
        code, message = "unauthorized", "The service does not accept your login. Try: stempipe login"
    kind = TransientError if status in (429, 500, 502, 503, 504) else StempipeError
    with suppress(KeyError, TypeError):  # API Gateway has words of its own
        code, message = said(answer["error"]["code"]), said(answer["error"]["message"])
        if status == httpx.codes.UNPROCESSABLE_ENTITY or code in ("idempotency_conflict", "job_not_found"):
            kind = FinalError
        if code == "quota_exceeded":  # which passes, but not in the seconds that it is waited here
            kind = StempipeError
            message += " What is left says: stempipe quota"
    raise kind(code, message)


def _text(body: bytes) -> str:
    return body[:200].decode(errors="replace")
