"""Who may talk to the local cloud: an ASGI application that stands before MiniStack's.

MiniStack is made for a machine where everybody is trusted: it answers every web page, and whoever names no
key, the key ``test`` or an account's number is its administrator, who may have any code run. Here a request
needs

- a Host of this machine: with another, a page of the Internet has had its name resolved to this machine;
- no Origin, or one of this machine: browsers send that of the page that asks;
- the signature of a key that this cloud gave out, but for the few things that AWS takes unsigned as well.

Stempipe's own page has a host of its own, its distribution's, and so an Origin of its own. At that host are
its files, and nothing else; and it may call what a page needs: the APIs, links and forms that were signed for
it, and the login's keys and tokens.

What a key may do is MiniStack's to say, by IAM's policies.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HEALTH = "/_ministack/health"
# MiniStack's own doors, where it asks nobody who he is: its state is deleted there, and its settings changed.
INTERNAL = ("/_ministack/", "/_localstack/")
# Which of several decides is not left to whoever comes after.
ONCE = (
    "host",
    "origin",
    "authorization",
    "content-type",
    "x-amz-date",
    "x-amz-target",
    "x-amz-security-token",
)
# By name and password, or a token. Not the answers to challenges: MiniStack takes those of whoever says that
# he was challenged, and nobody here is, since the users' passwords are their own from the beginning.
LOGIN = ("AWSCognitoIdentityProviderService.InitiateAuth",)

# Of the page: a file by its name, in the build's folders. MiniStack's other doors have no such names.
_FILE = re.compile(r"/|/(?:assets/|fonts/|song/)?[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+")
_PAGE = re.compile(r"([a-z0-9]+)\.cloudfront\.localhost(?::[0-9]{1,5})?")
# A browser asks for it beside each page that names none, as MiniStack's login does.
_ICON = "/favicon.ico"
# Where a person signs in and out, and a page gets its tokens.
_LOGIN_PAGES = ("/oauth2/authorize", "/logout")
_LOGIN_FORMS = ("/login", "/oauth2/token")
_API = re.compile(r"/_aws/execute-api/[a-z0-9]+/")
_ISSUER = re.compile(r"/[a-z0-9-]+_[A-Za-z0-9]+/\.well-known/(jwks\.json|openid-configuration)")
_BUCKET = re.compile(r"/[a-z0-9.-]{3,63}/?")

_log = logging.getLogger(__name__)


class Refused(Exception):
    """The message says why, and what to do."""


@dataclass(frozen=True)
class Request:
    """The head of a request.

    Attributes
    ----------
    raw_path
        The path as it was sent; ``path`` is decoded.
    headers
        Their names in lower case; values of the same name are joined by a comma.
    """

    method: str
    raw_path: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, scope: Scope) -> Request:
        """Read the head.

        Raises
        ------
        Refused
            It can be read in more than one way.
        """
        headers: dict[str, str] = {}
        for raw, value in scope["headers"]:
            name, text = raw.decode("latin-1").lower(), _text(value)
            if name in headers and name in ONCE:
                raise Refused(f"There is more than one header {name}.")
            headers[name] = f"{headers[name]},{text}" if name in headers else text
        raw_path = scope["raw_path"].decode("latin-1")
        if not raw_path.startswith("/"):
            raise Refused("The target of a request must be a path.")
        query = parse_qs(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)
        return cls(scope.get("method", "GET"), raw_path, scope["path"], query, headers)


class Signatures(Protocol):
    """What the cloud behind the guard knows of signatures."""

    def key(self, request: Request) -> str:
        """The access key that a request names; empty if it is not signed."""

    def service(self, request: Request) -> str:
        """The service that a request is for."""

    def needs_body(self, request: Request) -> bool:
        """Whether the signature can be checked only with the body."""

    def check(self, request: Request, body: bytes) -> None:
        """Raise `Refused` unless the key was given out here, and signed this request."""

    def has_page(self, label: str) -> bool:
        """Whether a page is served by a distribution of this label."""


class Guard:
    """Hands on to an application what may pass, and refuses the rest with status 403; there is no icon, 204.

    Parameters
    ----------
    app
        The application.
    signatures
        Checks keys.
    names
        Names of this machine besides loopback's, by which the application may be called.
    """

    def __init__(self, app: App, signatures: Signatures, names: Collection[str] = ()) -> None:
        self._app = app
        self._signatures = signatures
        self._hosts = (*LOOPBACK, *names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] != "lifespan":
            try:
                receive = await self._admitted(scope, receive)
            except Refused as refusal:
                if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == _ICON:
                    await send({"type": "http.response.start", "status": 204, "headers": []})
                    await send({"type": "http.response.body", "body": b""})
                    return
                _log.warning("Refused %r: %s", scope["path"], refusal)
                await _refuse(scope, receive, send, str(refusal))
                return
        await self._app(scope, receive, send)

    async def _admitted(self, scope: Scope, receive: Receive) -> Receive:
        """Raise `Refused`, or return what gives the request's body."""
        request = Request.of(scope)
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if self._is_page(host):
            is_unsigned = scope["type"] == "http" and not self._signatures.key(request)
            if is_unsigned and _is_file(request) and origin in (None, f"http://{host}"):
                return receive
            raise Refused("Here are the page's files, to read, and nothing else.")
        if not _is_at(self._hosts, host):
            raise Refused(f"This cloud answers as {' or '.join(self._hosts)}, not as {host!r}.")
        if origin is not None:
            self._check_origin(scope["type"], request, origin)
        if request.path.startswith(INTERNAL) and request.path != HEALTH:
            raise Refused("This is closed here: stop the cloud, and delete its state folder, to begin anew.")
        if self._signatures.key(request):
            body = b""
            if scope["type"] == "http" and self._signatures.needs_body(request):
                body = await _read(receive)
                receive = _again(body, receive)
            self._signatures.check(request, body)
        elif not self._is_open(scope["type"], request):
            raise Refused("Sign the request, with the key that `make local` prints.")
        return receive

    def _check_origin(self, kind: str, request: Request, origin: str) -> None:
        scheme, _, authority = origin.partition("://")
        if scheme == "http" and _is_at(LOOPBACK, authority):
            return
        # The page that is served here: by the port at which it asks.
        if not (
            scheme == "http"
            and self._is_page(authority)
            and _port(authority) == _port(request.headers["host"])
        ):
            raise Refused(
                f"A page of {origin!r} may not call this cloud. One of http://localhost may, on any port."
            )
        has_link = request.method == "GET" and "X-Amz-Signature" in request.query
        if "x-amz-target" in request.headers or not (has_link or self._is_open(kind, request)):
            raise Refused("The page may not ask for this.")

    def _is_page(self, authority: str) -> bool:
        """Whether an authority is that of a distribution of this cloud."""
        named = _PAGE.fullmatch(authority)
        return bool(named and self._signatures.has_page(named[1]))

    def _is_open(self, kind: str, request: Request) -> bool:
        """Whether a request needs no signature: what it needs, if anything, is checked behind."""
        method, path, headers = request.method, request.path, request.headers
        # Which service it is for MiniStack takes from this header, whatever the path.
        if "x-amz-target" in headers and (method, path) != ("POST", "/"):
            return False
        # The APIs, but for the part by which functions write to connections.
        if _API.match(path) and "/@connections/" not in path:
            return True
        if kind == "websocket":
            return False
        if method == "OPTIONS":  # what a browser asks before it asks
            return "origin" in headers and "access-control-request-method" in headers
        if method == "GET":
            is_issuer = bool(_ISSUER.fullmatch(path)) and not request.query
            return is_issuer or path in (HEALTH, *_LOGIN_PAGES)
        if method != "POST" or request.query:
            return False
        if "x-amz-target" in headers:
            return headers["x-amz-target"] in LOGIN
        if path in _LOGIN_FORMS:
            return True
        # An upload's form, which has its signature in it.
        is_form = headers.get("content-type", "").startswith("multipart/form-data")
        return is_form and bool(_BUCKET.fullmatch(path)) and self._signatures.service(request) == "s3"


