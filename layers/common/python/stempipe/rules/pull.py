"""The rules of pull: R2's notifications are taken from their queue until it is empty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stempipe.adapters.cloudflare import CloudflareQueue, Message
from stempipe.observability import Metric, logger
from stempipe.rules.intake import Intake

_BATCH = 10
# With less time left than this nothing more is begun: it takes as long to find storage out of reach.
_ENOUGH_SECONDS = 20
VISIBILITY_SECONDS = 120
"""How long a message stays away that was pulled and not settled: longer than a run, so that what one run
works on does not come to the next."""


@dataclass(frozen=True, slots=True)
class Drained:
    """How many messages were done with, and how many will come again."""

    done: int
    again: int


@dataclass(frozen=True)
class Puller:
    """Takes in what R2's queue holds.

    Parameters
    ----------
    queue
        Where R2's notifications are.
    intake
        What takes them in.
    """

    queue: CloudflareQueue
    intake: Intake

    def drain(self, seconds_left: Callable[[], float]) -> Drained:
        """Pull until the queue is empty or the time is nearly over.

        A message is acknowledged only once its job is written and queued, or when it is of no use.

        Raises
        ------
        QueueUnavailable
            The rest stays in the queue. What was taken in but not acknowledged comes again, which does no
            harm.
        """
        done = put_off = 0
        while seconds_left() > _ENOUGH_SECONDS:
            batch = self.queue.pull(_BATCH, VISIBILITY_SECONDS)
            if not batch:
                break
            again = {
                message: _delay(message.attempts)
                for message in batch
                if seconds_left() < _ENOUGH_SECONDS or not self._take(message)
            }
            self.queue.settle([message for message in batch if message not in again], again)
            done += len(batch) - len(again)
            put_off += len(again)
        return Drained(done, put_off)

    def _take(self, message: Message) -> bool:
        """Whether the message is done with."""
        try:
            self.intake.take_record(message.body)
        except Exception:
            logger.exception("Not taken in; the message will come again", attempts=message.attempts)
            Metric.UPLOADS_RETURNED.add()
            return False
        return True


def _delay(attempts: int) -> int:
    """Seconds until a message comes again: 30 at first, twice as long each time, at most 15 minutes."""
    return min(15 << attempts, 900)
