"""Source separation with Spleeter's networks, as a stream: samples to stems. Knows nothing of AWS."""

from downloads.errors import ModelError
from separation.engine import Engine
from separation.engines import load_engine
from separation.pipeline import Separated, separate

__all__ = ["Engine", "ModelError", "Separated", "load_engine", "separate"]
