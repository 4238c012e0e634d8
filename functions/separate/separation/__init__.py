"""Source separation with Spleeter's networks, as a stream. Knows audio; knows nothing of AWS."""

from separation.audio_output import AudioOutput
from separation.engine import Engine, load_engine
from separation.errors import SeparationError
from separation.pipeline import Separated, separate

__all__ = ["AudioOutput", "Engine", "Separated", "SeparationError", "load_engine", "separate"]
