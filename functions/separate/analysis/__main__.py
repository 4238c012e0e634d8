"""The command that fetches the networks that others have trained.

python -m analysis [--dir DIR] [--verify]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from analysis.weights import ModelName, install, load_bytes, model_path
from downloads.directory import models_directory
from downloads.errors import ModelDamagedError, ModelMissingError
from downloads.fetch import FetchError


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch or only verify the networks; the exit status is 0 if all of them are there and whole."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description="Fetch the networks of the analysis."
    )
    parser.add_argument(
        "--dir", type=Path, default=models_directory(), help="where models are kept (%(default)s)"
    )
    parser.add_argument(
        "--verify", action="store_true", help="check the files that are there and fetch nothing"
    )
    options = parser.parse_args(arguments)
    status = 0
    for name in get_args(ModelName):
        path = model_path(name, options.dir)
        try:
            load_bytes(name, options.dir)
            print(f"{name}: already at {path}, verified")
        except (ModelMissingError, ModelDamagedError) as problem:
            if options.verify:
                print(f"{name}: {problem}", file=sys.stderr)
                status = 1
                continue
            try:
                origin = install(name, options.dir)
                print(f"{name}: fetched from {origin} to {path}, verified")
            except FetchError as error:
                print(f"{name}: {error}", file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
