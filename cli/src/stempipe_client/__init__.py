"""The Python client of Stempipe: upload a song, follow its job, download its stems and what is found in them.

    from pathlib import Path
    from stempipe_client import Client, Config

    with Client("https://...", token="...") as client:
        for step in client.separate(Path("song.mp3"), Path("stems"), Config(model_variant="4stems")):
            print(step.phase, step.percent)
    print(step.files)

Everything that can go wrong is a `StempipeError` with the service's code and message.
"""

from stempipe_client.client import Client
from stempipe_client.config import AnalysisConfig, Config, MidiConfig
from stempipe_client.errors import FinalError, StempipeError, TransientError
from stempipe_client.models import Created, File, Job, Status, Upload
from stempipe_client.pace import Pace
from stempipe_client.saving import Step
from stempipe_client.sources import Midi, Stems

__all__ = [
    "AnalysisConfig",
    "Client",
    "Config",
    "Created",
    "File",
    "FinalError",
    "Job",
    "Midi",
    "MidiConfig",
    "Pace",
    "Status",
    "StempipeError",
    "Stems",
    "Step",
    "TransientError",
    "Upload",
]
