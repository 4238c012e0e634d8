"""``python -m local``: the cloud on this machine, and the demonstration."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from local import workers
from local.cloud import USER, Deployment, running
from local.demo import example_song, findings
from local.server import REGION, ROOT, LocalError, free_port
from stempipe_client import AnalysisConfig, Client, Config
from stempipe_client.command.exits import Exit
from stempipe_client.command.run import separate_songs
from stempipe_client.command.settings import announced
from stempipe_client.command.songs import collect

STATE = ROOT / ".local"
DEMO_STATE = STATE / "demo"
DEFAULT_PORT = 4566
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    # A stopped process stops its cloud as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.command == "up":
            up(options.port, options.state, options.workers)
        else:
            return run_demo(options.song, options.out, options.state)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def up(port: int, state: Path, count: int = 0) -> None:
    """Start the local cloud, say how to use it, and wait to be interrupted.

    ``count`` workers that poll take the place of Lambda's, if there are any.
    """
    with (
        running(port=port, state=state, parameters=workers.instead_of_lambda(count)) as deployment,
        workers.running(deployment, count, state=state),
        announced(access(deployment)),
    ):
        print(_welcome(deployment, state), flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


def access(deployment: Deployment) -> dict[str, str]:
    """What the command `stempipe` must know to use this cloud."""
    deployment.token()  # there is such a user from now on
    return {
        "api_url": deployment.api_url,
        "websocket_url": deployment.live_url,
        "login_url": deployment.endpoint,
        "client_id": deployment.user_pool_client_id,
        "user": USER,
        "password": deployment.password,
    }


def run_demo(song: Path | None, out: Path, state: Path) -> int:
    """Separate and analyse one song, as `stempipe separate` does, on a cloud that runs only for that.

    Returns
    -------
    int
        The command's exit code.
    """
    song = song or example_song(STATE)
    if not song.is_file():
        raise LocalError(f"There is no file {song}")
    with (
        running(port=free_port(), state=state) as deployment,
        Client(deployment.api_url, deployment.token(), deployment.live_url) as client,
    ):
        began = time.monotonic()
        config = Config(analysis=AnalysisConfig(), player=True)
        code, made = separate_songs(client, deployment.api_url, collect([song], out), config)
        if code == Exit.DONE:
            (files,) = made.values()
            print(f"found          {findings(files['analysis.json'])}")
            print(f"{time.monotonic() - began:.1f} s from song to stems, and what is in them")
            if deployment.page_url:
                print(f"Mix it, and see it play:  make local STATE={shlex.quote(_short(state))}")
        return code


def _short(path: Path) -> str:
    """A path as one types it here."""
    whole = path.resolve()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)


def _welcome(deployment: Deployment, state: Path) -> str:
    token, keys = deployment.token(), deployment.server.keys
    inbox = f"{deployment.endpoint}/{deployment.uploads_bucket}/inbox/{deployment.user_id()}"
    page = deployment.page_url or "not built: npm's packages could not be had. Try: make web"
    return f"""\
{page}

Stempipe runs here. Sign in as {USER}, password {deployment.password}
Stop it with Ctrl-C; jobs, stems and users are kept in {state}.

API             {deployment.api_url}
WebSocket API   {deployment.live_url}
User pool       {deployment.user_pool_id}, client {deployment.user_pool_client_id}
Uploads bucket  {deployment.uploads_bucket}
Stems bucket    {deployment.stems_bucket}
Logs            {state}/logs/*.log, one a function and worker, and {state}/ministack.log

For boto3, the AWS command line, and the examples below:

  export AWS_ENDPOINT_URL={deployment.endpoint} AWS_DEFAULT_REGION={REGION}
  export AWS_ACCESS_KEY_ID={keys.access_key_id} AWS_SECRET_ACCESS_KEY={keys.secret_access_key}
  API='{deployment.api_url}'
  TOKEN='{token}'  # for an hour

Separate songs with the command (pip install ./cli); it finds this cloud by itself:

  stempipe separate song.mp3

Ask for a job; the answer says where to upload the song:

  curl "$API/v1/jobs" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{{"filename": "song.mp3", "size": '$(wc -c < song.mp3)'}}'

Or put a song into your inbox, and look at your jobs:

  curl -T song.mp3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
    --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:s3" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' '{inbox}/'
  curl "$API/v1/jobs" -H "Authorization: Bearer $TOKEN"
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Stempipe here, without AWS.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up_ = commands.add_parser("up", help="run the cloud until Ctrl-C, and say how to use it")
    up_.add_argument("--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1 (%(default)s)")
    up_.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="kept here (.local)")
    up_.add_argument(
        "--workers", type=int, default=0, metavar="N", help="N workers that poll, in place of Lambda's two"
    )
    demo_ = commands.add_parser("demo", help="separate and analyse one song, start to end")
    demo_.add_argument("--song", type=Path, metavar="PATH", help="without it, an example is fetched")
    demo_.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="for what is made (%(default)s)"
    )
    demo_.add_argument(
        "--state", type=Path, default=DEMO_STATE, metavar="DIR", help="kept here (.local/demo)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
