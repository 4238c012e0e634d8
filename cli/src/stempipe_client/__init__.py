"""The Python client of Stempipe: upload a song, follow its job, download its stems.

    from pathlib import Path
    from stempipe_client import Client, Config

    with Client("https://...", token="...") as client:
        for step in client.separate(Path("song.mp3"), Path("stems"), Config(model_variant="4stems")):
            print(step.phase, step.percent)
    print(step.files)

Everything that can go wrong is a `StempipeError` with the service's code and message.
"""

from stempipe_client.client import Client, Step
from stempipe_client.config import Config
from stempipe_client.errors import FinalError, StempipeError, TransientError
from stempipe_client.models import Created, Job, Status, Upload
from stempipe_client.pace import Pace

__all__ = [
    "Client",
    "Config",
    "Created",
    "FinalError",
    "Job",
    "Pace",
    "Status",
    "StempipeError",
    "Step",
    "TransientError",
    "Upload",
]
