"""The page under other circumstances: forced colours, less motion, a low window, full screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from local.cloud import Deployment
from tests.web.pages import OPEN_VIEWS, clock, open_view, violations

WIDE: ViewportSize = {"width": 1440, "height": 900}
LOW: ViewportSize = {"width": 1280, "height": 680}

# What a person presses, and how far its words, its sign or its border stand out from what is behind it.
FAINT = """() => {
    const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const channels = (color) => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = color;
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([red, green, blue]) => {
        const line = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        return 0.2126 * line(red) + 0.7152 * line(green) + 0.0722 * line(blue);
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = channels(getComputedStyle(at).backgroundColor);
            if (color[3] > 200) return color;
        }
        return channels("Canvas");
    };
    const contrast = (one, other) => {
        const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const shown = (element) => element.checkVisibility({visibilityProperty: true}) && !element.closest(".sr");
    const faint = [];
    for (const element of document.querySelectorAll("button, a[href], .seg label, .team label, .chip")) {
        if (!shown(element)) continue;
        const ground = behind(element);
        if (contrast(channels(getComputedStyle(element).color), ground) < 4.5)
            faint.push(element.className + " " + element.textContent);
    }
    for (const element of document.querySelectorAll(".check, .switch, .slot, .lane .key")) {
        if (!shown(element)) continue;
        const {borderTopColor, borderTopWidth} = getComputedStyle(element);
        const seen = contrast(channels(borderTopColor), behind(element.parentElement));
        if (parseFloat(borderTopWidth) < 1 || seen < 3)
            faint.push("border of " + element.className);
    }
    return faint;
}"""

# The luminance of a canvas' pixels along a row, from 0 to 1.
ROW = """(canvas, share) => {
    const y = Math.round(canvas.height * share);
    const {data} = canvas.getContext("2d").getImageData(0, y, canvas.width, 1);
    return Array.from({length: canvas.width}, (_, x) => Math.min(...data.subarray(4 * x, 4 * x + 3)) / 255);
}"""


# What a finger presses, and is smaller than 44 pixels: what hears it may be larger than what is drawn.
SMALL = """() => [
    ...document.querySelectorAll("a[href], button, input, select, [role=slider]")
].flatMap((element) => {
    if (!element.checkVisibility({visibilityProperty: true}) || element.closest(".sr, .skip")) return [];
    const sides = [element, element.closest("label") ?? element].map((each) => each.getBoundingClientRect());
    const around = ["::before", "::after"].map((part) => getComputedStyle(element, part))
        .filter(({position, content}) => position === "absolute" && content !== "none")
        .map(({width, height}) => ({width: parseFloat(width), height: parseFloat(height)}));
    const [width, height] = ["width", "height"].map((side) =>
        Math.max(...[...sides, ...around].map((each) => each[side] || 0)));
    const name = element.getAttribute("aria-label") ?? element.textContent;
    return Math.min(width, height) < 44 ? [`${name.trim()}: ${width} x ${height}`] : [];
})"""

# Settled once there is no full screen any more.
LEFT = """() => new Promise((left) => {
    const look = () => document.fullscreenElement || left();
    document.addEventListener("fullscreenchange", look);
    look();
})"""


@pytest.fixture
def address(cloud: Deployment) -> str:
    """Of the page."""
    return str(cloud.page_url)


@pytest.fixture
def forced(browser: Browser) -> Iterator[Page]:
    """A tab in which the system's colours are forced on the page."""
    context = browser.new_context(viewport=WIDE, forced_colors="active", reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.fixture
def wide(browser: Browser) -> Iterator[Page]:
    """A tab of a large window."""
    context = browser.new_context(viewport=WIDE)
    yield context.new_page()
    context.close()


# ---- forced colours ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "views"), [("dark", ["mixer", "stage"]), ("light", ["welcome", "take away"])]
)
def test_with_forced_colours_all_that_can_be_pressed_is_seen(
    forced: Page, address: str, views: list[str], scheme: Any
) -> None:
    forced.emulate_media(color_scheme=scheme)
    for view in views:
        open_view(forced, address, view)
        assert forced.evaluate("matchMedia('(forced-colors: active)').matches")
        assert forced.evaluate(FAINT) == []


def test_with_forced_colours_the_focus_and_what_is_chosen_are_seen(forced: Page, address: str) -> None:
    open_view(forced, address, "mixer")
    forced.get_by_role("button", name="Mute Drums").focus()
    forced.keyboard.press("Tab")
    style = "(element) => { const {outlineStyle, outlineWidth} = getComputedStyle(element); "
    style += "return [outlineStyle, parseFloat(outlineWidth)]; }"
    ring = forced.get_by_role("button", name="Hear Drums alone").evaluate(style)
    assert ring[0] != "none"
    assert ring[1] >= 2
    color = "(element) => getComputedStyle(element).backgroundColor"
    mute = forced.get_by_role("button", name="Mute Drums")
    before = mute.evaluate(color)
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    assert mute.evaluate(color) != before
    here = forced.get_by_role("link", name="Mix", exact=True)
    mark = "(element) => getComputedStyle(element, '::before').backgroundColor"
    assert here.evaluate(mark) == here.evaluate(
        "() => { const probe = document.createElement('i'); document.body.append(probe);"
        " probe.style.color = 'CanvasText'; return getComputedStyle(probe).color; }"
    )


