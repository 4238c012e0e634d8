"""What the commands that fetch models have in common."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from downloads.directory import models_directory
from downloads.errors import ModelDamagedError, ModelMissingError
from downloads.fetch import FetchError

Name = TypeVar("Name", bound=str)


def parser(prog: str, description: str) -> argparse.ArgumentParser:
    """A parser with `--dir`, where models are kept, and `--verify`, which fetches nothing."""
    made = argparse.ArgumentParser(prog=prog, description=description)
    made.add_argument(
        "--dir", type=Path, default=models_directory(), help="where models are kept (%(default)s)"
    )
    made.add_argument(
        "--verify", action="store_true", help="check the files that are there and fetch nothing"
    )
    return made


def fetch_or_verify(
    names: Iterable[Name],
    options: argparse.Namespace,
    verify: Callable[[Name, Path], object],
    install: Callable[[Name, Path], str],
) -> int:
    """Fetch models that are not there or not whole, or only say which; prints what became of each.

    Parameters
    ----------
    names : iterable of str
    options : argparse.Namespace
        As the `parser` reads them.
    verify : callable
        Raises ModelMissingError or ModelDamagedError for a model, given where models are kept.
    install : callable
        Fetches one, and gives where it came from; raises FetchError.

    Returns
    -------
    int
        The exit status: 0 if all of them are there and whole.
    """
    status = 0
    for name in names:
        problem: Exception
        try:
            verify(name, options.dir)
            print(f"{name}: already in {options.dir}, verified")
            continue
        except (ModelMissingError, ModelDamagedError) as fault:
            problem = fault
        if not options.verify:
            try:
                print(f"{name}: fetched from {install(name, options.dir)} into {options.dir}, verified")
                continue
            except FetchError as fault:
                problem = fault
        print(f"{name}: {problem}", file=sys.stderr)
        status = 1
    return status
