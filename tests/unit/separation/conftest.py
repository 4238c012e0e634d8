"""Engines, one of them with the model that tests need; `make models` fetches it."""

from pathlib import Path

import pytest

from separation import Engine, load_engine
from tests.unit.separation.engines import HalvingEngine
from tests.unit.separation.runs import Run


@pytest.fixture(scope="session")
def spleeter_engine() -> Engine:
    """Spleeter's 2stems. Fails, and says what to run, where it has not been fetched."""
    return load_engine("2stems", "11khz")


@pytest.fixture
def engine() -> HalvingEngine:
    return HalvingEngine()


@pytest.fixture
def run(tmp_path: Path, engine: HalvingEngine) -> Run:
    """Separates songs by that engine."""
    return Run(tmp_path / "stems", engine)
