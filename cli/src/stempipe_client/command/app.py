"""What may be typed."""

import io
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from stempipe_client.command import account, exits, jobs, run
from stempipe_client.command.display import say
from stempipe_client.command.settings import KEYS
from stempipe_client.errors import StempipeError


class _Group(TyperGroup):
    """Makes a line and an exit code of an error."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except StempipeError as error:
            say(Console(stderr=True), f"stempipe: {error.message}")
            raise typer.Exit(exits.exit_code([error])) from error


app = typer.Typer(
    cls=_Group,
    epilog=exits.HELP,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "separate": run.separate,
    "local": run.local,
    "analyse": run.analyse,
    "jobs": jobs.list_jobs,
    "watch": jobs.watch,
    "cancel": jobs.cancel,
    "retry": jobs.retry,
    "quota": account.quota,
    "login": account.login,
    "logout": account.logout,
}
for name, command in _COMMANDS.items():
    app.command(name, epilog=exits.HELP)(command)
app.add_typer(account.config, name="config")


def _version(asked: bool) -> None:
    if asked:
        try:
            print(f"stempipe {version('stempipe')}")
        except PackageNotFoundError:
            print("stempipe, not installed")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    api_url: Annotated[str | None, typer.Option(help=KEYS["api_url"], show_default=False)] = None,
    websocket_url: Annotated[str | None, typer.Option(help=KEYS["websocket_url"], show_default=False)] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it and exit.")
    ] = False,
) -> None:
    """Stems of your songs: vocals, drums, bass, piano and the rest.

    `stempipe separate song.mp3` - vocals and accompaniment, in the folder stems

    `stempipe separate album/ --stems 4 --format mp3 --out album-stems` - a folder of songs

    `stempipe separate song.mp3 --analysis` - and what there is to hear in them, as JSON, MIDI and curves

    `stempipe analyse my-stems/` - the same of stems that you have, or of MIDI

    `stempipe local song.mp3` - on this machine, with no service
    """
    context.obj = {"api_url": api_url, "websocket_url": websocket_url}


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal has every letter of a song's name
    app(prog_name="stempipe")
