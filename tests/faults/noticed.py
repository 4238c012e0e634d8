"""For each safeguard a schedule that is well with it, and not without it."""

from __future__ import annotations

from tests.faults.cloud import WORKERS
from tests.faults.faults import DuplicateMessage, Fault, Freeze, Kill, LoseAnswer, Moment
from tests.faults.plan import Crowd, Deed, Delivery, Plan, Way, Wish
from tests.faults.sabotage import Sabotage
from tests.faults.steps import LEASE_SECONDS, Step

STANDS_STILL_SECONDS = 2.5 * LEASE_SECONDS


def _plan(
    song: str, *faults: Fault, way: Way = Way.API, wish: Wish | None = None, listens: bool = False
) -> Plan:
    return Plan(0, song, way, Delivery.PROMPT, [0.0], faults, wish=wish, listens=listens)


def schedule_for(safeguard: Sabotage) -> Plan | Crowd:
    """One that is well with the safeguard, and not without it."""
    match safeguard:
        case Sabotage.FENCING:
            return _plan("short.wav", Freeze(step=Step.PUT, before=True, duration=STANDS_STILL_SECONDS))
        case Sabotage.CLAIMS:
            return _plan("long.wav", DuplicateMessage(step=Step.SEND, copies=2))
        case Sabotage.SWEEP:
            return _plan("short.wav", way=Way.NEVER)
        case Sabotage.MAKINGS:
            return _plan("short.wav", wish=Wish(Deed.AGAIN, Moment(step=Step.REPORT)))
        case Sabotage.MARKS:
            return _plan("short.wav", LoseAnswer(step=Step.CLAIM))
        case Sabotage.DELETION:
            slow = Moment(step=Step.LIST, hold=9)
            return _plan("notes.mp3", wish=Wish(Deed.RETRY_DELETED, Moment(step=Step.FAIL), slow))
        case Sabotage.KEEP:
            return _plan("short.wav", Kill(step=Step.KEEP), listens=True)
        case Sabotage.ACCOUNTS:
            return _plan("short.wav")
        case Sabotage.LINE:
            return Crowd(0, 2 * WORKERS + 2, _plan("short.wav"))
        case Sabotage.PARTS:
            return _plan("short.wav", way=Way.STEMS, listens=True)
