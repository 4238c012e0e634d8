"""Songs that the page sends, through lost networks, reloads and other tabs; and those that it does not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Route

from local.cloud import Deployment
from tests.web.conftest import SECONDS, begin_sign_in, ready

# Has the probe do what a page does for whoever is signed in, and notes what it hears.
BEGIN = """async () => {
    window.studio = probe.begin();
    window.heard = [];
    studio.live.jobs.onChange((job) => job && heard.push([studio.live.state, job.status, job.progress]));
    window.sent = [];
    const seen = () => studio.uploads.all.map((upload) => [upload.state, upload.sent]);
    studio.uploads.onChange(() => sent.push(...seen()));
    await studio.uploads.resume();
}"""
# What is to be known of a page in which something does not come.
TOLD = """() => {
    const uploads = studio.uploads.all.map((upload) => ({ ...upload, error: upload.error?.message }));
    return JSON.stringify([studio.live.state, uploads, heard.slice(-3)]);
}"""
# Sends the chosen files, as one song or as stems called after them; returns the upload's key.
SEND = """() => {
    const files = [...document.querySelector("input").files];
    if (files.length === 1) {
        const [file] = files;
        const request = { filename: file.name, size: file.size, config: { player: true } };
        return studio.uploads.add(request, new Map([["song", file]]));
    }
    const name = (file) => file.name.split(".")[0];
    const stems = files.map((file) => ({ name: name(file), filename: file.name, size: file.size }));
    return studio.uploads.add({ title: "Mine", stems }, new Map(files.map((file) => [name(file), file])));
}"""


@pytest.fixture
def studio(signed_in: Page) -> Page:
    """The probe with somebody at work in it."""
    signed_in.evaluate(BEGIN)
    return signed_in


@pytest.fixture
def jobs(cloud: Deployment) -> Callable[[], list[dict[str, Any]]]:
    """The producer's jobs, newest first."""

    def listed() -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {cloud.token()}"}
        answer = httpx.get(f"{cloud.api_url}/v1/jobs", headers=headers, timeout=60)
        return list(answer.raise_for_status().json()["jobs"])

    return listed


def choose(page: Page, *paths: Path) -> str:
    page.locator("input").set_input_files(paths)
    return str(page.evaluate(SEND))


def until(page: Page, condition: str, seconds: float = 240) -> None:
    """Wait; a policy without eval has the page's own waiting fail."""
    end = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({condition})"):
        told = page.evaluate(TOLD)
        assert time.monotonic() < end, told
        page.wait_for_timeout(100)


def again(page: Page, sign_in: Callable[..., None]) -> None:
    """Load the page anew, with nothing held any longer, and sign in."""
    page.reload()  # which ends what was held
    page.unroute_all()
    begin_sign_in(page)
    sign_in(page)
    ready(page)
    page.evaluate(BEGIN)


def test_a_song_is_sent_and_watched_until_its_stems_can_be_played(studio: Page, song: Path) -> None:
    until(studio, "studio.live.state === 'live'")
    choose(studio, song)
    until(studio, "studio.uploads.all.length === 0")
    sent = studio.evaluate("() => window.sent")
    assert ["done", song.stat().st_size] in sent
    until(studio, "studio.live.jobs.all[0]?.status === 'completed'")
    heard = studio.evaluate("() => window.heard")
    assert {"queued", "processing", "completed"} <= {status for state, status, _ in heard if state == "live"}
    files = studio.evaluate("async () => probe.client.files(studio.live.jobs.all[0]?.id)")
    (stem,) = (
        file for file in files if file["kind"] == "player" and file["name"].endswith("vocals.player.flac")
    )
    part = studio.evaluate(
        """async (url) => {
            const answer = await fetch(url, {headers: {Range: "bytes=0-3"}});
            return [answer.status, await answer.text(), answer.headers.get("Content-Range")];
        }""",
        stem["url"],
    )
    assert part[:2] == [206, "fLaC"]
    assert part[2].startswith("bytes 0-3/")


