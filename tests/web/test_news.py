"""How news comes: by the WebSocket or by asking, in several tabs, and while nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from local.cloud import Deployment

# In place of the browser's notifications, which a test cannot see, and of its question, which nobody answers.
NOTICES = """() => {
    const said = [];
    window.said = said;
    window.asked = [];
    window.Notification = class extends EventTarget {
        static permission = "default";
        static async requestPermission() {
            asked.push(navigator.userActivation.isActive);
            return (Notification.permission = "granted");
        }
        constructor(title) {
            super();
            said.push(title);
            window.latest = this;
        }
        close() {}
    };
}"""
# Whether the page is looked at: a headless browser always looks.
LOOK = """(away) => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => away});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class Line:
    """The WebSocket between the page and the service, to be cut and mended."""

    def __init__(self) -> None:
        self.cut = False
        self._open: list[WebSocketRoute] = []

    def route(self, socket: WebSocketRoute) -> None:
        if self.cut:
            socket.close(code=1001)
            return
        socket.connect_to_server()
        self._open.append(socket)

    def lose(self) -> None:
        self.cut = True
        for socket in self._open:
            socket.close(code=1001)
        self._open.clear()


@pytest.fixture
def line(context: BrowserContext) -> Line:
    """What the pages of this test hear news by."""
    line = Line()
    context.route_web_socket("**", line.route)
    return line


@pytest.fixture
def inside(line: Line, studio: Page) -> Page:
    """The library of somebody who is signed in, in a large window."""
    studio.set_viewport_size({"width": 1440, "height": 900})
    expect(studio.get_by_role("heading", name="Library")).to_be_visible()
    return studio


class Elsewhere:
    """Makes jobs of files that no decoder takes, not in the page."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api
        self._uploads: dict[str, dict[str, Any]] = {}

    def make(self, name: str) -> None:
        """A job that awaits its file."""
        made = self._api.post("/v1/jobs", json={"filename": name, "size": 3}).raise_for_status().json()
        self._uploads[name] = made["upload"]

    def upload(self, name: str) -> None:
        """Its file: the job fails."""
        form = self._uploads[name]
        httpx.post(form["url"], data=form["fields"], files={"file": b"..."}, timeout=60).raise_for_status()


@pytest.fixture
def elsewhere(cloud: Deployment) -> Iterator[Elsewhere]:
    """The same person, at the API."""
    headers = {"Authorization": f"Bearer {cloud.token()}"}
    with httpx.Client(base_url=cloud.api_url, headers=headers, timeout=60) as api:
        yield Elsewhere(api)


def row(page: Page, name: str) -> Any:
    """A job's row."""
    return page.locator(".job", has=page.get_by_role("heading", name=name, exact=True)).first


def failed(page: Page, elsewhere: Elsewhere, name: str) -> None:
    """Have a job that the page knows fail, and wait until it says so."""
    elsewhere.make(name)
    expect(row(page, name).get_by_text("Waiting for its file")).to_be_visible()
    elsewhere.upload(name)
    expect(row(page, name).get_by_text("Failed after")).to_be_visible()


def test_without_the_socket_the_page_asks_says_so_and_comes_back(
    inside: Page, line: Line, elsewhere: Elsewhere
) -> None:
    mark = inside.get_by_role("banner").get_by_role("status")
    expect(mark).to_have_text("Live")
    line.lose()
    expect(mark).to_have_text("Live is off, looking every 5 s")
    elsewhere.make("while it was off.wav")
    expect(row(inside, "while it was off.wav")).to_be_visible()
    expect(inside.get_by_role("alert")).to_have_count(0)
    inside.set_viewport_size({"width": 390, "height": 844})
    expect(inside.get_by_text("Live is off, looking every 5 s").locator("visible=true")).to_be_visible()
    inside.set_viewport_size({"width": 1440, "height": 900})
    line.cut = False
    expect(mark).to_have_text("Live")
    elsewhere.make("when it was back.wav")
    expect(row(inside, "when it was back.wav")).to_be_visible()


def test_what_is_done_in_one_tab_is_seen_in_the_other(
    inside: Page,
    context: BrowserContext,
    cloud: Deployment,
    sign_in: Callable[..., None],
    elsewhere: Elsewhere,
) -> None:
    other = context.new_page()
    other.set_viewport_size({"width": 1440, "height": 900})
    other.goto(str(cloud.page_url))
    other.get_by_role("button", name="Sign in", exact=True).click()
    sign_in(other)
    elsewhere.make("for both.wav")
    for page in (inside, other):
        expect(row(page, "for both.wav").get_by_text("Waiting for its file")).to_be_visible()
    row(other, "for both.wav").get_by_role("button", name="Cancel").click()
    for page in (other, inside):
        expect(row(page, "for both.wav").get_by_text("Cancelled")).to_be_visible()
    other.close()
    elsewhere.make("for one.wav")
    expect(row(inside, "for one.wav")).to_be_visible()


def test_the_browser_tells_of_an_end_when_nobody_looks_and_asks_by_a_gesture_alone(
    inside: Page, elsewhere: Elsewhere
) -> None:
    inside.evaluate(NOTICES)
    assert inside.evaluate("asked") == []
    inside.get_by_role("link", name="New project").first.click()
    inside.get_by_role("link", name="Library").click()
    inside.get_by_role("button", name="Tell me").click()
    expect(inside.get_by_role("button", name="Tell me")).to_have_count(0)
    assert inside.evaluate("asked") == [True]

    failed(inside, elsewhere, "seen.wav")
    assert inside.evaluate("said") == []

    inside.evaluate(LOOK, True)
    failed(inside, elsewhere, "unseen.wav")
    assert inside.evaluate("said") == ["unseen.wav failed"]
    inside.evaluate("latest.dispatchEvent(new Event('click'))")
    inside.evaluate(LOOK, False)
    assert inside.url.endswith("#/library")


def test_whoever_says_no_is_not_asked_again(inside: Page) -> None:
    inside.evaluate(NOTICES)
    inside.get_by_role("link", name="New project").first.click()
    inside.get_by_role("link", name="Library").click()
    inside.get_by_role("button", name="No, thanks").click()
    expect(inside.get_by_role("button", name="Tell me")).to_have_count(0)
    assert inside.evaluate("asked") == []
    assert inside.evaluate("JSON.parse(localStorage.getItem('stempipe.settings')).notify") is False
