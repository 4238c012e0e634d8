"""The command that fetches models.

python -m separation.models [2stems|4stems|5stems|all] [--dir DIR] [--verify]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from downloads.directory import models_directory
from downloads.errors import ModelDamagedError, ModelMissingError
from downloads.fetch import FetchError
from separation.models.weights import VARIANTS, install, verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch or only verify the models asked for; the exit status is 0 if all of them are there and whole."""
    parser = argparse.ArgumentParser(
        prog="python -m separation.models", description="Fetch Spleeter's models."
    )
    parser.add_argument("variant", nargs="?", default="2stems", choices=[*VARIANTS, "all"])
    parser.add_argument(
        "--dir", type=Path, default=models_directory(), help="where models are kept (%(default)s)"
    )
    parser.add_argument(
        "--verify", action="store_true", help="check the files that are there and fetch nothing"
    )
    options = parser.parse_args(arguments)
    status = 0
    for variant in VARIANTS:
        if options.variant not in (variant, "all"):
            continue
        try:
            verify(variant, options.dir)
            print(f"{variant}: already in {options.dir / variant}, verified")
        except (ModelMissingError, ModelDamagedError) as problem:
            if options.verify:
                print(f"{variant}: {problem}", file=sys.stderr)
                status = 1
                continue
            try:
                origin = install(variant, options.dir)
                print(f"{variant}: fetched from {origin} into {options.dir / variant}, verified")
            except FetchError as error:
                print(f"{variant}: {error}", file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
