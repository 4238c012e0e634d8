"""Runs a function as Lambda does, but lets the worker have random weights for a model that is not installed.

python -m benchmarks.random_worker -m awslambdaric HANDLER

The product refuses weights that are not the official ones. So what loads them is replaced here, in the
worker's process, before the function's own code imports it; all else is what the template deploys.
"""

import importlib.util
import sys

from awslambdaric.__main__ import main  # type: ignore[import-untyped]

if importlib.util.find_spec("separation"):  # the other functions have none
    import separation
    from benchmarks import random_weights

    separation.load_engine = random_weights.load_engine  # type: ignore[assignment]

main(sys.argv[2:])
