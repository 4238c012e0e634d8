"""The whole way through the page: sign in, choose how to come in, upload, watch, mix, take away."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from analysis.midi import song_file
from local.cloud import Deployment
from tests.web.pages import drop, violations, wrong_anywhere

# A song is separated and listened to meanwhile.
LONG = 240_000
HOSTILE = '<img src=x onerror="document.title=1">.wav'


@pytest.fixture
def inside(studio: Page) -> Page:
    """The page with somebody signed in, in a large window."""
    studio.set_viewport_size({"width": 1440, "height": 900})
    expect(studio.get_by_role("heading", name="Library")).to_be_visible()
    return studio


def tone(hertz: float, seconds: float = 3.0) -> bytes:
    """A WAV of one tone."""
    rate = 44100
    time = np.arange(round(seconds * rate)) / rate
    sound = (12000 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()
    head = b"RIFF" + (36 + len(sound)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += (1).to_bytes(2, "little") * 2 + rate.to_bytes(4, "little") + (2 * rate).to_bytes(4, "little")
    return (
        head
        + (2).to_bytes(2, "little")
        + (16).to_bytes(2, "little")
        + b"data"
        + len(sound).to_bytes(4, "little")
        + sound
    )


def choose(page: Page, *files: Path) -> None:
    """Choose files on the card that is selected."""
    with page.expect_file_chooser() as chooser:
        page.locator(".launch").get_by_role("button", name=re.compile("^(Choose|Add|Another)")).click()
    chooser.value.set_files(files)


def done(page: Page, title: str) -> None:
    """Wait until a job is done, whatever else the library has."""
    row = page.locator(".job", has=page.get_by_role("heading", name=title, exact=True)).first
    expect(row.get_by_text("Done", exact=True)).to_be_visible(timeout=LONG)


def test_a_song_all_the_way(inside: Page, song: Path) -> None:
    inside.add_init_script("delete window.showSaveFilePicker")
    inside.evaluate("delete window.showSaveFilePicker")
    inside.get_by_role("link", name="New project").first.click()
    expect(inside.get_by_role("radio", name="Single song")).to_have_attribute("aria-checked", "true")
    assert violations(inside) == []
    choose(inside, song)
    inside.get_by_role("button", name="Send 1 song").click()
    done(inside, song.name)
    expect(inside.get_by_text(f"{song.name} is apart").first).to_be_visible()
    expect(inside.get_by_text(re.compile("BPM")).first).to_be_visible()
    assert violations(inside) == []

    inside.get_by_role("link", name=f"Mix {song.name}").first.click()
    expect(inside.get_by_role("slider", name="Position")).to_be_visible()
    expect(inside.locator(".lane")).to_have_count(2)
    expect(inside.get_by_role("region", name="Residual")).to_contain_text("The stems rebuild the song")
    inside.get_by_role("checkbox", name="Take Accompaniment").uncheck()
    with inside.expect_download(timeout=LONG) as downloaded:
        inside.get_by_role("button", name=re.compile(r"^1 stem, zip, \d.* MB$")).click()
    with zipfile.ZipFile(io.BytesIO(downloaded.value.path().read_bytes())) as packed:
        assert packed.namelist() == ["vocals.wav"]
        assert packed.testzip() is None
    with inside.expect_download(timeout=LONG) as downloaded:
        inside.get_by_role("button", name="Mix as heard, WAV").click()
    assert downloaded.value.path().read_bytes()[:4] == b"RIFF"

    inside.get_by_role("link", name="Take away").click()
    inside.get_by_role("tab", name="MIDI and data").click()
    expect(inside.get_by_text("song.mid", exact=True)).to_be_visible()
    expect(inside.get_by_text(re.compile(r"^[\d.]+ [kM]?B$")).first).to_be_visible()
    assert violations(inside) == []
    inside.keyboard.press("Escape")
    expect(inside.get_by_role("radio", name="Split")).to_be_visible()


def test_stems_of_ones_own_are_asked_about_named_and_stay_text(inside: Page) -> None:
    low = f"low bass{' that goes on' * 10}.wav"
    drop(inside, {low: tone(60), HOSTILE: tone(440)})
    inside.get_by_role("button", name=re.compile("^One song")).click()
    expect(inside.get_by_role("radio", name="Audio stems")).to_have_attribute("aria-checked", "true")
    expect(inside.get_by_label(f"Role of {low}")).to_have_value("bass")
    inside.get_by_label(f"Role of {HOSTILE}").select_option("vocals")
    inside.get_by_role("textbox", name="Title").fill("<script>document.title = 1</script>")
    assert inside.locator(".parts").evaluate("(list) => list.scrollWidth <= list.clientWidth")
    assert violations(inside) == []
    inside.get_by_role("button", name="Send 2 stems").click()
    done(inside, "<script>document.title = 1</script>")
    inside.get_by_role("link", name="Stage <script>document.title = 1</script>").click()
    expect(inside.locator("main img")).to_have_count(0)
    expect(inside.get_by_role("heading", name="<script>document.title = 1</script>")).to_be_visible()
    assert inside.title() != "1"


def test_midi_is_shown_before_it_is_sent(inside: Page, tmp_path: Path) -> None:
    from tests.web.examples import _chorus, _from_midi, _heard  # a song, and what MIDI it makes

    chorus = _chorus()
    found = _heard({"drums": chorus["drums"], "bass": chorus["bass"]}, tmp_path / "heard", "A")
    file = tmp_path / "song.mid"
    file.write_bytes(song_file(_from_midi(found), None))
    drop(inside, {"Mine.mid": file.read_bytes()})
    expect(inside.get_by_role("radio", name="MIDI")).to_have_attribute("aria-checked", "true")
    roles = inside.get_by_label(re.compile("^Role of "))
    expect(roles).to_have_count(2)
    assert violations(inside) == []
    inside.get_by_label("Role of bass, channel 1").select_option("ignore")
    inside.get_by_label("Transpose by semitones").fill("2")
    with inside.expect_request("**/v1/jobs") as asked:
        inside.get_by_role("button", name="Send 1 MIDI").click()
    config = json.loads(asked.value.post_data or "{}")["config"]
    assert config["midi"]["transpose"] == 2
    assert list(config["midi"]["roles"].values()) == ["ignore"]
    done(inside, "Mine.mid")
    inside.get_by_role("link", name="Mix Mine.mid").click()
    expect(inside.locator(".lane")).to_have_count(1)


def test_midi_among_sound_is_left_out(inside: Page) -> None:
    drop(inside, {"Hum.wav": tone(440), "Hum.mid": b"MThd"})
    expect(inside.get_by_role("radio", name="Single song")).to_have_attribute("aria-checked", "true")
    expect(inside.get_by_text("1 MIDI file left out")).to_be_visible()
    expect(inside.get_by_role("button", name="Send 1 song")).to_be_visible()


def test_what_the_service_would_refuse_is_refused_before_a_byte_is_sent(inside: Page) -> None:
    sent: list[str] = []
    inside.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    drop(inside, {"notes.mp3": b"this is no music " * 100})
    expect(inside.get_by_role("alert")).to_contain_text("no audio file that can be read")
    drop(inside, {"cut.mid": b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\4\0\xff\x2f"})
    expect(inside.get_by_role("alert")).to_contain_text("The MIDI file is cut")
    drop(inside, {"notes.mp3": b"this is no music " * 100})
    inside.get_by_role("button", name="Send 0 songs").focus()
    inside.keyboard.press("Enter")
    expect(inside.get_by_text("Nothing here can be sent.")).to_be_visible()
    assert sent == []


def test_a_song_beyond_the_quota_says_so_and_when_there_is_room(
    page: Page, cloud: Deployment, sign_in: Callable[..., None]
) -> None:
    someone = "thrifty@example.com"
    page.goto(str(cloud.page_url))
    page.get_by_role("button", name="Sign in").or_(page.get_by_role("link", name="Sign in")).first.click()
    sign_in(page, someone)
    limit(cloud, someone, maxMinutesADay=0)
    drop(page, {"Much.wav": tone(440)})
    page.get_by_role("button", name="Send 1 song").click()
    row = page.locator(".job.fail", has_text="Much.wav")
    expect(row.get_by_text("You have 0 left of 0 minutes of sound a day")).to_be_visible()
    expect(row.get_by_text(re.compile(r"Try again after \d\d:\d\d\."))).to_be_visible()
    limit(cloud, someone, maxMinutesADay=1)
    row.get_by_role("button", name="Try again").click()
    expect(row).to_have_count(0)
    expect(page.locator(".job", has_text="Much.wav")).to_be_visible()


def limit(cloud: Deployment, user: str, **limits: int) -> None:
    """Give a user limits of their own."""
    pool = cloud.client("cognito-idp").admin_get_user(UserPoolId=cloud.user_pool_id, Username=user)
    owner = next(one["Value"] for one in pool["UserAttributes"] if one["Name"] == "sub")
    stack = cloud.client("cloudformation").describe_stack_resource(
        StackName="stempipe", LogicalResourceId="UsageTable"
    )
    item = {"owner": {"S": owner}, "day": {"S": "limits"}} | {
        name: {"N": str(most)} for name, most in limits.items()
    }
    table = stack["StackResourceDetail"]["PhysicalResourceId"]
    cloud.client("dynamodb").put_item(TableName=table, Item=item)


def test_a_failure_says_what_to_do_and_a_deletion_can_be_undone(inside: Page) -> None:
    silent = tone(440, 0.0)
    drop(inside, {"Hollow.wav": silent})
    inside.get_by_role("button", name="Send 1 song").click()
    row = inside.locator(".job.fail", has_text="Hollow.wav")
    expect(row).to_be_visible(timeout=LONG)
    expect(row.get_by_role("button", name="Replace file")).to_be_visible()
    row.get_by_role("button", name="More for Hollow.wav").click()
    inside.get_by_role("button", name="Delete").click()
    expect(inside.get_by_text("Deleted “Hollow.wav”.")).to_be_visible()
    inside.get_by_role("button", name="Undo").click()
    expect(row).to_be_visible()
    row.get_by_role("button", name="More for Hollow.wav").click()
    inside.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    expect(inside.get_by_text("Deleted “Hollow.wav”.")).to_have_count(0, timeout=20_000)
    expect(row).to_have_count(0)


def test_fighters_by_keyboard_alone(inside: Page) -> None:
    # The browser hands its file choosers over from now on: asked for with the key alone, that may be late.
    inside.on("filechooser", lambda _: None)
    inside.get_by_role("link", name="New project").first.click()
    one = inside.get_by_role("radio", name="Single song")
    one.focus()
    inside.keyboard.press("ArrowRight")
    band = inside.get_by_role("radio", name="Audio stems")
    expect(band).to_be_focused()
    expect(band).to_have_attribute("aria-checked", "true")
    expect(inside.get_by_role("region", name="Loadout for Audio stems")).to_be_visible()
    inside.keyboard.press("ArrowLeft")
    inside.keyboard.press("l")
    expect(inside.get_by_role("radiogroup", name="Model").get_by_role("radio").first).to_be_focused()
    one.focus()
    expect(one).to_be_focused()
    with inside.expect_file_chooser():
        inside.keyboard.press("Enter")


def test_no_view_of_those_who_are_inside_is_wrong_for_anybody(inside: Page) -> None:
    assert wrong_anywhere(inside) == []
    inside.goto(inside.url.split("#")[0] + "#/new")
    for name in ("Single song", "Audio stems", "MIDI"):
        inside.get_by_role("radio", name=name).click()
        expect(inside.get_by_role("region", name=f"Loadout for {name}")).to_be_visible()
        assert wrong_anywhere(inside) == []
        expect(inside.get_by_role("radio", name=name)).to_have_attribute("aria-checked", "true")
    inside.set_viewport_size({"width": 390, "height": 844})
    for name in ("Single song", "Audio stems", "MIDI"):
        inside.get_by_role("radio", name=name).click()
        expect(inside.get_by_role("article").get_by_role("heading", name=name)).to_be_visible()


def test_signing_out_ends_it(inside: Page, cloud: Deployment) -> None:
    inside.get_by_role("button", name="producer@example.com").click()
    inside.get_by_role("button", name="Sign out").click()
    inside.wait_for_url(f"{cloud.page_url}**")
    expect(inside.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_the_settings(inside: Page, sign_in: Callable[..., None]) -> None:
    inside.get_by_role("button", name="producer@example.com").click()
    settings = inside.get_by_role("region", name="Settings")
    expect(settings.get_by_text(re.compile(r"^[\d,]+ of 1,000 left$"))).to_be_visible()  # open jobs
    expect(settings.get_by_text(re.compile(" of 200 GB$"))).to_be_visible()
    assert violations(inside) == []
    inside.get_by_role("switch", name="Less motion").click()
    expect(inside.locator("html")).to_have_attribute("data-motion", "still")
    inside.keyboard.press("Escape")
    expect(inside.get_by_role("region", name="Settings")).to_have_count(0)
