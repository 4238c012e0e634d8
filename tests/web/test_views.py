"""The page's views with the built-in song, for which nobody signs in."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from local.cloud import Deployment
from tests.web.conftest import SECONDS
from tests.web.pages import OPEN_VIEWS, ROOT, clock, open_view, overflow, violations, wrong_anywhere

WIDE: ViewportSize = {"width": 1440, "height": 900}
BUILT = ROOT / "web/dist"
SIZES = ROOT / "web/sizes.json"


@pytest.fixture
def address(cloud: Deployment) -> str:
    """Of the page."""
    return str(cloud.page_url)


@pytest.fixture
def wide(browser: Browser) -> Iterator[Page]:
    """A tab of a large window; what goes wrong in its scripts fails the test."""
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert not wrong


@pytest.mark.parametrize("view", OPEN_VIEWS)
def test_no_view_is_wrong_for_anybody(browser: Browser, address: str, view: str) -> None:
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    page = context.new_page()
    open_view(page, address, view)
    assert wrong_anywhere(page) == []
    context.close()


def painted(page: Page) -> bytes:
    """What is seen of the welcome page's scene, where nothing lies over it; once it is there."""
    end = time.monotonic() + SECONDS
    while True:
        seen = page.screenshot(clip={"x": 0, "y": 100, "width": 500, "height": 500})
        if len(seen) > 4000:  # a flat ground packs into less
            return seen
        assert time.monotonic() < end, "nothing is painted"
        page.wait_for_timeout(100)