def hold(page: Page, cloud: Deployment) -> list[str]:
    """Let no file through to storage, nor refuse it; returns the list of those that were sent."""
    held: list[str] = []
    page.route(f"{cloud.endpoint}/{cloud.uploads_bucket}*", lambda route: held.append(route.request.url))
    return held


def wait_for(page: Page, held: list[Any], count: int = 1) -> None:
    end = time.monotonic() + SECONDS
    while len(held) < count:
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def test_a_reload_goes_on_with_a_song_that_nobody_chooses_again(
    studio: Page,
    cloud: Deployment,
    song: Path,
    sign_in: Callable[..., None],
    jobs: Callable[[], list[dict[str, Any]]],
) -> None:
    before = len(jobs())
    held = hold(studio, cloud)
    choose(studio, song)
    wait_for(studio, held)
    until(studio, "studio.uploads.all[0].kept")
    (waiting, *rest) = jobs()
    assert (waiting["status"], len(rest)) == ("awaiting_upload", before)
    again(studio, sign_in)
    until(studio, f"studio.live.jobs.get({json.dumps(waiting['id'])})?.status === 'completed'")
    assert len(jobs()) == before + 1


def test_stems_that_have_arrived_are_not_sent_again(
    studio: Page, cloud: Deployment, song: Path, sign_in: Callable[..., None], tmp_path: Path
) -> None:
    paths = [tmp_path / "drums.mp3", tmp_path / "bass.mp3"]
    for path in paths:
        path.write_bytes(song.read_bytes())
    seen: list[str] = []

    def first_alone(route: Route) -> None:
        seen.append(route.request.url)
        if len(seen) == 1:
            route.continue_()

    studio.route(f"{cloud.endpoint}/{cloud.uploads_bucket}*", first_alone)
    choose(studio, *paths)
    wait_for(studio, seen, 2)
    until(studio, "studio.uploads.all[0].kept")
    sent: list[str] = []
    studio.on(
        "request", lambda request: sent.append(request.url) if cloud.uploads_bucket in request.url else None
    )
    again(studio, sign_in)
    until(
        studio, "studio.live.jobs.all[0]?.title === 'Mine' && studio.live.jobs.all[0]?.status === 'completed'"
    )
    assert len(sent) == 1


def test_a_lost_network_stops_nothing_for_good(studio: Page, cloud: Deployment, song: Path) -> None:
    held = hold(studio, cloud)
    choose(studio, song)
    wait_for(studio, held)
    studio.context.set_offline(True)
    studio.unroute_all()
    until(studio, "studio.uploads.all[0].state === 'paused'")
    until(studio, "studio.live.state === 'offline'")
    assert studio.evaluate("() => studio.uploads.all[0].error.code") == "offline"
    studio.context.set_offline(False)
    until(studio, "studio.uploads.all.length === 0")
    until(studio, "studio.live.jobs.all[0]?.status === 'completed'")


def test_two_tabs_send_a_song_once_and_the_other_goes_on_when_one_is_closed(
    studio: Page,
    context: BrowserContext,
    cloud: Deployment,
    song: Path,
    sign_in: Callable[..., None],
    probe: str,
) -> None:
    held = hold(studio, cloud)
    choose(studio, song)
    wait_for(studio, held)
    until(studio, "studio.uploads.all[0].kept")
    other = context.new_page()
    sent: list[str] = []
    other.on(
        "request", lambda request: sent.append(request.url) if cloud.uploads_bucket in request.url else None
    )
    other.goto(probe)
    begin_sign_in(other)
    sign_in(other)
    ready(other)
    other.evaluate(BEGIN)
    until(other, "studio.live.jobs.all[0]?.status === 'awaiting_upload'")
    other.wait_for_timeout(1000)
    assert (sent, other.evaluate("() => studio.uploads.all")) == ([], [])
    studio.close()
    until(other, "studio.live.jobs.all[0]?.status === 'completed'")
    assert len(sent) == 1


