"""`stempipe login`, `logout`, `quota` and `config`."""

import json
import sys
from contextlib import suppress
from typing import Annotated, Literal

import typer

from stempipe_client.command import login as logins
from stempipe_client.command import options, settings
from stempipe_client.command.display import here, to_json
from stempipe_client.errors import StempipeError
from stempipe_client.models import Allowance, Daily
from stempipe_client.names import plain

Key = Literal["api-url", "websocket-url", "client-id", "login-url"]


def login(
    context: typer.Context,
    user: Annotated[
        str | None, typer.Option(help="Your user name; else you are asked.", show_default=False)
    ] = None,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from stdin.")] = False,
) -> None:
    """Log in with Cognito.

    In scripts, a token in STEMPIPE_TOKEN serves instead.
    """
    service = options.service(context)
    pool = logins.cognito(service)
    user = user or typer.prompt("User")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("Password", hide_input=True)
    answer = pool.sign_in(user, password)
    if isinstance(answer, logins.Challenge) and answer.name == "NEW_PASSWORD_REQUIRED":
        print("This password was only to begin with. Choose your own.")
        chosen = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
        answer = pool.set_password(answer, user, chosen)
    if isinstance(answer, logins.Challenge):
        raise StempipeError(
            "unauthorized",
            f"Cognito asks for {answer.name}, which this command cannot answer. Use {logins.TOKEN_VARIABLE}.",
        )
    logins.keep(service, answer)
    print(plain(f"Logged in to {service.api_url}"))


def logout(context: typer.Context) -> None:
    """Forget the login."""
    logins.keep(options.service(context), None)


def quota(context: typer.Context, as_json: options.AsJson = False) -> None:
    """Show what you may take, and what of it is left."""
    with options.client(options.service(context)) as client:
        found = client.quota()
    if as_json:
        print(to_json(found.model_dump(mode="json", by_alias=True)))
        return
    rows: list[tuple[str, Allowance | Daily, str]] = [
        ("open jobs", found.open_jobs, ",d"),
        ("minutes today", found.minutes_today, ",.1f"),
        ("bytes kept", found.bytes_kept, ",d"),
    ]
    print(f"{'':<14}{'used':>16}{'left':>16}{'limit':>16}")
    for name, one, form in rows:
        print(f"{name:<14}{one.used:>16{form}}{one.left:>16{form}}{one.limit:>16,}")
    print(f"Another day begins at {here(found.minutes_today.resets_at, '%H:%M')}.")


config = typer.Typer(help="Show or change which service is used.", invoke_without_command=True)


@config.callback()
def show(context: typer.Context, as_json: options.AsJson = False) -> None:
    """Show or change which service is used.

    Without a command: what is in force, and who says so.
    """
    if context.invoked_subcommand:
        return
    service = options.service(context)
    known = {name: getattr(service, name) for name in settings.KEYS}
    if as_json:
        print(to_json({"origin": service.origin} | known))
        return
    for name, value in known.items():
        print(plain(f"{name.replace('_', '-'):<14} {value or '-'}"))
    print()
    print(plain(f"So says {service.origin}. What you set is kept in {settings.config_file()}"))


@config.command("set")
def set_(key: Key, value: Annotated[str, typer.Argument(show_default=False)]) -> None:
    """Set one of them."""
    settings.write_config(settings.read_config() | {key.replace("-", "_"): value})


@config.command()
def unset(key: Key) -> None:
    """Forget one of them."""
    kept = settings.read_config()
    kept.pop(key.replace("-", "_"), None)
    settings.write_config(kept)


@config.command()
def from_stack() -> None:
    """Set all of them from a stack's outputs, on stdin.

    `aws cloudformation describe-stacks --stack-name stempipe | stempipe config from-stack`
    """
    description: object = None
    with suppress(ValueError):
        description = json.load(sys.stdin)
    outputs = settings.from_stack(description)
    settings.write_config(outputs)
    print(plain(f"The service is {outputs['api_url']} now"))
