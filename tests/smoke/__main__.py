"""``python -m tests.smoke``: is a deployment as it should be? Asks it from outside, as any client may.

Needs Python 3.11 and nothing else. The user's token is in the variable STEMPIPE_TOKEN.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.smoke.checks import CHECKS, LIVE_CHECKS, Deployment, chord

TOKEN = "STEMPIPE_TOKEN"
# Long enough to be worked on for some seconds.
SECONDS_OF_SONG = 45


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the checks; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    token = os.environ.get(TOKEN, "")
    if not options.api.startswith("http") or not token:
        print(
            f"Give the API's address, API=https://..., and an access token in the variable {TOKEN}.",
            file=sys.stderr,
        )
        return 2
    deployment = Deployment(
        api=options.api.rstrip("/"),
        token=token,
        live=options.live.rstrip("/"),
        callback=options.callback,
        song=options.song or chord(SECONDS_OF_SONG),
        seconds=options.seconds,
    )
    if not deployment.live:
        print("left out  the WebSocket: give its address, LIVE=wss://...")
    if not deployment.callback:
        print("left out  the webhook: give an address that answers a POST, CALLBACK=https://...")
    failed = 0
    for check in [*CHECKS, *(LIVE_CHECKS if deployment.live else [])]:
        name, began = check.__name__.replace("_", " "), time.monotonic()
        try:
            with deployment.cleared():
                said = check(deployment)
        except Exception as fault:
            # Whatever was answered, the other checks are made.
            failed += 1
            print(f"FAILED    {name}: {fault or type(fault).__name__}", flush=True)
        else:
            print(f"ok        {name} ({time.monotonic() - began:.1f} s){said and ': '}{said}", flush=True)
    print(f"{failed} failed" if failed else "all is well")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.smoke", description="Check a deployment.")
    parser.add_argument("--api", required=True, help="base address of the HTTP API")
    parser.add_argument("--live", default="", help="address of the WebSocket API")
    parser.add_argument("--callback", default="", help="where a webhook may be sent")
    parser.add_argument("--song", type=_song, help="a song of your own, in place of a chord")
    parser.add_argument("--seconds", type=float, default=600, help="how long a job may take")
    return parser


def _song(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


if __name__ == "__main__":
    sys.exit(main())
