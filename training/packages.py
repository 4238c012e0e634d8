"""Sounds, out of Debian's packages: each pinned, known by its sha256, and unpacked once."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from downloads.directory import models_directory
from downloads.fetch import FetchError, require_sha256


@dataclass(frozen=True)
class Package:
    """A package of Debian 12, and the folder in it that has the sounds."""

    name: str
    version: str
    sha256: str
    folder: str


FLUID = Package(
    "fluidr3mono-gm-soundfont",
    "2.315-7",
    "4098301bf29f4253c2f5799a844f42dd4aa733d91a210071ad16d7757dea51d6",
    "usr/share/fluidr3mono-gm-soundfont",
)
MUSESCORE = Package(
    "musescore-general-soundfont-small",
    "0.2.1-1",
    "65f9c1cb658c49e8713d2c95238d5d26868f520341f74a4fe26248a8f763c739",
    "usr/share/sounds/sf3",
)
SONIC_PI = Package(
    "sonic-pi-samples",
    "3.2.2~repack-8",
    "25f2312d2fae005e6ad0f4726b8ed3084e776006a5a132083506e960224ac79d",
    "usr/share/sonic-pi/samples",
)
HYDROGEN_KITS = Package(
    "hydrogen-drumkits",
    "2017.09.19~dfsg-1",
    "6ea3c6df9a67762e2362f946c695e619859126b19fbccf32a2e8f07dfd03b2f4",
    "usr/share/hydrogen/data/drumkits",
)
HYDROGEN = Package(
    "hydrogen-data",
    "1.2.0~beta1+dfsg-1",
    "d2cc3f281c02efb71f132bd173e95a958d3fede7c5aefcaba6547baf918cff2a",
    "usr/share/hydrogen/data/drumkits",
)
AVL = Package(
    "avldrums.lv2-soundfont",
    "0.5.2-2",
    "436813f10c950324f28cb6a71e922f153084b6ed00049cd47da3f0f055f3ffc5",
    "usr/share/sounds/sf2",
)


def is_here(package: Package) -> bool:
    """Whether it was fetched before."""
    return _place(package).exists()


def unpacked(package: Package) -> Path:
    """The folder with the package's sounds; fetched with apt-get, from wherever that is set up for.

    Raises
    ------
    FetchError
        If it cannot be had, or is another.
    """
    destination = _place(package)
    if not destination.exists():
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".fetch-") as folder:
            print(f"Fetching the Debian package {package.name} {package.version}")
            _run(["apt-get", "download", "--quiet", f"{package.name}={package.version}"], folder)
            archive = next(Path(folder).glob("*.deb"))
            require_sha256(archive, package.sha256)
            _run(["dpkg-deb", "--extract", archive.name, "content"], folder)
            shutil.move(Path(folder) / "content", destination)
    return destination / package.folder


def _place(package: Package) -> Path:
    return models_directory() / "training" / f"{package.name}-{package.sha256[:8]}"


def _run(command: list[str], folder: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise FetchError(
            f"Training takes its sounds from Debian 12, and {command[0]} is not here."
        ) from error
    if done.returncode:
        raise FetchError(
            f"{' '.join(command)} failed; training takes its sounds from Debian 12, so try it there, "
            f"after apt-get update:\n{done.stderr.strip()}"
        )
