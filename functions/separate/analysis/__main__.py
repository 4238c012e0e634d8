"""The command that fetches the networks that others have trained.

python -m analysis [--dir DIR] [--verify]
"""

import sys
from collections.abc import Sequence

from analysis.weights import MODELS, install, load_bytes
from downloads.command import fetch_or_verify, parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch or only verify the networks; the exit status is 0 if all of them are there and whole."""
    options = parser("python -m analysis", "Fetch the networks of the analysis.").parse_args(arguments)
    return fetch_or_verify(MODELS, options, load_bytes, install)


if __name__ == "__main__":
    sys.exit(main())
