"""The one model that tests need; `make models` fetches it."""

import pytest

from separation import Engine, load_engine
from tests.unit.separation.engines import HalvingEngine


@pytest.fixture(scope="session")
def spleeter_engine() -> Engine:
    """Spleeter's 2stems. Fails, and says what to run, where it has not been fetched."""
    return load_engine("2stems", "11khz")


@pytest.fixture
def engine() -> HalvingEngine:
    return HalvingEngine()
