"""`python -m stempipe_client` is `stempipe`."""

from stempipe_client.command import main

main()
