"""Where the page lives: its headers and policy, its login, and what it and pages of elsewhere may call."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from playwright.sync_api import Page, Request, expect

from local.cloud import Deployment, running
from local.server import free_port
from tests.web.conftest import ELSEWHERE, at_page, outputs

OTHER = "another@example.com"


# ---- files and headers -------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/config.json", "/no-such-file.js"])
def test_every_answer_has_the_headers(cloud: Deployment, path: str) -> None:
    headers = at_page(cloud, path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["worker-src"] == "'self'"
    assert policy["form-action"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "*" not in headers["content-security-policy"]
    assert int(re.findall(r"max-age=(\d+)", headers["strict-transport-security"])[0]) >= 31_536_000
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_what_is_named_by_its_content_is_kept_for_ever_and_the_rest_is_asked_for_again(
    cloud: Deployment,
) -> None:
    first = at_page(cloud, "/")
    assert (first.headers["cache-control"], first.headers["content-type"]) == (
        "no-cache",
        "text/html; charset=utf-8",
    )
    assert at_page(cloud, "/config.json").headers["cache-control"] == "no-cache"
    (script,) = re.findall(r'src="\.(/assets/[^"]+\.js)"', first.text)
    answer = at_page(cloud, script)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]


def test_the_bucket_is_closed_to_all_but_the_distribution(cloud: Deployment) -> None:
    bucket = outputs(cloud)["PageBucket"]
    assert httpx.get(f"{cloud.endpoint}/{bucket}/index.html").status_code == 403
    assert at_page(cloud, "/").status_code == 200


def test_the_configuration_has_no_secret(cloud: Deployment) -> None:
    config = at_page(cloud, "/config.json")
    assert config.json().keys() == {"api", "live", "login", "limits"}
    keys = cloud.server.keys
    for secret in (keys.password, keys.secret_access_key, keys.access_key_id):
        assert secret not in config.text
    client = cloud.client("cognito-idp").describe_user_pool_client(
        UserPoolId=cloud.user_pool_id, ClientId=config.json()["login"]["clientId"]
    )["UserPoolClient"]
    assert "ClientSecret" not in client
    assert client["CallbackURLs"] == client["LogoutURLs"] == [cloud.page_url, "http://localhost:5173/"]


# ---- the policy --------------------------------------------------------------------------------

VIOLATIONS = """() => {
    window.violations = [];
    const note = (event) => violations.push(event.effectiveDirective);
    document.addEventListener("securitypolicyviolation", note);
}"""
ATTACKS = {
    "script-src": "setTimeout('window.ran = true')",
    "script-src-elem": "document.head.append(Object.assign(document.createElement('script'),"
    " {textContent: 'window.ran = true'}))",
    "script-src-attr": "document.body.insertAdjacentHTML('beforeend',"
    " '<img src=x onerror=\"window.ran = true\">')",
    "style-src-elem": "document.head.append(Object.assign(document.createElement('style'),"
    " {textContent: 'body { display: none }'}))",
    "connect-src": "fetch('https://elsewhere.example/').catch(() => {})",
    "frame-src": "document.body.append(Object.assign(document.createElement('iframe'),"
    " {src: location.href}))",
    "form-action": "document.body.appendChild(Object.assign(document.createElement('form'),"
    " {action: 'https://elsewhere.example/'})).submit()",
    "base-uri": "document.head.append(Object.assign(document.createElement('base'),"
    " {href: 'https://elsewhere.example/'}))",
    "worker-src": "try { new Worker(URL.createObjectURL(new Blob(['']))) } catch {}",
}


@pytest.mark.parametrize("directive", ATTACKS)
def test_the_policy_is_enforced(page: Page, cloud: Deployment, directive: str) -> None:
    page.goto(str(cloud.page_url))
    page.evaluate(VIOLATIONS)
    page.evaluate(f"() => {{ {ATTACKS[directive]} }}")
    page.wait_for_timeout(200)
    assert directive in page.evaluate("() => window.violations")
    assert page.evaluate("() => window.ran") is None


def test_the_page_itself_breaks_no_rule_and_calls_nobody_else(page: Page, cloud: Deployment) -> None:
    said: list[str] = []
    asked: list[Request] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request))
    page.goto(str(cloud.page_url), wait_until="networkidle")
    assert said == []
    hosts = {urlsplit(request.url).netloc for request in asked}
    assert hosts <= {urlsplit(str(cloud.page_url)).netloc, urlsplit(cloud.endpoint).netloc}


# ---- what may be called ------------------------------------------------------------------------


def test_anothers_job_is_as_if_there_were_none(signed_in: Page, cloud: Deployment) -> None:
    headers = {"Authorization": f"Bearer {cloud.token(OTHER)}"}
    made = httpx.post(
        f"{cloud.api_url}/v1/jobs", json={"filename": "a.mp3", "size": 3}, headers=headers, timeout=60
    ).json()
    job = made["job"]["id"]
    for call in ("job", "files", "retry"):
        refused = signed_in.evaluate(f"probe.refusal(() => probe.client.{call}({json.dumps(job)}))")
        assert refused["code"] == "job_not_found"
    assert signed_in.evaluate("probe.client.jobs()")["jobs"] == []


class Elsewhere(BaseHTTPRequestHandler):
    """A page of somebody else's."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Elsewhere</title>")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port at which it is served."""
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


