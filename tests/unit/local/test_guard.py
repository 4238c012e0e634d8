"""Which requests the guard hands on: by where they come from, and by whether they need a signature."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from local.guard import ONCE, Guard, Message, Receive, Refused, Request, Scope, Send

HERE = ("host", "127.0.0.1:4566")
API = "/_aws/execute-api/0a1b2c3d/$default/v1/jobs"
FORM = ("content-type", "multipart/form-data; boundary=x")
TARGET = "x-amz-target"


class Signed:
    """Who has the right word signs rightly."""

    def key(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer")

    def service(self, request: Request) -> str:
        return "s3" if "uploads" in request.path else "another"

    def needs_body(self, request: Request) -> bool:
        return "x-amz-content-sha256" not in request.headers

    def has_page(self, label: str) -> bool:
        return label == "d111"

    def check(self, request: Request, body: bytes) -> None:
        if request.headers["authorization"] != "right" or (self.needs_body(request) and body != b"ab"):
            raise Refused("wrong")


def ask(
    *headers: tuple[str, str],
    method: str = "GET",
    path: str = API,
    query: str = "",
    kind: str = "http",
    names: Sequence[str] = (),
) -> tuple[int, Any]:
    """Send a request with a body in two parts; returns status and answer: 200, and the body's parts there."""
    sent: list[Message] = []
    parts: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b"},
    ]
    handshake: Message = {"type": "websocket.connect"}
    unread = iter(parts if kind == "http" else [handshake])

    async def receive() -> Message:
        return next(unread)

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got: list[Message] = []
        while not got or got[-1].get("more_body"):
            got.append(await receive())
        await send({"status": 200})
        await send({"body": json.dumps([part.get("body", b"").decode() for part in got]).encode()})

    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    asyncio.run(Guard(app, Signed(), names)(scope, receive, send))
    start, body = sent
    assert start["status"] in (200, 204, 403)
    return start["status"], json.loads(body["body"] or "null")


def test_there_is_no_icon_and_nothing_is_wrong_about_that() -> None:
    assert ask(("host", "127.0.0.1:4566"), path="/favicon.ico") == (204, None)
    assert ask(("host", "127.0.0.1:4566"), path="/favicon.ico", method="POST")[0] == 403
    assert ask(("host", "127.0.0.1:4566"), path="/favicon.ico/more")[0] == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4566", "127.0.0.1", "localhost:4566", "LocalHost:1", "[::1]:4566", "[::1]"]
)
def test_a_host_of_this_machine_may_be_named_with_any_port(host: str) -> None:
    assert ask(("host", host))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4566",
        "127.0.0.1.evil.example",
        "evil.example.localhost",
        "localhost.",
        "localhost.:4566",
        "127.0.0.1:4566:4566",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1 ",
        "x@127.0.0.1",
        "127.1",
        "0.0.0.0",
        "::1",
        "127.0.0.1\n",
        "127-0-0-1",
        "bridge:4566",
        "l\xf6calhost",
    ],
)
def test_another_host_is_refused_with_a_message_that_says_so(host: str) -> None:
    status, answer = ask(("host", host))
    assert status == 403
    assert repr(host) in answer["message"]


def test_no_host_and_two_hosts_are_refused() -> None:
    assert ask()[0] == 403
    assert ask(HERE, HERE)[0] == 403
    assert ask(HERE, ("Host", "evil.example"))[0] == 403


def test_a_name_that_the_machine_was_given_may_be_named_as_host_and_not_as_origin() -> None:
    assert ask(("host", "bridge:4566"), names=["bridge"])[0] == 200
    assert ask(("host", "xbridge:4566"), names=["bridge"])[0] == 403
    assert ask(HERE, ("origin", "http://bridge"), names=["bridge"])[0] == 403


