"""One request to the HTTP API, patiently; and what its refusals mean."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from stempipe_client.errors import FinalError, StempipeError, TransientError, patiently
from stempipe_client.pace import Pace

Answer = TypeVar("Answer")

_TIMEOUT = httpx.Timeout(60, connect=10)


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
    """

    def __init__(self, url: str, token: Callable[[], str], pace: Pace) -> None:
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT)
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
            The API's refusal; or `unreachable`, `unauthorized` or `api_error`.
        """

        def once() -> Answer:
            authorized = {"Authorization": f"Bearer {self._token()}"} | (headers or {})
            try:
                response = self._http.request(method, path, headers=authorized, **request)
            except httpx.RequestError as error:
                message = f"{self._http.base_url} cannot be reached: {error or type(error).__name__}"
                raise TransientError("unreachable", message) from error
            _check(response)
            try:
                return read(response.content)
            except ValidationError as error:  # a network's login page, for one
                message = f"The answer is none of Stempipe's API: {response.text[:200]}"
                raise TransientError("api_error", message) from error

        return patiently(once, self._pauses if repeatable else ())


def _check(response: httpx.Response) -> None:
    """Raise what the API says, if it does not say yes."""
    if response.is_success:
        return
    status = response.status_code
    said: Any = None
    with suppress(ValueError, RecursionError):  # a proxy's page is no JSON
        said = response.json()
    code, message = "api_error", f"The API answers {status}: {response.text[:200]}"
    if status == httpx.codes.UNAUTHORIZED or (status == httpx.codes.FORBIDDEN and said):
        code, message = "unauthorized", "The service does not accept your login. Try: stempipe login"
    kind = TransientError if status in (429, 500, 502, 503, 504) else StempipeError
    with suppress(KeyError, TypeError):  # API Gateway has words of its own
        code, message = str(said["error"]["code"]), str(said["error"]["message"])
        if status == httpx.codes.UNPROCESSABLE_ENTITY or code in ("idempotency_conflict", "job_not_found"):
            kind = FinalError
        if code == "quota_exceeded":  # which passes, but not in the seconds that it is waited here
            kind = StempipeError
            message += " What is left says: stempipe quota"
    raise kind(code, message)