def test_with_forced_colours_lanes_and_playhead_are_drawn(forced: Page, address: str) -> None:
    open_view(forced, address, "mixer")
    forced.keyboard.press("Shift+ArrowRight")
    forced.keyboard.press("Shift+ArrowRight")
    position = forced.get_by_role("slider", name="Position")
    expect(position).to_have_attribute("aria-valuetext", re.compile("bar 3"))
    canvas = forced.locator(".desk-canvas")
    forced.wait_for_timeout(300)  # two pictures at least
    lights = [canvas.evaluate(ROW, share) for share in (0.5, 0.7, 0.9)]
    pipe = [{x for x, light in enumerate(row) if light > 0.9} for row in lights]
    assert set.intersection(*pipe), "no upright line through all lanes"
    assert any(max(row) > 0.2 for row in ([light for light in row if light < 0.9] for row in lights))


# ---- less motion -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["system", "settings"])
def test_less_motion_moves_nothing_but_what_is_played(browser: Browser, address: str, how: str) -> None:
    context = browser.new_context(
        viewport=WIDE, reduced_motion="reduce" if how == "system" else "no-preference"
    )
    page = context.new_page()
    if how == "settings":
        page.add_init_script("localStorage.setItem('stempipe.settings', JSON.stringify({motion: 'still'}))")
    open_view(page, address, "stage")
    expect(page.locator("html")).to_have_attribute("data-motion", "still")
    picture = page.locator(".stage-picture")
    page.keyboard.press("w")
    page.get_by_role("radio", name="Floor").hover()
    page.wait_for_timeout(300)
    before = picture.evaluate("(canvas) => canvas.toDataURL()")
    page.wait_for_timeout(400)
    assert picture.evaluate("(canvas) => canvas.toDataURL()") == before
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert page.evaluate(moving) == 0
    durations = "(element) => getComputedStyle(element).transitionDuration"
    assert page.get_by_role("button", name="Signals", exact=True).evaluate(durations) == "0s"
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    stood = clock(page, ".stage-transport")
    expect(page.locator(".stage-transport .dots .on").first).not_to_have_attribute("d", stood)
    context.close()


# ---- the window --------------------------------------------------------------------------------


def test_a_low_window_shows_slots_or_scenes(wide: Page, address: str) -> None:
    wide.set_viewport_size(LOW)
    wide.goto(f"{address}#/song/night-bus/stage")
    slots, scenes = (wide.get_by_role("tab", name=name) for name in ("Slots", "Scenes"))
    expect(slots).to_have_attribute("aria-selected", "true")
    expect(wide.get_by_role("group", name="Slots")).to_be_visible()
    expect(wide.get_by_role("radiogroup", name="Scene")).to_have_count(0)
    slots.focus()
    wide.keyboard.press("ArrowRight")
    expect(scenes).to_be_focused()
    expect(wide.get_by_role("radiogroup", name="Scene")).to_be_visible()
    expect(wide.get_by_role("group", name="Slots")).to_have_count(0)
    assert violations(wide) == []
    wide.keyboard.press("b")
    expect(wide.get_by_role("listbox", name=re.compile("^Signal for"))).to_be_focused()
    expect(slots).to_have_attribute("aria-selected", "true")
    covered = wide.locator(".shelf").evaluate("(shelf) => shelf.getBoundingClientRect().height / innerHeight")
    assert covered < 0.3
    wide.set_viewport_size(WIDE)
    expect(wide.get_by_role("tab")).to_have_count(0)
    expect(wide.get_by_role("radiogroup", name="Scene")).to_be_visible()


def test_a_finger_finds_what_it_presses(browser: Browser, address: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = context.new_page()
    for view in OPEN_VIEWS:
        open_view(page, address, view)
        assert page.evaluate("matchMedia('(pointer: coarse)').matches")
        assert page.evaluate(SMALL) == [], view
    context.close()


def test_full_screen_rests_and_any_key_brings_the_shelf_back_with_its_focus(wide: Page, address: str) -> None:
    open_view(wide, address, "stage")
    slot = wide.get_by_role("button", name=re.compile("^Leap "))
    slot.focus()
    wide.keyboard.press("f")
    stage = wide.locator(".stage")
    full = "(stage) => document.fullscreenElement === stage"
    expect(stage).to_have_class(re.compile("away"))
    expect(wide.locator(".stage-over")).to_have_css("opacity", "0")
    assert stage.evaluate(full)
    wide.keyboard.press("Shift")
    expect(stage).not_to_have_class(re.compile("away"))
    expect(slot).to_be_focused()
    expect(stage).to_have_class(re.compile("away"))  # and rests again
    wide.mouse.move(500, 300)
    wide.mouse.move(520, 320)
    expect(stage).not_to_have_class(re.compile("away"))
    wide.keyboard.press("f")
    stage.evaluate(LEFT)
    expect(stage).not_to_have_class(re.compile("away"))


def test_the_shelf_is_hidden_by_a_key_and_stays_so(wide: Page, address: str) -> None:
    open_view(wide, address, "stage")
    stage = wide.locator(".stage")
    wide.keyboard.press("h")
    expect(stage).to_have_class(re.compile("away"))
    wide.mouse.move(300, 300)
    expect(stage).to_have_class(re.compile("away"))
    wide.keyboard.press("h")
    expect(stage).not_to_have_class(re.compile("away"))


def test_views_open_again_and_again(wide: Page, address: str) -> None:
    wrong: list[str] = []
    wide.on("pageerror", lambda error: wrong.append(str(error)))
    open_view(wide, address, "mixer")
    for _ in range(2):
        for view, ready in (("stage", ".shelf"), ("mix", ".lane"), ("take", ".take")):
            wide.evaluate("(to) => { location.hash = to; }", f"#/song/night-bus/{view}")
            expect(wide.locator(ready).first).to_be_visible()
        wide.evaluate("location.hash = '#/scenes'")
        expect(wide.get_by_role("heading", name="Six scenes")).to_be_visible()
        wide.evaluate("location.hash = '#/'")
        expect(wide.locator(".deck")).to_be_visible()
    assert wrong == []
