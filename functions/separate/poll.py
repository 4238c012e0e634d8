"""separate where there is no Lambda: the same worker takes its messages from the queue by itself.

python -m poll
"""

from __future__ import annotations

import signal

import app
from stempipe.adapters.queue import JobQueue, sqs_client
from stempipe.rules.poll import POLL_SECONDS, Poller
from stempipe.settings import PollSettings


def poller() -> Poller:
    """The rules, wired to AWS."""
    settings = PollSettings.from_environment()
    return Poller(
        queue=JobQueue(sqs_client(POLL_SECONDS), settings.jobs_queue_url),
        worker=app.worker(settings.memory_mb),
        hold_seconds=2 * settings.lease_seconds,
        work_seconds=settings.work_seconds,
        margin_seconds=app.MARGIN_SECONDS,
    )


def main() -> None:
    """Work until SIGTERM or SIGINT, one song at a time."""
    one = poller()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: one.stop())
    one.run()


if __name__ == "__main__":
    main()
