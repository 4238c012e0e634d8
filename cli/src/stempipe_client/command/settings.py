"""Which service to use: flags, else the environment, else the user's file, else a local cloud that runs."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stempipe_client.command.places import config_folder, read_json, state_folder, write_json
from stempipe_client.errors import StempipeError

KEYS = {
    "api_url": "Address of the HTTP API: the stack's output ApiUrl.",
    "websocket_url": "Address of the WebSocket API: LiveUrl. Without it, progress is polled.",
    "client_id": "The Cognito client to log in with: UserPoolClientId.",
    "login_url": "Cognito's address; by default that of the region in api_url.",
}


@dataclass(frozen=True)
class Settings:
    """A service, and how to log in.

    Attributes
    ----------
    origin
        Who named the service.
    user, password
        Of a local cloud only, which makes them up.
    """

    origin: str
    api_url: str
    websocket_url: str | None = None
    client_id: str | None = None
    login_url: str | None = None
    user: str | None = None
    password: str | None = None

    @property
    def cognito_url(self) -> str | None:
        """Where to log in."""
        region = re.search(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com", self.api_url)
        return self.login_url or (f"https://cognito-idp.{region[1]}.amazonaws.com/" if region else None)


def config_file() -> Path:
    """The user's own settings."""
    return config_folder() / "config.json"


def resolve(flags: Mapping[str, str | None]) -> Settings:
    """The settings in force.

    What is asked first wins, and from the first that names an API on, nobody else is asked: one service's
    WebSocket is none of another's.

    Raises
    ------
    StempipeError
        `not_configured`: nobody names an API.
    """
    found: dict[str, str] = {}
    for origin, layer in _layers(flags):
        found = {name: value for name, value in layer.items() if value} | found
        if "api_url" in found:
            return Settings(origin=origin, **found)
    raise StempipeError(
        "not_configured",
        "Which service? Name it with `stempipe config set api-url https://...`, or start one with"
        " `make local`. `stempipe local` needs none.",
    )


def _layers(flags: Mapping[str, str | None]) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    yield "the command line", flags
    yield "the environment", {name: os.environ.get(f"STEMPIPE_{name.upper()}") for name in KEYS}
    yield str(config_file()), read_config()
    yield "the local cloud", _local_cloud()


# ---- the user's file -------------------------------------------------------------------------------


def read_config() -> dict[str, str]:
    """What the user has set."""
    return {name: str(value) for name, value in read_json(config_file()).items() if name in KEYS}


def write_config(config: Mapping[str, str]) -> None:
    """Set all of it."""
    write_json(config_file(), dict(config))


def from_stack(description: Any) -> dict[str, str]:
    """Settings out of what `aws cloudformation describe-stacks` prints, parsed.

    Raises
    ------
    StempipeError
        `not_configured`: it is something else.
    """
    try:
        (stack,) = description["Stacks"]
        outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
        config = {"api_url": outputs["ApiUrl"]}
    except (KeyError, TypeError, ValueError):
        raise StempipeError("not_configured", "This describes no stack of Stempipe.") from None
    for name, output in (("websocket_url", "LiveUrl"), ("client_id", "UserPoolClientId")):
        if output in outputs:
            config[name] = outputs[output]
    if "UserPoolId" in outputs:
        region = outputs["UserPoolId"].partition("_")[0]
        config["login_url"] = f"https://cognito-idp.{region}.amazonaws.com/"
    return config


# ---- a local cloud ---------------------------------------------------------------------------------


def _local_cloud_file() -> Path:
    return state_folder() / "local-cloud.json"


@contextmanager
def announced(cloud: Mapping[str, str]) -> Iterator[None]:
    """While the block runs, the command finds this local cloud: it takes a Settings' fields but `origin`."""
    import fcntl  # a local cloud runs on Linux alone

    path = _local_cloud_file()
    write_json(path, dict(cloud))
    try:
        with path.open("rb") as file:
            # However this process ends, the lock goes with it.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    finally:
        if read_json(path) == cloud:  # and not a later one's
            path.unlink(missing_ok=True)


def _local_cloud() -> dict[str, str]:
    path = _local_cloud_file()
    if not path.is_file() or not _is_locked(path):
        return {}  # it was killed; by now its port may be anybody's
    return {name: str(value) for name, value in read_json(path).items()}


def _is_locked(path: Path) -> bool:
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
