"""The command's exit codes."""

from collections.abc import Iterable
from enum import IntEnum

from stempipe_client.errors import StempipeError


class Exit(IntEnum):
    """What an exit code says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNAUTHORIZED = 3
    UNREACHABLE = 4
    UNHEARD = 5
    INTERRUPTED = 130


HELP = """\
Exit codes: 0 everything is done; 1 a song or a job failed; 2 it cannot be done as typed; 3 not logged in;
4 the service cannot be reached; 5 all stems are saved, but an analysis failed; 130 interrupted.
"""

_OF = {
    "unauthorized": Exit.UNAUTHORIZED,
    "unreachable": Exit.UNREACHABLE,
    "invalid_config": Exit.USAGE,
    "no_such_file": Exit.USAGE,
    "not_configured": Exit.USAGE,
    "not_installed": Exit.USAGE,
}


def exit_code(errors: Iterable[StempipeError]) -> Exit:
    """The code for what went wrong: the one that all the errors have, else FAILED."""
    codes = {_OF.get(error.code, Exit.FAILED) for error in errors}
    return codes.pop() if len(codes) == 1 else Exit.FAILED if codes else Exit.DONE
