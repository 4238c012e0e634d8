"""What the page holds while it plays does not grow.

By hand, for ten minutes in both views, with the curve:

    make test-web MINUTES=10 PYTEST_FLAGS="-s -k memory"
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from local.cloud import Deployment
from tests.web.bare import Bare, bare
from tests.web.conftest import DEBIANS

MINUTES = float(os.environ.get("MINUTES", 0))
PICTURES = {"stage": ".stage-picture", "mix": ".desk-canvas"}
VIEWS = list(PICTURES) if MINUTES else ["stage"]
WARM_UP = 30  # seconds of the song, in which each thing is done once
PLAYED = 60 * MINUTES or 120
STRETCH = 30
# In MB. What is compared lies a minute and a half apart, in which 14 MB of sound come, and are heard as 130;
# what is held at one time and not at another makes 4.
MOST_GROWTH = 8.0
CLOCK = """(() => {
    const said = document.querySelector(":is(.readout, .stage-transport) .sr").textContent;
    const [seconds, minutes = 0] = said.match(/\\d+/g).map(Number).reverse();
    return 60 * minutes + seconds;
})()"""


@pytest.fixture
def unseen(playwright: Playwright, tmp_path: Path) -> Iterator[Bare]:
    """A page that no debugger keeps anything of."""
    with bare(DEBIANS if DEBIANS.exists() else playwright.chromium.executable_path, tmp_path) as page:
        yield page


@pytest.mark.parametrize("view", VIEWS)
def test_memory_is_flat_while_a_song_plays(unseen: Bare, cloud: Deployment, view: str) -> None:
    unseen.open(f"{cloud.page_url}#/song/night-bus/mix")
    unseen.until("!!document.querySelector('.desk-canvas')")
    unseen.press("BracketLeft", "[")  # round and round
    unseen.until("document.querySelector('[aria-label=Loop]').ariaPressed === 'true'")
    unseen.run(f"location.hash = '#/song/night-bus/{view}'")
    unseen.until(f"!!document.querySelector('{PICTURES[view]}')")
    unseen.run("document.querySelector('[aria-label=Play]').click()")
    play(unseen, WARM_UP)
    curve: list[float] = []
    for passed in range(0, round(PLAYED), 5):
        play(unseen, 5)
        curve.append(unseen.held())
        if MINUTES:
            print(f"{view} {WARM_UP + passed + 5:4} s {curve[-1]:6.1f} MB", flush=True)
    few = STRETCH // 5
    # The least of several, for all that was let go of is not given back at once.
    assert min(curve[-few:]) - min(curve[:few]) < MOST_GROWTH, curve


def play(page: Bare, seconds: float) -> None:
    """Wait until so much of the song has been heard, however long that takes."""
    heard = 0
    before = page.run(CLOCK)
    end = time.monotonic() + 10 * seconds + 60
    while heard < seconds:
        assert time.monotonic() < end, f"{heard} s of {seconds} s were heard"
        time.sleep(0.5)
        now = page.run(CLOCK)
        heard += max(0, now - before)  # but where it begins anew
        before = now
