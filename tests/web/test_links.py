"""Links to a song's sound expire while it plays, at the storage that signed them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, Response, expect

from local.cloud import STACK, Deployment
from tests.web.conftest import SECONDS
from tests.web.test_way import tone

LIVES_SECONDS = 3
# What is fetched ahead of the pipe is twelve: the last run comes long after the first links have expired.
SONG_SECONDS = 30
HEARD_SECONDS = 24
# Whose library nobody else looks at.
LISTENER = "listener@example.com"


@pytest.fixture
def short_links(cloud: Deployment) -> Iterator[None]:
    """Links live for seconds."""
    stack = cloud.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="StatusFunction"
    )
    name, client = stack["StackResourceDetail"]["PhysicalResourceId"], cloud.client("lambda")
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def set_variables(variables: dict[str, str]) -> None:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        client.get_waiter("function_updated_v2").wait(FunctionName=name)

    set_variables(before | {"DOWNLOAD_LINK_SECONDS": str(LIVES_SECONDS)})
    yield
    set_variables(before)


@pytest.fixture
def song_id(cloud: Deployment) -> str:
    """A job of two tones, which a page can play."""
    files = {name: tone(hertz, SONG_SECONDS) for name, hertz in (("low", 60.0), ("high", 440.0))}
    headers = {"Authorization": f"Bearer {cloud.token(LISTENER)}"}
    with httpx.Client(base_url=cloud.api_url, headers=headers, timeout=SECONDS) as api:
        request = {
            "title": "Two tones",
            "stems": [{"name": n, "filename": f"{n}.wav", "size": len(c)} for n, c in files.items()],
            "config": {"player": True, "analysis": {"notes": False, "fps": 30}},
        }
        created = api.post("/v1/jobs", json=request).raise_for_status().json()
        for name, content in files.items():
            link = created["uploads"][name]
            with httpx.Client(timeout=SECONDS) as anybody:
                sent = anybody.post(link["url"], data=link["fields"], files={"file": content})
                sent.raise_for_status()
        job_id = str(created["job"]["id"])
        end = time.monotonic() + 3 * SECONDS
        job: dict[str, Any] = {}
        while job.get("status") != "completed":
            assert job.get("status") != "failed", job
            assert time.monotonic() < end, job
            time.sleep(0.5)
            job = api.get(f"/v1/jobs/{job_id}").raise_for_status().json()
    return job_id


def test_links_that_expire_amid_a_song_are_renewed(
    page: Page, cloud: Deployment, sign_in: Callable[..., None], song_id: str, short_links: None
) -> None:
    page.goto(str(cloud.page_url))
    page.get_by_role("button", name="Sign in").or_(page.get_by_role("link", name="Sign in")).first.click()
    sign_in(page, LISTENER)
    links: dict[str, set[str]] = {}

    def note(answer: Response) -> None:
        url = urlsplit(answer.url)
        if url.path.endswith(".flac") and answer.status == 206:
            links.setdefault(url.path, set()).add(url.query)

    page.on("response", note)
    page.locator(f"a[href='#/song/{song_id}/mix']").first.click()
    position = page.get_by_role("slider", name="Position")
    expect(position).to_be_visible()
    page.get_by_role("button", name="Play", exact=True).click()
    end = time.monotonic() + 2 * SECONDS
    while float(position.get_attribute("aria-valuenow") or 0) < HEARD_SECONDS:
        assert time.monotonic() < end, (position.get_attribute("aria-valuetext"), links)
        page.wait_for_timeout(500)
    assert [len(of_stem) > 1 for of_stem in links.values()] == [True, True], links
