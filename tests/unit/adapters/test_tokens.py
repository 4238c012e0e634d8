"""Tokens of WebSocket clients, against an issuer that serves its keys as OpenID Connect says."""

from __future__ import annotations

import http.server
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from stempipe.adapters.tokens import Tokens, keys_of
from stempipe.errors import Unauthorized

ISSUER = "https://issuer.example"
KEY = rsa.generate_private_key(65537, 2048)
STRANGER = rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


class Issuer:
    """Where the keys are, and how often they were fetched."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.fetched = 0


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/.well-known/openid-configuration":
                body: Any = {"issuer": ISSUER, "jwks_uri": f"{served.url}/keys"}
            else:
                served.fetched += 1
                public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
                body = {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def tokens(issuer: Issuer) -> Tokens:
    return Tokens(ISSUER, ["stempipe", "page"], keys_of(issuer.url + "/"))


def token(
    key: Any = KEY, algorithm: str = "RS256", kid: str | None = "one", without: str = "", **claims: Any
) -> str:
    now = int(time.time())
    payload = {"iss": ISSUER, "sub": "alice", "client_id": "stempipe", "iat": now, "exp": now + 60} | claims
    payload.pop(without, None)
    return jwt.encode(payload, key, algorithm, headers={"kid": kid} if kid else {})


@pytest.mark.parametrize(
    "claims", [{}, {"aud": "stempipe"}, {"aud": ["other", "stempipe"], "client_id": "x"}]
)
def test_a_good_token_says_whose_it_is(tokens: Tokens, claims: dict[str, Any]) -> None:
    assert tokens.subject(token(**claims)) == "alice"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_clock_that_is_a_little_ahead_makes_no_token_bad(tokens: Tokens, claim: str) -> None:
    now = int(time.time())
    little: dict[str, Any] = {claim: now + 3}
    much: dict[str, Any] = {claim: now + 30}
    assert tokens.subject(token(**little)) == "alice"
    with pytest.raises(Unauthorized):
        tokens.subject(token(**much))


def test_a_token_that_has_just_expired_is_refused_at_once(tokens: Tokens) -> None:
    with pytest.raises(Unauthorized, match="expired"):
        tokens.subject(token(exp=int(time.time()) - 1))


@pytest.mark.parametrize(
    "bad",
    [
        "", "x", "a.b.c", "." * 4,
        token(STRANGER), token(kid=None), token(kid="two"), token()[:-4] + "AAAA",
        token(exp=int(time.time()) - 1), token(without="exp"), token(nbf=int(time.time()) + 36_000),
        token(iss="https://other.example"), token(without="iss"), token(without="sub"), token(sub=""),
        token(client_id="other"), token(without="client_id"), token(aud="other"), token(aud=[]),
        token(token_use="id", aud="stempipe"),
        token(aud=None),
        token(None, "none"), token("a secret of thirty-two bytes ...", "HS256"), token(KEY, "RS512"),
        token(KEY, "PS256"),
    ],
)  # fmt: skip
def test_a_bad_token_is_refused(tokens: Tokens, bad: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        tokens.subject(bad)
    assert not bad or bad not in refusal.value.message


def test_an_hmac_with_the_public_key_is_no_signature(tokens: Tokens) -> None:
    # PyJWT would not make one: by hand, as an attacker does.
    import base64
    import hashlib
    import hmac

    header, payload, _ = token().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one","typ":"JWT"}').rstrip(b"=").decode()
    mac = hmac.digest(PUBLIC, f"{header}.{payload}".encode(), hashlib.sha256)
    forged = f"{header}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(Unauthorized):
        tokens.subject(forged)


def test_keys_are_fetched_once_however_many_tokens_name_unknown_ones(tokens: Tokens, issuer: Issuer) -> None:
    assert tokens.subject(token()) == "alice"
    for number in range(20):
        with pytest.raises(Unauthorized):
            tokens.subject(token(kid=f"made up {number}"))
    assert tokens.subject(token()) == "alice"
    assert issuer.fetched == 1


def test_when_the_keys_cannot_be_had_nobody_is_refused_for_it(issuer: Issuer) -> None:
    tokens = Tokens(ISSUER, ["stempipe", "page"], jwt.PyJWKClient("http://127.0.0.1:9/keys", timeout=1))
    with pytest.raises(jwt.PyJWKClientConnectionError):
        tokens.subject(token())


def test_the_authorizer_lets_good_tokens_in_and_logs_none(
    issuer: Issuer,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    logged: io.StringIO,
) -> None:
    environment = {
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCES": "stempipe,page",
        "ISSUER_URL": issuer.url,
        "JOBS_TABLE": "jobs",
        "USAGE_TABLE": "usage",
        "UPLOADS_BUCKET": "uploads",
        "STEMS_BUCKET": "stems",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app = load_app("authorize")
    event = sample_event("authorize-connect")
    answers = []
    for query in (event["queryStringParameters"], None, {"token": token()}):
        answer = app.handler({**event, "queryStringParameters": query}, lambda_context)
        (statement,) = answer["policyDocument"]["Statement"]
        assert statement["Resource"] == event["methodArn"]
        answers.append((answer["principalId"], statement["Effect"]))
    assert answers == [("nobody", "Deny"), ("nobody", "Deny"), ("alice", "Allow")]
    assert "Refused" in logged.getvalue()
    assert "not.a.token" not in logged.getvalue()
    assert token()[:20] not in logged.getvalue()
