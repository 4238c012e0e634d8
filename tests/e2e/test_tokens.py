"""Who gets in: the authorizer of the local cloud, with real tokens and with forged ones.

AWS says of its own that it checks the algorithm, which must be RSA's, and the signature, kid, iss, aud or
else client_id, exp, nbf, iat and scopes. The last test shows where MiniStack's looks at less.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.cloud import USER, Deployment
from tests.routes import Route, routes

Json = dict[str, Any]
Sign = Callable[[bytes], bytes]


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(part: str) -> Json:
    claims: Json = json.loads(base64.urlsafe_b64decode(part + "=="))
    return claims


def made(header: Json, claims: Json, sign: Sign) -> str:
    """A token, signed as one likes."""
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def rs256(key: rsa.RSAPrivateKey) -> Sign:
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


@pytest.fixture(scope="module")
def token(cloud: Deployment) -> str:
    """A producer's access token."""
    return cloud.token()


@pytest.fixture(scope="module")
def header(token: str) -> Json:
    return decoded(token.split(".")[0])


@pytest.fixture(scope="module")
def claims(token: str) -> Json:
    return decoded(token.split(".")[1])


@pytest.fixture(scope="module")
def pool_key(cloud: Deployment, token: str, state: Path) -> rsa.RSAPrivateKey:
    """The key with which the pool signs access tokens: what it signs differs in its claims alone."""
    (path,) = state.rglob(f"{cloud.user_pool_id}-access.pem")
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.fixture(scope="module")
def own_key() -> rsa.RSAPrivateKey:
    """A forger's."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def status_of(cloud: Deployment) -> Callable[[str], int]:
    """What the API answers to whoever brings this token."""

    def ask(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}".strip()}
        return httpx.get(f"{cloud.api_url}/v1/jobs", headers=headers, timeout=60).status_code

    return ask


def test_the_pools_access_token_is_let_in(status_of: Callable[[str], int], token: str) -> None:
    assert status_of(token) == 200


def test_a_token_that_this_test_signs_with_the_pools_key_is_let_in(
    status_of: Callable[[str], int], pool_key: rsa.RSAPrivateKey, header: Json, claims: Json
) -> None:
    # Without this, the refusals below would prove nothing.
    assert status_of(made(header, claims, rs256(pool_key))) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 1},
        {"nbf": int(time.time()) + 36_000},
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_another"},
        {"iss": "https://issuer.example"},
        {"iss": None},
        {"client_id": "another"},
        {"client_id": None},
        {"aud": "another"},  # with the right client_id beside it
        {"aud": ["another", "one more"]},
        {"sub": None},
        {"sub": ""},
        {"exp": None},
        {"token_use": "id"},
    ],
    ids=str,
)
def test_a_well_signed_token_with_a_wrong_claim_is_refused(
    status_of: Callable[[str], int],
    pool_key: rsa.RSAPrivateKey,
    header: Json,
    claims: Json,
    changes: Json,
) -> None:
    changed = {name: value for name, value in (claims | changes).items() if value is not None}
    assert status_of(made(header, changed, rs256(pool_key))) == 401


def test_the_pools_id_token_is_refused(cloud: Deployment, status_of: Callable[[str], int]) -> None:
    # The authorizer, AWS's too, lets it in, for its aud is the client: the function does not.
    answer = cloud.client("cognito-idp").initiate_auth(
        ClientId=cloud.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": USER, "PASSWORD": cloud.password},
    )["AuthenticationResult"]
    assert decoded(answer["IdToken"].split(".")[1])["aud"] == cloud.user_pool_client_id
    assert status_of(answer["IdToken"]) == 401
    assert status_of(answer["AccessToken"]) == 200


def test_the_token_of_another_client_of_the_pool_is_refused(
    cloud: Deployment, status_of: Callable[[str], int]
) -> None:
    cognito = cloud.client("cognito-idp")
    client = cognito.create_user_pool_client(
        UserPoolId=cloud.user_pool_id, ClientName="another", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    answer = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": USER, "PASSWORD": cloud.password},
    )
    assert status_of(answer["AuthenticationResult"]["AccessToken"]) == 401


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_clock_that_is_a_little_ahead_makes_no_token_bad(
    status_of: Callable[[str], int], pool_key: rsa.RSAPrivateKey, header: Json, claims: Json, claim: str
) -> None:
    now = int(time.time())
    assert status_of(made(header, claims | {claim: now + 2}, rs256(pool_key))) == 200
    assert status_of(made(header, claims | {claim: now + 60}, rs256(pool_key))) == 401


def test_a_token_of_another_key_is_refused_whatever_its_header_says(
    status_of: Callable[[str], int], own_key: rsa.RSAPrivateKey, header: Json, claims: Json
) -> None:
    numbers = own_key.public_key().public_numbers()
    jwk = {
        "kty": "RSA",
        "n": encoded(numbers.n.to_bytes(256, "big")),
        "e": encoded(numbers.e.to_bytes(3, "big")),
    }
    for more in ({}, {"kid": "own"}, {"jwk": jwk}, {"jku": "https://forger.example/jwks.json"}):
        assert status_of(made(header | more, claims, rs256(own_key))) == 401


def test_a_token_without_a_signature_is_refused(
    status_of: Callable[[str], int], header: Json, claims: Json
) -> None:
    for algorithm in ("none", "None", "NONE", "RS256"):
        assert status_of(made(header | {"alg": algorithm}, claims, lambda _: b"")) == 401


def test_the_public_key_is_no_secret_to_sign_with(
    status_of: Callable[[str], int], pool_key: rsa.RSAPrivateKey, header: Json, claims: Json
) -> None:
    pem = pool_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    token = made(header | {"alg": "HS256"}, claims, lambda data: hmac.digest(pem, data, hashlib.sha256))
    assert status_of(token) == 401


def test_a_token_whose_claims_were_changed_is_refused(
    status_of: Callable[[str], int], token: str, claims: Json
) -> None:
    head, _, signature = token.split(".")
    assert status_of(f"{head}.{encoded(json.dumps(claims | {'sub': 'bob'}).encode())}.{signature}") == 401


@pytest.mark.parametrize("garbage", ["", "x", "a.b", "a.b.c", "a.b.c.d", "e30.e30.e30", "null", "." * 2])
def test_garbage_is_refused(status_of: Callable[[str], int], garbage: str) -> None:
    assert status_of(garbage) == 401


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_route_but_the_open_ones_is_closed_without_a_token(cloud: Deployment, route: Route) -> None:
    url = cloud.api_url + route.path.replace("{id}", "01K")
    assert httpx.request(route.method, url, timeout=60).status_code == (200 if route.is_open else 401)
    by_query = httpx.request(route.method, url, params={"Authorization": cloud.token()}, timeout=60)
    assert by_query.status_code == (200 if route.is_open else 401)


def test_health_alone_is_open(cloud: Deployment) -> None:
    assert [str(route) for route in routes() if route.is_open] == ["GET /v1/health"]
    assert httpx.get(f"{cloud.api_url}/v1/openapi.json", timeout=60).status_code == 401


# ---- where MiniStack's authorizer looks at less than AWS's ------------------------------------------


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256"])
def test_ministack_checks_an_rsa_signature_whatever_algorithm_the_header_names(
    status_of: Callable[[str], int],
    pool_key: rsa.RSAPrivateKey,
    header: Json,
    claims: Json,
    algorithm: str,
) -> None:
    # AWS refuses these. Nobody but the holder of the pool's own key can make one.
    assert status_of(made(header | {"alg": algorithm}, claims, rs256(pool_key))) == 200
