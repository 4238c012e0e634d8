"""`python -m stempipe_client` is `stempipe`."""

from stempipe_client.command.app import main

main()