PAGES_HERE = ["http://localhost:3000", "http://127.0.0.1:4566", "http://localhost", "http://[::1]:5173"]
PAGES_ELSEWHERE = [
    "https://evil.example",
    "http://evil.example",
    "http://localhost.evil.example",
    "http://evil.example:4566",
    "http://localhost:3000, http://evil.example",
    "http://localhost/",
    "http://localhost@evil.example",
    "http://app.localhost:3000",
    "https://localhost:3000",  # nothing here has a certificate
    "localhost:3000",
    "file://",
    "chrome-extension://abc",
    "null",
    "",
]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("origin", PAGES_HERE)
def test_a_page_of_this_machine_may_call(origin: str, kind: str) -> None:
    assert ask(HERE, ("origin", origin), kind=kind)[0] == 200


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("origin", PAGES_ELSEWHERE)
def test_another_page_is_refused_though_it_has_the_key(origin: str, kind: str) -> None:
    status, answer = ask(HERE, ("origin", origin), ("authorization", "right"), kind=kind)
    assert status == 403
    assert repr(origin) in answer["message"]


@pytest.mark.parametrize("name", [name for name in ONCE if name != "host"])
def test_of_what_is_decided_by_there_is_one(name: str) -> None:
    status, answer = ask(HERE, (name, "x"), (name.upper(), "x"))
    assert status == 403
    assert answer["message"] == f"There is more than one header {name}."


def test_a_browser_asks_before_it_asks_and_a_page_of_elsewhere_in_vain() -> None:
    asks = ("access-control-request-method", "POST")
    for path in ("/", "/uploads", API):
        assert ask(HERE, ("origin", PAGES_HERE[0]), asks, method="OPTIONS", path=path)[0] == 200
        assert ask(HERE, ("origin", PAGES_ELSEWHERE[0]), asks, method="OPTIONS", path=path)[0] == 403
    assert ask(HERE, method="OPTIONS", path="/")[0] == 403  # this is no browser


@pytest.mark.parametrize("target", ["http://127.0.0.1:4566/_aws/execute-api/a/b", "*", ""])
def test_a_target_that_is_no_path_is_refused(target: str) -> None:
    assert ask(HERE, ("authorization", "right"), path=target)[0] == 403


def login(action: str) -> tuple[str, str]:
    return (TARGET, f"AWSCognitoIdentityProviderService.{action}")


OPEN: list[dict[str, Any]] = [
    {"path": "/_ministack/health"},
    {"path": API},
    {"path": API, "method": "DELETE", "headers": [("authorization", "Bearer")]},
    {"path": API, "kind": "websocket"},
    {"path": "/us-east-1_Ab1/.well-known/openid-configuration"},
    {"path": "/us-east-1_Ab1/.well-known/jwks.json"},
    {"path": "/", "method": "POST", "headers": [login("InitiateAuth")]},
    {"path": "/uploads", "method": "POST", "headers": [FORM]},
    {"path": "/oauth2/authorize", "query": "client_id=a&redirect_uri=b"},
    {"path": "/login", "method": "POST"},
    {"path": "/oauth2/token", "method": "POST"},
    {"path": "/logout", "query": "client_id=a"},
]
CLOSED: list[dict[str, Any]] = [
    {"path": "/"},
    {"path": "/", "method": "POST"},
    {"path": "/", "kind": "websocket"},
    {"path": "/_ministack/health", "kind": "websocket"},
    {"path": "/_aws/execute-api/0a1b2c3d"},
    {"path": "/_aws/execute-api//v1/jobs"},
    {"path": "/_aws/execute-api/0a1b2c3d/v1/@connections/1", "method": "POST"},
    {"path": "/_aws/lambda-url/0a1b2c3d/"},
    {"path": "/health"},
    {"path": "/2015-03-31/functions", "method": "POST"},
    {"path": "/", "method": "POST", "headers": [login("AdminCreateUser")]},
    {"path": "/", "method": "POST", "headers": [login("SignUp")]},
    {"path": "/", "method": "POST", "headers": [login("RespondToAuthChallenge")]},
    {"path": API, "method": "POST", "headers": [login("InitiateAuth")]},
    {"path": "/_ministack/health", "headers": [login("ForgotPassword")]},
    {"path": "/us-east-1_Ab1/.well-known/jwks.json", "headers": [login("ForgotPassword")]},
    {"path": "/us-east-1_Ab1/.well-known/jwks.json", "query": "Action=CreateRole"},
    {"path": "/oauth2/authorize", "headers": [login("ConfirmForgotPassword")]},
    {"path": "/", "method": "POST", "headers": [login("InitiateAuth")], "query": "Action=CreateRole"},
    {"path": "/", "method": "POST", "headers": [login("InitiateAuth"), login("InitiateAuth")]},
    {"path": "/uploads", "method": "POST", "headers": [login("InitiateAuth"), FORM]},
    {"path": "/us-east-1-ab1/.well-known/jwks.json"},  # a bucket may be called so
    {"path": "/us-east-1_Ab1/.well-known/jwks.json", "method": "PUT"},
    {"path": "/uploads"},
    {"path": "/uploads/song.mp3"},
    {"path": "/uploads/song.mp3", "method": "PUT", "headers": [FORM]},
    {"path": "/uploads/song.mp3", "method": "POST", "headers": [FORM]},
    {"path": "/uploads", "method": "POST"},
    {"path": "/uploads", "method": "POST", "headers": [FORM], "query": "delete"},
    {"path": "/restapis", "method": "POST", "headers": [FORM]},
    {"path": "/oauth2/authorize", "method": "POST"},
    {"path": "/oauth2/idpresponse"},
    {"path": "/login", "method": "POST", "query": "Action=CreateRole"},
    {"path": "/login", "method": "POST", "headers": [(TARGET, "DynamoDB_20120810.Scan")]},
    {"path": "/logout/x"},
]


