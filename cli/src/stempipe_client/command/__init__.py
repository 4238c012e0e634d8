"""The command `stempipe`."""

from stempipe_client.command.app import main

__all__ = ["main"]
