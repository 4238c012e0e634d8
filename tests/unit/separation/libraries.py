"""The native engine's libraries that this processor can run."""

import ctypes
from functools import cache

from separation.native.bindings import open_library
from separation.native.build import INSTRUCTIONS, NotBuiltError


@cache
def libraries() -> dict[str, ctypes.CDLL]:
    """By their instructions."""
    found = {}
    for name in INSTRUCTIONS:
        try:
            found[name] = open_library(name)
        except NotBuiltError:
            continue
    return found