def _is_file(request: Request) -> bool:
    return request.method in ("GET", "HEAD") and bool(_FILE.fullmatch(request.path))


def _port(authority: str) -> str:
    return re.search(r"(?::([0-9]+))?$", authority)[1] or "80"  # type: ignore[index]


def _text(value: bytes) -> str:
    """A header's value, as it was before it was signed: in UTF-8, if it is that."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _is_at(hosts: Collection[str], authority: str) -> bool:
    """Whether an authority is one of the hosts, with any port: that of a proxy before this is another one."""
    return bool(re.fullmatch(rf"(?:{'|'.join(map(re.escape, hosts))})(?::[0-9]{{1,5}})?", authority, re.I))


async def _read(receive: Receive) -> bytes:
    chunks, more = [], True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused("The request ended too early.")
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read, and then what comes after it."""
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


async def _refuse(scope: Scope, receive: Receive, send: Send, message: str) -> None:
    prefix = "http"
    if scope["type"] == "websocket":
        await receive()  # the handshake, which is answered with a response like any other
        prefix = "websocket.http"
    content_type, body = _answer(dict(scope["headers"]), message)
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    await send({"type": f"{prefix}.response.start", "status": 403, "headers": headers})
    await send({"type": f"{prefix}.response.body", "body": body})


def _answer(headers: Mapping[bytes, bytes], message: str) -> tuple[bytes, bytes]:
    """Content type and body, as the one who asks can read them."""
    signed = headers.get(b"authorization", b"").startswith(b"AWS4-")
    if signed and b"x-amz-target" not in headers:  # one of AWS's older services, S3 among them
        error = f"<Error><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
        return b"text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode()
    return b"application/json", json.dumps({"message": message}).encode()
