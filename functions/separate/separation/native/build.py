"""Compiles the library: by the machine's compiler, else by the one in the package `ziglang`.

python build.py [--dir DIR]

There is a library for each set of instructions. They are kept in a folder named after what they are made of,
so that another source makes another folder. Needs nothing but Python itself.
"""

import argparse
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from downloads.directory import native_directory

SOURCES = Path(__file__).parent
# By how fast they are. A library says itself whether the processor has them.
INSTRUCTIONS: Mapping[str, Sequence[str]] = {
    "avx512": ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mfma"],
    "avx2": ["-mavx2", "-mfma"],
}
# A product and a sum are one instruction, which rounds once; no other liberty is taken with floats.
FLAGS = [
    "-std=gnu11",
    "-O3",
    "-ffp-contract=fast",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-pthread",
    "-s",
]
_ZIG_TARGET = ["-target", "x86_64-linux-gnu.2.28"]  # runs with any C library since 2018
_SECONDS = 300


class NotBuiltError(Exception):
    """The library is not there and cannot be made; the message says why."""


def build(root: Path | None = None) -> Path:
    """Compile what is not compiled yet, all of it or nothing; two processes may do so at once.

    Parameters
    ----------
    root : Path, optional
        Where libraries are kept; by default as `native_directory` says.

    Returns
    -------
    Path
        The folder of `avx512.so` and `avx2.so`.

    Raises
    ------
    NotBuiltError
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise NotBuiltError(f"it is for Linux on x86_64, and this is {sys.platform} on {platform.machine()}")
    folder = (root or native_directory()) / _key()
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as temporary:
            made = Path(temporary, "made")
            made.mkdir()
            _compile_all(made)
            try:
                made.rename(folder)
            except OSError:  # another process was faster; its files are as good
                if not folder.is_dir():
                    raise
    except OSError as error:
        raise NotBuiltError(f"it cannot be kept in {folder.parent}: {error}") from error
    return folder


def _key() -> str:
    """Of everything that the libraries depend on, but for the compiler."""
    digest = hashlib.sha256(repr([FLAGS, sorted(INSTRUCTIONS.items())]).encode())
    for path in sorted(SOURCES.glob("*.[ch]")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _compile_all(folder: Path) -> None:
    said = "there is no C compiler (install one, or: pip install ziglang)"
    for compiler in _compilers():
        try:
            for name, instructions in INSTRUCTIONS.items():
                compile_library(folder / f"{name}.so", [*FLAGS, *instructions], compiler)
            return
        except NotBuiltError as error:
            said = str(error)
    raise NotBuiltError(said)


def compile_library(library: Path, flags: Sequence[str], compiler: Sequence[str]) -> None:
    """Compile all sources into one library.

    Raises
    ------
    NotBuiltError
    """
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    with tempfile.TemporaryDirectory(prefix="stempipe-") as scratch:
        environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": scratch, "ZIG_LOCAL_CACHE_DIR": scratch}
        try:
            done = subprocess.run(  # noqa: S603 - a compiler of this machine, and no shell
                [*compiler, *flags, "-o", str(library), *sources],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotBuiltError(f"{compiler[0]} does not run: {error}") from error
    if done.returncode:
        raise NotBuiltError(
            f"{compiler[0]} fails: {(done.stderr.strip() or 'without a word').splitlines()[0]}"
        )


def _compilers() -> Iterator[list[str]]:
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        if found := name and shutil.which(name):
            yield [found]
    if importlib.util.find_spec("ziglang"):
        yield [sys.executable, "-m", "ziglang", "cc", *_ZIG_TARGET]


def main() -> int:
    """Compile, and say where it is, or why it is not; the exit status is 0 if it is there."""
    parser = argparse.ArgumentParser(prog="build.py", description="Compile the native engine.")
    parser.add_argument("--dir", type=Path, default=native_directory(), help="where to (%(default)s)")
    try:
        print(f"native engine: {build(parser.parse_args().dir)}")
    except NotBuiltError as error:
        print(f"native engine: not built, so OpenVINO will do its work: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
