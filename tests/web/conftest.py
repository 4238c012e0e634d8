"""The page in a real browser, on a local cloud with its own login, storage and APIs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, expect, sync_playwright
from web.publish import put

from local import demo
from local.cloud import USER, Deployment, running
from local.server import free_port

HERE = Path(__file__).parent
DEBIANS = Path("/usr/bin/chromium")
# A page of elsewhere, which is on this machine for the browser alone. No other name is known to it: whatever
# a page would fetch from the Internet, it could not.
ELSEWHERE = "elsewhere.example"
ARGUMENTS = [
    "--autoplay-policy=no-user-gesture-required",
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1, MAP * ~NOTFOUND,"
    " EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
]
# Far more than it takes: two cores may be busy with a song, and with more.
SECONDS = 90


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("web")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Drives browsers."""
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium: Debian's, or else Playwright's own."""
    path = DEBIANS if DEBIANS.exists() else None
    try:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    except Error as error:
        pytest.fail(
            "There is no Chromium that starts. Try: apt-get install chromium, or"
            f" .venv/dev/bin/playwright install --with-deps chromium\n{error}"
        )
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been anywhere."""
    context = browser.new_context()
    context.set_default_timeout(SECONDS * 1000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab in it."""
    return context.new_page()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The template, deployed with an empty state, and the page as it is built."""
    with running(port=free_port(), state=tmp_path_factory.mktemp("cloud")) as deployment:
        if deployment.page_url is None:
            pytest.fail("The page is not built. Try: make web")
        yield deployment


@pytest.fixture(scope="session")
def song(root: Path) -> Path:
    """11 s of a real song with vocals."""
    return demo.example_song(root / ".local")


@pytest.fixture(scope="session")
def sign_in(cloud: Deployment) -> Callable[..., None]:
    """Signs a user in at the login that the page has led to, and waits until it is led back."""

    def fill(page: Page, user: str = USER) -> None:
        cloud.token(user)  # there is such a user from now on
        page.locator("[name=username]").fill(user)
        page.locator("[name=password]").fill(cloud.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{cloud.page_url}**")

    return fill


@pytest.fixture
def studio(page: Page, cloud: Deployment, sign_in: Callable[..., None]) -> Page:
    """The page with a producer signed in."""
    page.goto(str(cloud.page_url))
    page.get_by_role("button", name="Sign in").or_(page.get_by_role("link", name="Sign in")).first.click()
    sign_in(page)
    return page


# ---- the page without its views ----------------------------------------------------------------


@pytest.fixture(scope="session")
def probe_files(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The api room alone, built as the page is."""
    built = tmp_path_factory.mktemp("probe")
    web = root / "web"
    done = subprocess.run(
        [
            *("node", web / "node_modules/vite/bin/vite.js", "build", HERE / "probe"),
            *("--outDir", built, "--config", web / "vite.config.ts", "--logLevel", "warn"),
        ],
        cwd=web,
        env=os.environ | {"PATH": f"{root / '.venv/node/bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return built


@pytest.fixture(scope="module")
def probe(cloud: Deployment, probe_files: Path) -> Iterator[str]:
    """The address of the page while the probe is in its place."""
    s3 = cloud.client("s3")
    bucket = outputs(cloud)["PageBucket"]
    config = s3.get_object(Bucket=bucket, Key="config.json")["Body"].read()
    put(s3, bucket, json.loads(config), probe_files)
    yield str(cloud.page_url)
    put(s3, bucket, json.loads(config))


@pytest.fixture
def signed_in(page: Page, probe: str, sign_in: Callable[..., None]) -> Page:
    """The probe with a producer signed in."""
    page.goto(probe)
    begin_sign_in(page)
    sign_in(page)
    ready(page)
    return page


def begin_sign_in(page: Page) -> None:
    """Have the probe lead to the login."""
    ready(page)
    page.evaluate("void probe.auth.signIn()")
    expect(page.locator("[name=username]")).to_be_visible()


def ready(page: Page) -> None:
    """Wait until the probe is there."""
    expect(page.locator("h1[data-ready]")).to_be_visible()


def outputs(cloud: Deployment) -> dict[str, str]:
    """The stack's."""
    stack = cloud.client("cloudformation").describe_stacks(StackName="stempipe")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def at_page(cloud: Deployment, path: str, **more: Any) -> httpx.Response:
    """A request for the page, by its own host."""
    host = urlsplit(str(cloud.page_url)).netloc
    return httpx.get(f"{cloud.endpoint}{path}", headers={"Host": host}, timeout=60, **more)
