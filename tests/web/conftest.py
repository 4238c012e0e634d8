"""The page in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, sync_playwright


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Drives browsers."""
    with sync_playwright() as playwright:
        yield playwright
