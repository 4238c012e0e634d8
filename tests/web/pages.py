"""What tests of the page's views do again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Wide as drawn, with less room, and a phone's.
WIDTHS = (1440, 800, 360)
# By their fragments; the built-in song needs nobody to sign in.
OPEN_VIEWS = {
    "welcome": "#/",
    "scenes": "#/scenes",
    "signed out": "#/library",
    "nowhere": "#/nowhere",
    "mixer": "#/song/night-bus/mix",
    "stage": "#/song/night-bus/stage",
    "take away": "#/song/night-bus/take",
}
READY = {
    "welcome": ".deck .dots",
    "scenes": ".gallery canvas",
    "signed out": "main h1",
    "nowhere": "main h1",
    "mixer": ".desk-canvas",
    "stage": ".thumb canvas",
    "take away": ".take-range",
}


def open_view(page: Page, address: str, view: str) -> None:
    """Go to one of the open views, and wait until it is there."""
    page.goto("about:blank")  # a fragment alone would load nothing anew
    page.goto(address + OPEN_VIEWS[view])
    expect(page.locator(READY[view]).first).to_be_visible()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is, in words."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        "async (rules) => await axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def wrong_anywhere(page: Page) -> list[str]:
    """What is wrong with the page at each width and in both themes; it is left wide, light and still."""
    found: list[str] = []
    page.emulate_media(
        reduced_motion="reduce"
    )  # amid a change of colours there is no contrast to be measured
    expect(page.locator("html")).to_have_attribute("data-motion", "still")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        for width in reversed(WIDTHS):
            page.set_viewport_size({"width": width, "height": 900})
            where = f"{width} pixels, {scheme}: "
            found += [where + words for words in violations(page)]
            if (over := overflow(page)) > 0:
                found.append(f"{where}scrolls sideways by {over} pixels")
    return found


def overflow(page: Page) -> int:
    """By how many pixels the page scrolls sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def clock(page: Page, where: str) -> str:
    """What a clock in dots says, as it is drawn."""
    return str(page.locator(f"{where} .dots .on").first.get_attribute("d"))


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Let files fall onto the page."""
    page.evaluate(
        """async (files) => {
            const data = new DataTransfer();
            for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
            const how = {dataTransfer: data, bubbles: true, cancelable: true};
            for (const kind of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(kind, how));
        }""",
        [[name, list(content)] for name, content in files.items()],
    )
