"""A browser, a page that plays, and songs of noise for it."""

import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

from media.player import PlayerFiles, PlayerWriter
from tests.web.sound.heard import Sound
from tests.web.sound.server import SoundServer

ROOT = Path(__file__).parents[3]
DEBIANS = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of web/tests/sound, built."""
    folder = tmp_path_factory.mktemp("harness")
    vite = "node_modules/vite/bin/vite.js build tests/sound --config vite.config.ts --logLevel warn"
    command = [str(ROOT / ".venv/node/bin/node"), *vite.split(), "--emptyOutDir", "--outDir", str(folder)]
    subprocess.run(command, cwd=ROOT / "web", check=True)
    return folder


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium as people have it: no page sounds before a click."""
    browser = playwright.chromium.launch(executable_path=DEBIANS if DEBIANS.exists() else None)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def serving(harness: Path) -> Iterator[SoundServer]:
    with SoundServer(harness) as server:
        yield server


@pytest.fixture
def server(serving: SoundServer) -> SoundServer:
    serving.calm()
    return serving


@pytest.fixture
def page(browser: Browser, server: SoundServer) -> Iterator[Page]:
    """The harness, open; it must say nothing to the console but what the network did."""
    with browser.new_context() as context:
        page = context.new_page()
        said: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith(
                "Failed to load resource"
            ):
                said.append(message.text)

        page.on("console", listen)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.address)
        page.wait_for_load_state()
        yield page
        assert said == []


@cache
def song(seconds: float, rate: int, stems: tuple[str, ...]) -> tuple[dict[str, Sound], dict[str, bytes]]:
    """Stems of noise, each of shape (samples, 2), and the files that the service makes of them for a player.

    They are of 16 bits, up to a third of full scale; their last frame, and their last cell, is short.
    """
    sounds: dict[str, Sound] = {}
    files: dict[str, bytes] = {}
    for seed, stem in enumerate(stems):
        chance = np.random.default_rng(seed)
        steps = chance.integers(-11_000, 11_000, (int(seconds * rate) + 1_234, 2), dtype=np.int16)
        sounds[stem] = (steps / 32_768).astype(np.float32)
        files |= player_files(stem, sounds[stem], rate)
    return sounds, files


def player_files(stem: str, sound: Sound, rate: int) -> dict[str, bytes]:
    """The FLAC and the index of a stem, by their names."""
    with tempfile.TemporaryDirectory() as folder:
        paths = PlayerFiles.of_stem(Path(folder), stem)
        with PlayerWriter(paths, rate) as writer:
            writer.write(sound)
            writer.finish()
        return {path.name: path.read_bytes() for path in (paths.audio, paths.byte_index)}
