"""The command `stempipe`; its entry point is `stempipe_client.command.app.main`."""