def split(request: dict[str, Any]) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Its headers, and the rest."""
    return request.get("headers", []), {name: value for name, value in request.items() if name != "headers"}


@pytest.mark.parametrize("request_", OPEN, ids=str)
def test_what_needs_no_signature(request_: dict[str, Any]) -> None:
    headers, rest = split(request_)
    assert ask(HERE, *headers, **rest)[0] == 200


@pytest.mark.parametrize("request_", CLOSED, ids=str)
def test_what_needs_one_is_refused_without_it_and_with_a_wrong_one(request_: dict[str, Any]) -> None:
    headers, rest = split(request_)
    assert ask(HERE, *headers, **rest)[0] == 403
    assert ask(HERE, *headers, ("authorization", "wrong"), **rest)[0] == 403


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/_localstack/health"])
def test_ministacks_own_doors_are_closed_to_the_administrator_too(path: str) -> None:
    for method in ("GET", "POST"):
        assert ask(HERE, ("authorization", "right"), method=method, path=path)[0] == 403


def test_a_signed_request_passes_with_its_body_read_once_or_not_at_all() -> None:
    signed = (HERE, ("authorization", "right"))
    assert ask(*signed, method="POST", path="/") == (200, ["ab"])
    # An upload is not collected here: its head names its hash.
    assert ask(*signed, ("x-amz-content-sha256", "0"), method="PUT", path="/uploads/x") == (200, ["a", "b"])
    assert ask(HERE, ("authorization", "wrong"), method="POST", path="/") == (403, {"message": "wrong"})


# ---- the page --------------------------------------------------------------------------------

PAGE = "d111.cloudfront.localhost:4566"
AT_PAGE = ("host", PAGE)
OF_PAGE = ("origin", f"http://{PAGE}")
FILES = [
    "/",
    "/index.html",
    "/config.json",
    "/icon.svg",
    "/assets/index-_GE8TEfk.js",
    "/fonts/a.woff2",
    "/song/drums.player.flac",
]
NO_FILES = [
    "/login",
    "/oauth2/authorize",
    "/_ministack/health",
    "/_aws/ses/messages",
    API,
    "/us-east-1_Ab1/.well-known/jwks.json",
    "/uploads/song.mp3",
    "/assets/../config.json",
    "/assets//a.js",
    "/.env",
    "//a.js",
    "/a.js/",
]


@pytest.mark.parametrize("path", FILES)
def test_the_pages_files_are_read_at_its_host_by_whoever_asks(path: str) -> None:
    assert ask(AT_PAGE, path=path)[0] == 200
    assert ask(AT_PAGE, path=path, method="HEAD")[0] == 200
    assert ask(AT_PAGE, OF_PAGE, path=path, query="code=1&state=2")[0] == 200


@pytest.mark.parametrize("path", NO_FILES)
def test_nothing_else_is_there_not_even_with_the_key(path: str) -> None:
    assert ask(AT_PAGE, path=path)[0] == 403
    assert ask(AT_PAGE, ("authorization", "right"), path=path)[0] == 403


@pytest.mark.parametrize("path", FILES)
def test_the_pages_files_are_neither_written_nor_asked_for_by_others(path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(AT_PAGE, method=method, path=path)[0] == 403
    assert ask(AT_PAGE, path=path, kind="websocket")[0] == 403
    assert ask(AT_PAGE, ("authorization", "right"), path=path)[0] == 403
    for origin in ("http://localhost:3000", "http://d222.cloudfront.localhost:4566", "https://evil.example"):
        assert ask(AT_PAGE, ("origin", origin), path=path)[0] == 403


@pytest.mark.parametrize(
    "host", ["d222.cloudfront.localhost:4566", "d111.cloudfront.net", "x.d111.cloudfront.localhost", "d111"]
)
def test_another_distribution_is_no_page(host: str) -> None:
    assert ask(("host", host), path="/")[0] == 403
    assert ask(HERE, ("origin", f"http://{host}"))[0] == 403


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_page_calls_its_apis(kind: str) -> None:
    assert ask(HERE, OF_PAGE, kind=kind)[0] == 200
    assert ask(HERE, ("origin", f"https://{PAGE}"), kind=kind)[0] == 403
    other = ("origin", "http://d111.cloudfront.localhost:8000")  # another server's
    assert ask(HERE, other, kind=kind)[0] == 403


FOR_PAGES: list[dict[str, Any]] = [
    {"path": API, "method": "POST", "headers": [("authorization", "Bearer")]},
    {"path": API, "method": "OPTIONS", "headers": [("access-control-request-method", "POST")]},
    {"path": "/us-east-1_Ab1/.well-known/openid-configuration"},
    {"path": "/oauth2/token", "method": "POST"},
    {"path": "/uploads", "method": "POST", "headers": [FORM]},
    {"path": "/stems/a.wav", "query": "X-Amz-Signature=1", "headers": [("authorization", "right")]},
]
NOT_FOR_PAGES: list[dict[str, Any]] = [
    {"path": "/", "method": "POST", "headers": [login("InitiateAuth")]},
    {"path": "/", "method": "POST", "headers": [("authorization", "right")]},
    {"path": "/uploads/song.mp3", "method": "PUT", "headers": [("authorization", "right")]},
    {"path": "/stems/a.wav", "headers": [("authorization", "right")]},
    {"path": "/stems/a.wav", "query": "X-Amz-Signature=1", "headers": [("authorization", "wrong")]},
    {"path": "/_ministack/reset", "method": "POST", "headers": [("authorization", "right")]},
    *(
        {"path": "/stems/a.wav", "query": "X-Amz-Signature=1", "headers": [("authorization", "right")]}
        | {"method": method}
        for method in ("PUT", "POST", "DELETE", "HEAD")
    ),
]


@pytest.mark.parametrize("request_", FOR_PAGES, ids=str)
def test_what_a_page_needs(request_: dict[str, Any]) -> None:
    headers, rest = split(request_)
    assert ask(HERE, OF_PAGE, *headers, **rest)[0] == 200


@pytest.mark.parametrize("request_", NOT_FOR_PAGES, ids=str)
def test_what_no_page_needs_is_refused_to_it(request_: dict[str, Any]) -> None:
    headers, rest = split(request_)
    assert ask(HERE, OF_PAGE, *headers, **rest)[0] == 403
