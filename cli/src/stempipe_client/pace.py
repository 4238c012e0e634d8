"""How long to wait for what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Times of a client, in seconds.

    Attributes
    ----------
    pauses
        Before each further try of a request that failed in passing.
    poll
        Between two looks at a job that is not told over WebSocket.
    live_again
        How long such a job is polled before another try to have it told.
    silence
        Without a word for so long over WebSocket, a job is asked for again; without an answer for as long,
        the connection is taken for dead.
    """

    pauses: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
    poll: float = 1.0
    live_again: float = 15.0
    silence: float = 10.0