# What a page of elsewhere may learn: that a request without a preflight was sent, and not even its status.
TRY = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        return [answer.type, answer.status, await answer.text()];
    } catch (error) {
        return error.name;
    }
}"""


@pytest.mark.parametrize("name", [ELSEWHERE, "localhost"])
def test_a_page_of_elsewhere_reads_nothing(page: Page, cloud: Deployment, elsewhere: int, name: str) -> None:
    page.goto(f"http://{name}:{elsewhere}/")
    token = {"headers": {"Authorization": f"Bearer {cloud.token()}"}}
    address = str(cloud.page_url)
    there: Any = {"Bucket": cloud.stems_bucket, "Key": "nobody/a.wav"}
    keys: Any = cloud.server.credentials
    signed = Config(signature_version="s3v4")
    storage = boto3.client("s3", config=signed, endpoint_url=cloud.endpoint, **keys)
    storage.put_object(**there, Body=b"sound")
    link = storage.generate_presigned_url("get_object", there)
    assert httpx.get(link, timeout=60).content == b"sound"
    for url, options in [
        (f"{cloud.api_url}/v1/health", {}),
        (f"{cloud.api_url}/v1/jobs", token),
        (f"{cloud.api_url}/v1/jobs", token | {"method": "POST", "body": "{}"}),
        (link, {}),
        (f"{cloud.endpoint}/{cloud.uploads_bucket}", {"method": "POST", "body": "a form"}),
        (f"{address}config.json", {}),
        (address, {}),
    ]:
        assert page.evaluate(TRY, [url, options]) == "TypeError", url


def test_a_page_of_elsewhere_reaches_nothing_behind_the_guard(
    page: Page, cloud: Deployment, elsewhere: int
) -> None:
    page.goto(f"http://{ELSEWHERE}:{elsewhere}/")
    answers: dict[str, int] = {}
    page.on("response", lambda response: answers.update({response.url: response.status}))
    urls = [f"{cloud.api_url}/v1/health", f"{cloud.endpoint}/", f"{cloud.endpoint}/_ministack/reset"]
    for url in urls:
        page.evaluate(TRY, [url, {"mode": "no-cors", "method": "POST", "body": "x"}])
    assert [answers.get(url) for url in urls] == [403] * 3
    opened = page.evaluate(
        """(url) => new Promise((resolve) => {
            const socket = new WebSocket(url);
            socket.onopen = () => resolve("open");
            socket.onerror = () => resolve("refused");
        })""",
        f"{cloud.live_url}?token={cloud.token()}",
    )
    assert opened == "refused"


def test_a_page_of_elsewhere_cannot_frame_the_page(page: Page, cloud: Deployment, elsewhere: int) -> None:
    page.goto(f"http://{ELSEWHERE}:{elsewhere}/")
    frame = "(src) => document.body.append(Object.assign(document.createElement('iframe'), {src}))"
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(frame, cloud.page_url)
    assert "Stempipe" not in page.frames[1].content()


def test_the_login_takes_no_password_from_elsewhere(page: Page, cloud: Deployment, elsewhere: int) -> None:
    page.goto(f"http://{ELSEWHERE}:{elsewhere}/")
    for path in ("/login", "/oauth2/token"):
        form = {"mode": "no-cors", "method": "POST", "body": "username=a&password=b"}
        with page.expect_response(f"{cloud.endpoint}{path}") as answer:
            page.evaluate(TRY, [f"{cloud.endpoint}{path}", form])
        assert answer.value.status == 403


def test_only_the_pages_files_are_at_its_address(page: Page, cloud: Deployment) -> None:
    page.goto(str(cloud.page_url))
    for path in ("login", "oauth2/authorize", "_ministack/health", "_aws/ses/messages", "us-east-1_x/jwks"):
        assert page.evaluate(TRY, [f"/{path}", {}])[1] == 403
    expect(page).to_have_url(str(cloud.page_url))


def test_at_another_port_the_page_is_at_home_too(tmp_path: Path) -> None:
    with running(port=free_port(), state=tmp_path) as first:
        pass
    with running(port=free_port(), state=tmp_path) as second:
        assert second.page_url
        assert second.page_url != first.page_url
        assert urlsplit(str(second.page_url)).port == urlsplit(second.endpoint).port
        page = second.page_url.removesuffix("/")
        config = httpx.get(
            f"{second.endpoint}/config.json", headers={"Host": page.removeprefix("http://")}
        ).json()
        assert config["api"] == second.api_url
        back = {"response_type": "code", "client_id": config["login"]["clientId"]}
        for url, status in ((second.page_url, 200), (first.page_url, 400)):
            answer = httpx.get(
                f"{second.endpoint}/oauth2/authorize", params=back | {"redirect_uri": str(url)}
            )
            assert answer.status_code == status
        asks = {"Origin": page, "Access-Control-Request-Method": "GET"}
        answer = httpx.options(f"{second.api_url}/v1/jobs", headers=asks)
        assert answer.headers["access-control-allow-origin"] == page
        link = f"{second.endpoint}/{second.stems_bucket}/a"
        assert httpx.options(link, headers=asks).headers["access-control-allow-origin"] == page
