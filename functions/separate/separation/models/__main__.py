"""The command that fetches models.

python -m separation.models [2stems|4stems|5stems|all] [--dir DIR] [--verify]
"""

import sys
from collections.abc import Sequence

from downloads.command import fetch_or_verify, parser
from separation.models.weights import VARIANTS, install, verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch or only verify the models asked for; the exit status is 0 if all of them are there and whole."""
    wanted = parser("python -m separation.models", "Fetch Spleeter's models.")
    wanted.add_argument("variant", nargs="?", default="2stems", choices=[*VARIANTS, "all"])
    options = wanted.parse_args(arguments)
    names = [variant for variant in VARIANTS if options.variant in (variant, "all")]
    return fetch_or_verify(names, options, verify, install)


if __name__ == "__main__":
    sys.exit(main())
