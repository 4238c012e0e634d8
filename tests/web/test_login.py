"""Signing in and out of the page, by the login's own form."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, Request, Route

from local.cloud import Deployment
from tests.web.conftest import at_page, begin_sign_in, ready

# By the clock that the page sees. Its tokens have less than a minute left.
AN_HOUR_LATER = "() => { const now = Date.now; Date.now = () => now() + 3_550_000 }"


def stored(page: Page) -> str:
    """All that the page has left with the browser."""
    return str(
        page.evaluate(
            """async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie,
            await indexedDB.databases(), await caches.keys()])"""
        )
    )


def test_a_user_signs_in_by_redirect_and_the_token_is_nowhere_but_in_memory(
    page: Page, probe: str, sign_in: Callable[..., None]
) -> None:
    page.goto(probe)
    begin_sign_in(page)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == probe
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    sign_in(page)
    ready(page)
    assert page.url == probe  # the code is not in the bar, and not in the history
    assert page.evaluate("probe.auth.user.name") == "producer@example.com"
    token = page.evaluate("probe.auth.token()")
    assert token.count(".") == 2
    assert token not in stored(page)
    assert "stempipe.login" not in stored(page)
    assert page.evaluate("probe.client.jobs()")["jobs"] == []


def test_a_reload_forgets_and_asks_anew(signed_in: Page) -> None:
    signed_in.reload()
    ready(signed_in)
    assert signed_in.evaluate("probe.auth.user") is None
    assert signed_in.evaluate("probe.auth.wasSignedIn") is True
    assert signed_in.evaluate("probe.refusal(() => probe.client.jobs())")["code"] == "signed_out"


def test_a_code_that_this_tab_did_not_ask_for_is_not_taken(page: Page, probe: str) -> None:
    # Somebody else's code, sent as a link, would have a user work in a stranger's account.
    page.goto(f"{probe}?code=stolen&state=made-up")
    ready(page)
    assert "not begun here" in page.evaluate("probe.failure")
    assert page.evaluate("probe.auth.user") is None
    begin_sign_in(page)
    page.goto(f"{probe}?code=stolen&state=made-up")
    ready(page)
    assert "state" in page.evaluate("probe.failure")
    assert page.evaluate("probe.auth.user") is None


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "http://localhost:3000/", "PAGEx", "PAGE../", "PAGE?x=1"]
)
def test_a_code_is_sent_to_the_page_alone(cloud: Deployment, back: str) -> None:
    login = at_page(cloud, "/config.json").json()["login"]
    query = {
        "response_type": "code",
        "client_id": login["clientId"],
        "redirect_uri": back.replace("PAGE", str(cloud.page_url)),
        "scope": "openid",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    answer = httpx.get(f"{cloud.endpoint}/oauth2/authorize", params=query)
    assert answer.status_code == 400
    assert "redirect_uri" in answer.text
    left = {"client_id": login["clientId"], "logout_uri": back.replace("PAGE", str(cloud.page_url))}
    assert httpx.get(f"{cloud.endpoint}/logout", params=left).status_code == 400


def test_a_token_is_renewed_before_it_ends(signed_in: Page) -> None:
    first = signed_in.evaluate("probe.auth.token()")
    signed_in.evaluate(AN_HOUR_LATER)
    # Many ask at once, and one renews.
    asked: list[Request] = []
    signed_in.on("request", lambda request: asked.append(request))
    tokens = signed_in.evaluate("Promise.all([1, 2, 3].map(() => probe.auth.token()))")
    assert len(set(tokens)) == 1
    assert tokens[0] != first
    assert [urlsplit(request.url).path for request in asked if request.method == "POST"] == ["/oauth2/token"]
    assert signed_in.evaluate("probe.client.jobs()")["jobs"] == []


def test_a_token_that_is_refused_is_renewed_and_the_request_sent_again(
    signed_in: Page, cloud: Deployment
) -> None:
    # As if its time had come sooner than was said: the API's refusal has no CORS header, and cannot be read.
    first = signed_in.evaluate("probe.auth.token()")
    signed_in.evaluate("() => { const now = Date.now; Date.now = () => now() + 120_000 }")
    refused = []

    def refuse(route: Route) -> None:
        if route.request.headers.get("authorization") == f"Bearer {first}":
            refused.append(route.request.url)
            route.fulfill(status=401, body="{}")
        else:
            route.continue_()

    signed_in.route(f"{cloud.api_url}/**", refuse)
    assert signed_in.evaluate("probe.client.jobs()")["jobs"] == []
    assert len(refused) == 1


def test_whoever_is_offline_stays_signed_in(signed_in: Page) -> None:
    signed_in.evaluate(AN_HOUR_LATER)
    signed_in.context.set_offline(True)
    assert signed_in.evaluate("probe.refusal(() => probe.client.jobs())")["code"] == "offline"
    assert signed_in.evaluate("probe.auth.user.name") == "producer@example.com"
    signed_in.context.set_offline(False)
    assert signed_in.evaluate("probe.client.jobs()")["jobs"] == []


def test_signing_out_forgets_and_leads_back(signed_in: Page, probe: str) -> None:
    with signed_in.expect_request(re.compile("/logout")) as left:
        signed_in.evaluate("void probe.auth.signOut()")
    query = parse_qs(urlsplit(left.value.url).query)
    assert query["logout_uri"] == [probe]
    signed_in.wait_for_url(probe)
    ready(signed_in)
    assert signed_in.evaluate("probe.auth.user") is None
    assert signed_in.evaluate("probe.auth.wasSignedIn") is False


def test_a_user_who_is_gone_is_signed_out(
    page: Page, probe: str, cloud: Deployment, sign_in: Callable[..., None]
) -> None:
    page.goto(probe)
    begin_sign_in(page)
    sign_in(page, "gone@example.com")
    ready(page)
    page.evaluate("void probe.auth.onChange(() => { window.told = true })")
    cloud.client("cognito-idp").admin_user_global_sign_out(
        UserPoolId=cloud.user_pool_id, Username="gone@example.com"
    )
    page.evaluate(AN_HOUR_LATER)
    assert page.evaluate("probe.refusal(() => probe.client.jobs())")["code"] == "signed_out"
    assert page.evaluate("window.told") is True
    assert page.evaluate("probe.auth.user") is None