def test_a_stage_plays_before_anybody_signs_in(wide: Page, address: str) -> None:
    open_view(wide, address, "welcome")
    before, picture = clock(wide, ".deck"), painted(wide)
    expect(wide.get_by_text("Silent until you press play")).to_be_visible()
    wide.wait_for_timeout(300)
    assert clock(wide, ".deck") != before
    end = time.monotonic() + SECONDS
    while painted(wide) == picture:
        assert time.monotonic() < end, "the picture stands still"
    wide.get_by_role("button", name="Play it with sound").click()
    wide.wait_for_url("**/#/song/night-bus/stage")
    expect(wide.get_by_role("heading", name="Night Bus")).to_be_visible()
    expect(wide.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    stood = clock(wide, ".stage-transport")
    expect(wide.locator(".stage-transport .dots .on").first).not_to_have_attribute("d", stood)


def scripts(page: Page) -> set[str]:
    """The scripts that the page has fetched, workers too, by their names; browsers list no worklets."""
    names = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    return {path.rsplit("/", 1)[-1] for path in names if path.endswith(".js")}


def packed(names: set[str]) -> float:
    """Kilobytes of scripts, by gzip."""
    return sum(len(gzip.compress((BUILT / "assets" / name).read_bytes())) for name in names) / 1000


def test_the_browser_fetches_what_the_build_has_counted_and_no_more(wide: Page, address: str) -> None:
    limits = {part["name"]: part["most"] for part in json.loads(SIZES.read_text())["parts"]}
    open_view(wide, address, "welcome")
    painted(wide)
    first = scripts(wide)
    assert {name.split("-")[0] for name in first} >= {"index", "backdrop", "painter.worker"}
    assert packed(first) <= limits["first view"]
    wide.get_by_role("button", name="Play it with sound").click()
    wide.wait_for_url("**/#/song/night-bus/stage")
    expect(wide.locator(".thumb canvas").first).to_be_visible()
    expect(wide.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    more = scripts(wide) - first
    assert any(name.startswith("player-") for name in more)
    assert packed(more) <= limits["stage"]
    video = [path.name for path in (BUILT / "assets").glob("*.js") if "matroska" in path.read_text()]
    assert video
    assert not (first | more) & set(video)


def test_where_motion_is_unwanted_nothing_moves_until_it_is_played(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    page = context.new_page()
    open_view(page, address, "welcome")
    painted(page)
    page.wait_for_timeout(300)
    before, picture = clock(page, ".deck"), painted(page)
    page.wait_for_timeout(400)
    assert clock(page, ".deck") == before
    assert painted(page) == picture
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert page.evaluate(moving) == 0
    context.close()


def test_the_mixer_by_keyboard_alone(wide: Page, address: str) -> None:
    open_view(wide, address, "mixer")
    position = wide.get_by_role("slider", name="Position")
    wide.keyboard.press("Shift+ArrowRight")
    expect(position).to_have_attribute("aria-valuetext", re.compile("bar 2, beat 1"))
    wide.keyboard.press("ArrowRight")
    expect(position).to_have_attribute("aria-valuetext", re.compile("bar 2, beat 2"))

    wide.keyboard.press("1")
    expect(wide.get_by_role("button", name="Mute Drums")).to_have_attribute("aria-pressed", "true")
    wide.keyboard.press("Shift+2")
    expect(wide.get_by_role("button", name="Hear Vocals alone")).to_have_attribute("aria-pressed", "true")

    wide.keyboard.press("BracketLeft")
    wide.keyboard.press("Shift+ArrowRight")
    wide.keyboard.press("Shift+ArrowRight")
    wide.keyboard.press("BracketRight")
    expect(wide.get_by_text("bars 2 to 4")).to_be_visible()
    loop = wide.get_by_role("button", name="Loop")
    expect(loop).to_have_attribute("aria-pressed", "true")
    wide.keyboard.press("Backslash")
    expect(loop).to_have_attribute("aria-pressed", "false")

    wide.get_by_role("slider", name="Gain of Bass").focus()
    wide.keyboard.press("m")
    expect(wide.get_by_role("button", name="Mute Bass")).to_have_attribute("aria-pressed", "true")
    wide.keyboard.press("ArrowUp")
    expect(wide.get_by_role("slider", name="Gain of Bass")).to_have_attribute("aria-valuetext", "+0.5 dB")
    wide.keyboard.press("x")
    expect(wide.get_by_role("button", name="3 stems, zip")).to_be_visible()

    position.focus()
    wide.keyboard.press("Digit0")
    expect(wide.get_by_role("button", name="Whole song")).to_be_visible()
    wide.keyboard.press("Home")
    expect(position).to_have_attribute("aria-valuetext", re.compile("^0 seconds"))


def test_space_plays_after_a_click_and_is_a_controls_own_by_keyboard(wide: Page, address: str) -> None:
    open_view(wide, address, "mixer")
    play, pause = (wide.get_by_role("button", name=name, exact=True) for name in ("Play", "Pause"))
    mute = wide.get_by_role("button", name="Mute Drums")
    take = wide.get_by_role("checkbox", name="Take Bass")
    for control in (mute, wide.get_by_role("slider", name="Gain of Bass"), take):
        control.click()
        expect(control).to_be_focused()
        wide.keyboard.press("s" if control is mute else "m")  # no key makes it any less clicked
        wide.keyboard.press("Space")
        expect(pause).to_be_visible()
        wide.keyboard.press("Space")
        expect(play).to_be_visible()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(take).not_to_be_checked()
    wide.keyboard.press("Tab")
    take.focus()
    wide.keyboard.press("Space")
    expect(take).to_be_checked()
    expect(play).to_be_visible()
    wide.keyboard.press("Shift+Slash")
    expect(wide.get_by_role("dialog", name="Keys")).to_be_visible()
    wide.get_by_role("dialog", name="Keys").get_by_role("heading").click()
    wide.keyboard.press("Space")
    wide.keyboard.press("Escape")
    expect(wide.get_by_role("dialog", name="Keys")).to_have_count(0)
    expect(play).to_be_visible()


# When a time was shown that the worklet has reported, after the key was pressed, in milliseconds.
STARTED = """() => {
    window.started = new Promise((resolve) => {
        addEventListener("keydown", () => {
            const from = performance.now();
            const first = document.querySelector(".readout .dots .on").getAttribute("d");
            const look = () => {
                const now = document.querySelector(".readout .dots .on").getAttribute("d");
                if (now === first) requestAnimationFrame(look);
                else resolve(performance.now() - from);
            };
            look();
        }, {once: true, capture: true});
    });
}"""


def test_play_moves_the_clock_of_the_audio_thread(wide: Page, address: str) -> None:
    open_view(wide, address, "mixer")
    wide.evaluate(STARTED)
    wide.keyboard.press("Space")
    # Until the worklet says that it plays, the page shows the time that was sought.
    print(f"heard after {wide.evaluate('started'):.0f} ms")
    expect(wide.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_the_mixer_shows_where_the_keys_have_gone(wide: Page, address: str) -> None:
    open_view(wide, address, "mixer")
    wide.keyboard.press("End")
    expect(wide.get_by_role("slider", name="Position")).to_have_attribute(
        "aria-valuetext", re.compile("^57|^56")
    )
    canvas = wide.locator(".desk-canvas")
    # The pipe's head is white, at the ruler's foot; the window that was seen first has none.
    head = """(canvas) => {
        const y = Math.round(62 * canvas.height / canvas.clientHeight);
        const {data} = canvas.getContext("2d").getImageData(0, y, canvas.width, 1);
        return data.some((_, place) => place % 4 === 0 && Math.min(...data.subarray(place, place + 3)) > 235);
    }"""
    end = time.monotonic() + SECONDS
    while not canvas.evaluate(head):
        assert time.monotonic() < end, "the pipe is out of sight"
        wide.wait_for_timeout(100)


def test_the_mixer_plays_and_keeps_its_place_on_stage(wide: Page, address: str) -> None:
    open_view(wide, address, "mixer")
    wide.keyboard.press("Space")
    expect(wide.get_by_role("button", name="Pause")).to_be_visible()
    before = clock(wide, ".readout")
    wide.wait_for_timeout(1200)
    assert clock(wide, ".readout") != before
    wide.get_by_role("link", name="Stage").click()
    expect(wide.get_by_role("button", name="Pause")).to_be_visible()
    wide.keyboard.press("Space")
    expect(wide.get_by_role("button", name="Play")).to_be_visible()


def test_keys_can_be_turned_off(wide: Page, address: str) -> None:
    open_view(wide, address, "mixer")
    wide.keyboard.press("Shift+Slash")
    dialog = wide.get_by_role("dialog", name="Keys")
    dialog.get_by_role("switch", name="Single keys").click()
    wide.keyboard.press("Escape")
    wide.keyboard.press("1")
    expect(wide.get_by_role("button", name="Mute Drums")).to_have_attribute("aria-pressed", "false")


def test_scenes_are_chosen_and_bound_by_keyboard(wide: Page, address: str) -> None:
    open_view(wide, address, "stage")
    wide.keyboard.press("w")
    expect(wide.get_by_role("radio", name="Rig")).to_have_attribute("aria-checked", "true")
    slot = wide.get_by_role("button", name=re.compile("^Horizon "))
    slot.focus()
    wide.keyboard.press("b")
    signals = wide.get_by_role("listbox", name="Signal for Horizon")
    expect(signals).to_be_focused()
    wide.keyboard.press("Home")
    wide.keyboard.press("Enter")
    expect(slot).to_have_accessible_name(re.compile("^Horizon Empty"))
    expect(slot).to_be_focused()
    wide.keyboard.press("Enter")
    expect(signals).to_be_focused()
    wide.keyboard.type("d")  # the first that begins with it is the default
    wide.keyboard.press("Enter")
    expect(slot).to_have_accessible_name(re.compile("^Horizon Bass, loudness"))


def test_a_signal_is_dragged_into_a_slot_and_one_that_does_not_fit_is_refused(
    wide: Page, address: str
) -> None:
    open_view(wide, address, "stage")
    palette = wide.get_by_role("complementary", name="Signals")
    vocals = palette.get_by_role("group", name="Vocals")
    leap = wide.locator('[data-slot="leap"]')
    vocals.get_by_text("notes", exact=True).hover()
    wide.mouse.down()
    leap.hover()
    expect(leap).to_have_class(re.compile("target"))
    wide.mouse.up()
    expect(leap.get_by_role("button")).to_have_accessible_name(re.compile("^Leap Vocals, notes"))

    vocals.get_by_text("pitch", exact=True).hover()
    wide.mouse.down()
    leap.hover()
    wide.mouse.up()
    expect(wide.get_by_text("Leap wants hits or notes; Vocals, pitch is a curve.")).to_be_visible()
    expect(leap.get_by_role("button")).to_have_accessible_name(re.compile("^Leap Vocals, notes"))


def test_a_preset_is_kept_given_away_and_taken_in(wide: Page, address: str) -> None:
    open_view(wide, address, "stage")
    wide.keyboard.press("b")
    expect(wide.get_by_role("listbox")).to_be_focused()
    wide.keyboard.press("Home")
    wide.keyboard.press("Enter")
    wide.get_by_role("button", name="Preset: House, changed").click()
    wide.get_by_label("Name of a preset to keep").fill("<b>Mine</b>")
    wide.get_by_role("button", name="Keep", exact=True).click()
    expect(wide.get_by_role("radio", name="<b>Mine</b>")).to_be_checked()
    with wide.expect_download() as downloaded:
        wide.get_by_role("button", name="Save as a file").click()
    kept = json.loads(downloaded.value.path().read_text())
    assert (kept["kind"], kept["name"], kept["scenes"]) == (
        "stempipe-preset",
        "<b>Mine</b>",
        {"split": {"first": None}},
    )

    wide.get_by_role("button", name="Forget <b>Mine</b>").click()
    expect(wide.get_by_role("radio", name="<b>Mine</b>")).to_have_count(0)
    with wide.expect_file_chooser() as chooser:
        wide.get_by_role("button", name="Open a file").click()
    chooser.value.set_files(downloaded.value.path())
    expect(wide.get_by_role("radio", name="<b>Mine</b>")).to_be_checked()
    wide.reload()
    wide.get_by_role("button", name=re.compile("^Preset: ")).click()
    expect(wide.get_by_role("radio", name="<b>Mine</b>")).to_be_visible()


def test_no_words_of_the_welcome_page_lie_under_its_deck(wide: Page, address: str) -> None:
    under = """() => {
        const deck = document.querySelector(".deck").getBoundingClientRect().top;
        const under = (each) => each.getBoundingClientRect().bottom > deck;
        const words = [...document.querySelectorAll("main :is(h1, p, li, a, button)")];
        return words.filter(under).map((each) => each.textContent);
    }"""
    for width, height in ((1440, 900), (1000, 720), (901, 900), (700, 900), (642, 760), (360, 640)):
        wide.set_viewport_size({"width": width, "height": height})
        open_view(wide, address, "welcome")
        assert wide.evaluate(under) == [], f"{width} x {height}"


def test_the_picture_alone_lies_on_nothing(wide: Page, address: str) -> None:
    wide.goto(f"{address}?obs#/song/night-bus/stage")
    picture = wide.locator("canvas")
    expect(picture).to_be_visible()
    expect(wide.locator("header, button")).to_have_count(0)
    wide.wait_for_timeout(500)
    corner = "(canvas) => canvas.getContext('2d').getImageData(3, canvas.height - 3, 1, 1).data[3]"
    assert picture.evaluate(corner) == 0
    assert wide.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_the_picture_alone_is_the_one_on_stage(wide: Page, address: str) -> None:
    wide.add_init_script("delete Navigator.prototype.clipboard")  # the address is shown then
    open_view(wide, address, "stage")
    wide.get_by_role("radio", name="Floor").check()
    wide.keyboard.press("b")
    expect(wide.get_by_role("listbox")).to_be_focused()
    wide.keyboard.press("Home")
    wide.keyboard.press("Enter")
    wide.get_by_role("button", name="OBS").click()
    copied = wide.locator(".toast", has_text="The address for OBS").get_by_text("obs=").inner_text()
    wide.goto("about:blank")
    wide.goto(copied)
    picture = wide.get_by_role("img", name=re.compile("^Scene: Floor"))
    expect(picture).to_have_accessible_name(re.compile("second row by"))
    expect(picture).not_to_have_accessible_name(re.compile("first row by"))
    expect(wide.locator("header, button")).to_have_count(0)


def test_taking_away_says_what_the_file_will_be_and_gives_the_focus_back(wide: Page, address: str) -> None:
    open_view(wide, address, "stage")
    export = wide.get_by_role("link", name="Export")
    export.focus()
    wide.keyboard.press("Enter")
    dialog = wide.get_by_role("dialog", name="Take away")
    expect(dialog.get_by_text("WebM, VP9 + Opus")).to_be_visible()
    dialog.get_by_text(re.compile("^MP4")).click()
    expect(dialog.get_by_text("MP4 may be silent elsewhere.")).to_be_visible()
    dialog.get_by_text("24", exact=True).click()
    to = dialog.get_by_role("slider", name="To")
    to.focus()
    wide.keyboard.press("Home")
    expect(dialog.get_by_text("12 frames, 0:00.5")).to_be_visible()
    wide.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(export).to_be_focused()


def test_a_video_is_made_and_saved(wide: Page, address: str) -> None:
    wide.add_init_script("delete window.showSaveFilePicker")  # nobody is there to answer it
    open_view(wide, address, "take away")
    dialog = wide.get_by_role("dialog", name="Take away")
    dialog.get_by_text(re.compile("^1280")).click()
    dialog.get_by_role("slider", name="To").focus()
    wide.keyboard.press("Home")
    with wide.expect_download(timeout=120_000) as downloaded:
        dialog.get_by_role("button", name="Render video").click()
    assert downloaded.value.suggested_filename == "Night Bus - Split.webm"
    assert downloaded.value.path().read_bytes()[:4] == b"\x1aE\xdf\xa3"
    expect(dialog.get_by_text("The video is saved")).to_be_visible()  # where it is read, and not behind it


def test_a_video_that_is_cancelled_keeps_its_options(wide: Page, address: str) -> None:
    wide.add_init_script("delete window.showSaveFilePicker")
    open_view(wide, address, "take away")
    dialog = wide.get_by_role("dialog", name="Take away")
    for option in ("1:1", "60", "All stems"):
        dialog.get_by_text(option, exact=True).click()
    dialog.get_by_role("slider", name="From").focus()
    wide.keyboard.press("ArrowRight")
    frames = dialog.get_by_text(re.compile(r"^[\d,]+ frames"))
    words = frames.inner_text()
    dialog.get_by_role("button", name="Render video").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(frames).to_have_text(words)
    for option in ("1:1", "60", "All stems"):
        expect(dialog.get_by_role("radio", name=option, exact=True)).to_be_checked()


def test_a_video_goes_on_wherever_one_looks(wide: Page, address: str) -> None:
    wide.add_init_script("delete window.showSaveFilePicker")
    open_view(wide, address, "take away")
    wide.get_by_role("button", name="Render video").click()
    saving = wide.get_by_role("region", name="Saving Night Bus - Split.webm")
    expect(saving.get_by_text(re.compile(r"^[\d,]+ of [\d,]+ frames"))).to_be_visible()
    wide.keyboard.press("Escape")
    for view, there in (("Stage", wide.get_by_role("radio", name="Split")), ("Mix", wide.locator(".desk"))):
        wide.get_by_role("link", name=view).click()
        expect(there).to_be_visible()
        expect(saving).to_have_count(1)
        expect(saving).to_be_visible()
    saving.get_by_role("button", name="Cancel").click()
    expect(saving).to_have_count(0)


def test_a_drag_from_a_slot_selects_no_text(wide: Page, address: str) -> None:
    open_view(wide, address, "stage")
    wide.locator("[data-slot=leap] .grip").hover()
    wide.mouse.down()
    wide.locator("[data-slot=first]").hover()
    wide.mouse.up()
    expect(wide.get_by_role("button", name=re.compile("^First stream Drums, hits"))).to_be_visible()
    assert wide.evaluate("String(getSelection())") == ""


def test_a_phone_has_the_presets(wide: Page, address: str) -> None:
    wide.set_viewport_size({"width": 390, "height": 844})
    open_view(wide, address, "stage")
    wide.get_by_role("button", name="Preset: House").click()
    wide.get_by_role("radio", name="Blackout").check()
    expect(wide.get_by_role("radio", name="Rig")).to_be_checked()
    assert violations(wide) == []
    assert overflow(wide) == 0


def test_the_theme_is_kept(wide: Page, address: str) -> None:
    open_view(wide, address, "mixer")
    before = str(wide.evaluate("document.documentElement.dataset.theme"))
    other = {"dark": "light", "light": "dark"}[before]
    wide.get_by_role("button", name=f"{other.capitalize()} theme").click()
    wide.reload()
    expect(wide.locator("html")).to_have_attribute("data-theme", other)