def test_an_upload_that_is_cancelled_leaves_nothing(
    studio: Page, cloud: Deployment, song: Path, jobs: Callable[[], list[dict[str, Any]]]
) -> None:
    held = hold(studio, cloud)
    key = choose(studio, song)
    wait_for(studio, held)
    studio.evaluate("(key) => studio.uploads.cancel(key)", key)
    assert studio.evaluate("() => studio.uploads.all") == []
    assert jobs()[0]["status"] == "cancelled"
    owner = studio.evaluate("() => probe.auth.user.id")
    assert studio.evaluate("(owner) => new probe.BrowserShelf().of(owner)", owner) == []


# ---- what is not sent --------------------------------------------------------------------------

LOOK = """async (what) => {
    const [file] = document.querySelector("input").files;
    const { look, refuseMidi, refuseSong } = probe.check;
    const looked = await look(file);
    const refusal = what === "midi" ? refuseMidi(looked) : refuseSong(looked, probe.config.limits);
    return refusal && { code: refusal.code, message: refusal.message };
}"""
FILES = {
    "empty": ("song", b""),
    "text": ("song", b"no sound at all\n" * 200),
    "not-midi": ("midi", b"no notes at all\n" * 200),
    "no-midi": ("midi", b""),
}


@pytest.mark.parametrize("name", FILES)
def test_what_the_service_would_refuse_the_page_refuses_in_its_words(
    signed_in: Page, cloud: Deployment, name: str, tmp_path: Path
) -> None:
    kind, content = FILES[name]
    path = tmp_path / "file.mp3"
    path.write_bytes(content)
    signed_in.locator("input").set_input_files(path)
    assert signed_in.evaluate(LOOK, kind) == refused_by_the_service(cloud, kind, content)


def refused_by_the_service(cloud: Deployment, kind: str, content: bytes) -> dict[str, str]:
    with httpx.Client(headers={"Authorization": f"Bearer {cloud.token()}"}, timeout=60) as api:
        file = {"filename": "file.mp3", "size": len(content)}
        answer = api.post(f"{cloud.api_url}/v1/jobs", json={"midi": file} if kind == "midi" else file)
        if answer.is_client_error:
            return dict(answer.json()["error"])
        upload = answer.json()["upload"]
        httpx.post(upload["url"], data=upload["fields"], files={"file": content}, timeout=60)
        end = time.monotonic() + 60
        while True:
            job = api.get(f"{cloud.api_url}/v1/jobs/{answer.json()['job']['id']}").json()
            if job["error"]:
                return dict(job["error"])
            assert time.monotonic() < end
            time.sleep(0.2)


def test_a_song_that_is_too_long_is_known_by_its_head(signed_in: Page, tmp_path: Path) -> None:
    rate, seconds = 8000, 601
    data = rate * seconds
    head = b"RIFF" + (36 + data).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += (
        b"\x01\0\x01\0"
        + rate.to_bytes(4, "little") * 2
        + b"\x01\0\x08\0"
        + b"data"
        + data.to_bytes(4, "little")
    )
    path = tmp_path / "long.wav"
    path.write_bytes(head + bytes(data))
    signed_in.locator("input").set_input_files(path)
    assert signed_in.evaluate(LOOK, "song") == {
        "code": "too_long",
        "message": "The song is longer than 600 s, the most allowed. Send a shorter one.",
    }


def test_a_songs_length_is_what_the_browser_reckons_where_no_head_says_it(
    signed_in: Page, song: Path
) -> None:
    signed_in.locator("input").set_input_files(song)
    looked = signed_in.evaluate(
        """async () => {
            const looked = await probe.check.look(document.querySelector("input").files[0]);
            return [looked.type, looked.seconds];
        }"""
    )
    assert looked[0] == "mp3"
    assert looked[1] == pytest.approx(11, abs=1)
    assert signed_in.evaluate(LOOK, "song") is None
