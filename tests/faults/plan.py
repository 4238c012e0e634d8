"""What happens in one schedule: which song, by which way, and what goes wrong, all drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from tests.faults.faults import (
    DropMessage,
    DuplicateMessage,
    Fault,
    Freeze,
    FullDisk,
    Kill,
    LoseAnswer,
    Moment,
    Refuse,
    ShortRead,
    Stall,
    Stop,
)
from tests.faults.steps import LEASE_SECONDS, Step


class Way(StrEnum):
    """How the song comes."""

    API = "api"
    INBOX = "inbox"
    REPLACED = "inbox, replaced at once"
    STEMS = "api, as two stems"
    NEVER = "api, never uploaded"


class Delivery(StrEnum):
    """What becomes of the storage's event; of two stems', of one of them."""

    PROMPT = "prompt"
    LATE = "late"
    TWICE = "twice"
    LOST = "lost"

    def delays(self, chance: Random) -> list[float]:
        """Seconds after which intake hears of the upload, each time that it does."""
        match self:
            case Delivery.PROMPT:
                return [0.0]
            case Delivery.LATE:
                return [chance.uniform(0.5, 3)]
            case Delivery.TWICE:
                return [0.0, *(chance.choice([0.0, chance.uniform(0.05, 4)]) for _ in range(2))]
            case Delivery.LOST:
                return []


class Deed(StrEnum):
    """What the owner does amid the work, or once the job has ended if it does so before."""

    CANCEL = "deletes it once"
    FORGET = "deletes it until it is gone"
    AGAIN = "deletes it until it is gone and makes it again, with other wishes"
    PUT_AGAIN = "deletes it and puts the song into the inbox again"
    ASK_AGAIN = "asks for it again"  # after its upload never came
    RETRY = "retries it"
    RETRY_DELETED = "retries it while it is being deleted"


@dataclass(frozen=True)
class Wish:
    """A deed of the owner's, and when.

    Attributes
    ----------
    moment
        At which it is done.
    slow
        At which a request to delete the job waits, before it deletes any file, for what the owner does next.
    """

    deed: Deed
    moment: Moment
    slow: Moment | None = None

    def __str__(self) -> str:
        slow = f", deleting being slow {self.slow}" if self.slow else ""
        return f"owner {self.deed} {self.moment}{slow}"


# What the owner may do amid this or that way of the song.
_DEEDS = {
    Way.API: [*[Deed.CANCEL] * 2, Deed.FORGET, *[Deed.AGAIN] * 4],
    Way.INBOX: [*[Deed.CANCEL] * 2, Deed.FORGET, *[Deed.PUT_AGAIN] * 2],
    Way.STEMS: [*[Deed.CANCEL] * 2, Deed.FORGET, *[Deed.AGAIN] * 2],
    Way.NEVER: [Deed.ASK_AGAIN],
    Way.REPLACED: [],
}
# If it is the song's own fault that the job fails.
_DEEDS_OF_BAD = [Deed.FORGET, *[Deed.RETRY] * 3, *[Deed.RETRY_DELETED] * 2]


@dataclass(frozen=True)
class Plan:
    """One schedule.

    Attributes
    ----------
    wish
        What the owner does.
    link_expires
        The stems' links expire while a stem is downloaded.
    listens
        Whether analysis and the player's files are asked for.
    """

    seed: int
    song: str
    way: Way
    delivery: Delivery
    delays: Sequence[float]
    faults: Sequence[Fault]
    link_expires: bool = False
    wish: Wish | None = None
    listens: bool = False

    def __str__(self) -> str:
        listens = ", listened to" * self.listens
        parts = [f"{self.song} by {self.way}{listens}", f"event {self.delivery}", *map(str, self.faults)]
        parts += [str(self.wish)] * bool(self.wish)
        return "; ".join(parts + ["link expires"] * self.link_expires)


@dataclass(frozen=True)
class Restart:
    """Several uploads at once, and the cloud is stopped amid them and started again.

    Attributes
    ----------
    seconds, down
        After which it is stopped, and for how long.
    """

    seed: int
    plans: Sequence[Plan]
    seconds: float
    down: float

    def __str__(self) -> str:
        return f"the cloud is down for {self.down} s after {self.seconds} s of {len(self.plans)} uploads"


@dataclass(frozen=True)
class Crowd:
    """Many songs of one owner at once, and another's upload after them.

    Attributes
    ----------
    songs
        How many: more than there are workers.
    """

    seed: int
    songs: int
    plan: Plan

    def __str__(self) -> str:
        return f"after {self.songs} songs of somebody else's: {self.plan}"


# Good ones, and what each bad one fails with. In place of a song there may be MIDI.
GOOD = ("short.wav", "mono.wav", "example.mp3", "long.wav", MIDI := "bar.mid")
# Two of them that come as stems, by what they are called; neither is the drums.
PARTS = {"lead": "short.wav", "bass": "mono.wav"}
# What is listened to takes longer: of the songs, the shortest alone.
LISTENED_TO = "short.wav"
BAD = {"notes.mp3": "unsupported_media", "empty.wav": "empty_file"}


def draw(seed: int) -> Plan | Restart | Crowd:
    """The schedule of a seed."""
    chance = Random(seed)
    if seed % 50 == 10:
        plan = replace(
            _draw(chance, seed), song=LISTENED_TO, way=Way.API, faults=(), wish=None, listens=False
        )
        return Crowd(seed, chance.randint(10, 14), replace(plan, delivery=Delivery.PROMPT, delays=[0.0]))
    if seed % 100 == 99:
        plans = [replace(_draw(chance, seed), faults=(), link_expires=False, wish=None) for _ in range(6)]
        return Restart(seed, plans, round(chance.uniform(0.2, 4), 2), round(chance.uniform(0, 2), 2))
    return _draw(chance, seed)


def _draw(chance: Random, seed: int) -> Plan:
    way = chance.choices(list(Way), [49, 35, 5, 5, 6])[0]
    song = chance.choices([*GOOD, *BAD], [48, 18, 8, 5, 5, 12, 4])[0]
    if way is Way.STEMS or (way is not Way.INBOX and song == "empty.wav"):  # the API refuses it at once
        song = "short.wav"
    if way is Way.REPLACED and song == MIDI:
        song = "short.wav"
    is_heard = way in (Way.API, Way.INBOX) and song == LISTENED_TO and chance.random() < 0.3
    listens = is_heard or way is Way.STEMS or song == MIDI
    delivery = chance.choices(list(Delivery), [70, 10, 15, 5])[0]
    count = chance.choices([0, 1, 2, 3], [8, 32, 35, 25])[0]
    wish = _wish(chance, way, song, listens) if chance.random() < 0.45 else None
    steps = _steps(way, song, wish, listens)
    faults = [_FAULTS[step](chance, step) for step in chance.choices(list(steps), [*steps.values()], k=count)]
    delays, link_expires = delivery.delays(chance), chance.random() < 0.15
    return Plan(seed, song, way, delivery, delays, faults, link_expires, wish, listens)


def _wish(chance: Random, way: Way, song: str, listens: bool) -> Wish | None:
    deeds = _DEEDS_OF_BAD if song in BAD and song != "empty.wav" and way is not Way.NEVER else _DEEDS[way]
    if not deeds or song == "empty.wav":
        return None
    deed = chance.choice(deeds)
    moments = _MOMENTS_OF_LISTENING if listens and separates(way, song) else _MOMENTS
    step = Step.FAIL if song in BAD else chance.choice(moments)
    hold = chance.choice([0.0, 2.0, 2.0, 2.0])  # less than the lease
    moment = Moment(step=step, nth=_nth(chance, step), hold=0.0 if deed in _AFTERWARDS else hold)
    nth = chance.choice([0, 1, 1, 2, 2]) if deed is Deed.AGAIN else int(deed is Deed.RETRY_DELETED)
    return Wish(deed, moment, Moment(step=Step.LIST, nth=nth, hold=_SLOW_SECONDS) if nth else None)


# Less than the function's own time.
_SLOW_SECONDS = 9.0
_MOMENTS = [Step.CLAIM, Step.FETCH, Step.REPORT, Step.PUT, Step.PUT, Step.COMPLETE]
# Others have the moments before.
_MOMENTS_OF_LISTENING = [Step.KEEP, Step.LISTEN, Step.LISTEN, Step.STORE]
_AFTERWARDS = (Deed.ASK_AGAIN, Deed.RETRY, Deed.RETRY_DELETED)


def separates(way: Way, song: str) -> bool:
    """Whether there are stems to be made."""
    return way is not Way.STEMS and song != MIDI


def _steps(way: Way, song: str, wish: Wish | None, listens: bool) -> dict[Step, float]:
    """Steps at which something may go wrong, and how often it should."""
    if wish is None:
        return _steps_of_work(way, song, listens)
    deletion: dict[Step, float] = {Step.CANCEL: 4, Step.MARK: 4, Step.ERASE: 3, Step.FORGET: 4}
    match wish.deed:
        case Deed.CANCEL:
            deletion[Step.CANCEL] = 20
        case Deed.ASK_AGAIN:
            return {Step.CREATE: 1, Step.AWAIT: 3, Step.NOTE: 1}
        case Deed.RETRY:
            return {
                Step.RETRY: 10,
                Step.LET_IN: 2,
                Step.SEND: 2,
                Step.CLAIM: 2,
                Step.FAIL: 2,
                Step.RELEASE: 1,
            }
    # Less of the work's own, or too seldom anything would happen to the owner's.
    return {step: weight / 6 for step, weight in _steps_of_work(way, song, listens).items()} | deletion


def _steps_of_work(way: Way, song: str, listens: bool) -> dict[Step, float]:
    if way is Way.NEVER:
        return {Step.CREATE: 1, Step.REQUEUE: 1}
    before: dict[Step, float] = {
        Step.LOOK_UP: 3,
        Step.TAKE_IN: 5,
        Step.LET_IN: 8,
        Step.SEND: 16,
        Step.NOTE: 3,
    }
    if way in (Way.API, Way.STEMS):
        before[Step.CREATE] = 6
    if way is Way.STEMS:
        del before[Step.TAKE_IN]
        before |= {Step.PART: 40, Step.PARTS: 40}
    if song == "empty.wav":
        return before
    ends: dict[Step, float] = {Step.FAIL: 10} if song in BAD else {Step.PUT: 22, Step.COMPLETE: 12}
    if song == MIDI:
        del ends[Step.PUT]
    if listens:
        ends |= {Step.LISTEN: 80, Step.STORE: 30}
        ends |= {Step.KEEP: 80} if separates(way, song) else {}
    again: dict[Step, float] = {Step.RELEASE: 2, Step.PUT_OFF: 2, Step.HOLD: 6, Step.REQUEUE: 2}
    return before | {Step.CLAIM: 10, Step.FETCH: 34, Step.REPORT: 10} | ends | again


def _nth(chance: Random, step: Step) -> int:
    often = step in (Step.PUT, Step.REPORT, Step.LISTEN, Step.STORE)
    return chance.choices([1, 2, 3], [60, 30, 10] if often else [85, 12, 3])[0]


def _kill(chance: Random, step: Step) -> Fault:
    return Kill(step=step, nth=_nth(chance, step), before=chance.random() < 0.5)


def _freeze(chance: Random, step: Step) -> Fault:
    duration = LEASE_SECONDS * chance.choice([0.5, 1.5, 2.5])
    return Freeze(
        step=step, nth=_nth(chance, step), before=chance.random() < 0.5, duration=round(duration, 1)
    )


def _kill_later(chance: Random, step: Step) -> Fault:
    return Kill(step=step, nth=_nth(chance, step), seconds=round(chance.uniform(0.01, 0.6), 2))


def _stop(chance: Random, step: Step) -> Fault:
    return Stop(step=step, nth=_nth(chance, step))


def _stop_later(chance: Random, step: Step) -> Fault:
    return Stop(step=step, nth=_nth(chance, step), seconds=round(chance.uniform(0.01, 0.6), 2))


def _freeze_later(chance: Random, step: Step) -> Fault:
    return Freeze(
        step=step,
        nth=_nth(chance, step),
        seconds=round(chance.uniform(0.01, 0.4), 2),
        duration=LEASE_SECONDS * chance.choice([1.5, 2.5]),
    )


def _refuse(chance: Random, step: Step) -> Fault:
    # The clients try four times by themselves.
    return Refuse(step=step, nth=_nth(chance, step), times=chance.choice([1, 3, 5, 9]))


def _stall(chance: Random, step: Step) -> Fault:
    # DynamoDB's client waits for 4 s; S3's for 30 s, which is longer than a worker works here.
    long = 30.0 if step.service == "s3" else 6.0
    return Stall(step=step, nth=_nth(chance, step), seconds=chance.choices([1.0, 4.5, long], [50, 35, 15])[0])


def _stall_a_little(chance: Random, step: Step) -> Fault:
    return Stall(step=step, seconds=round(chance.uniform(0.5, 3), 1))


def _lose_answer(chance: Random, step: Step) -> Fault:
    return LoseAnswer(step=step, nth=_nth(chance, step), times=chance.choice([1, 1, 4]))


def _short_read(chance: Random, step: Step) -> Fault:
    return ShortRead(
        step=step, nth=1, times=chance.choice([1, 2]), share=chance.random(), pretends=chance.random() < 0.5
    )


def _full_disk(chance: Random, step: Step) -> Fault:
    # Less than any song; more than the shortest one, and less than its stems.
    return FullDisk(step=step, nth=_nth(chance, step), size=chance.choice([0, 5_000, 320_000]))


def _drop(chance: Random, step: Step) -> Fault:
    return DropMessage(step=step)


def _duplicate(chance: Random, step: Step) -> Fault:
    return DuplicateMessage(step=step, copies=chance.choice([1, 2, 5]))


Make = Callable[[Random, Step], Fault]


def _one_of(*makes: Make) -> Make:
    return lambda chance, step: chance.choice(makes)(chance, step)


_TABLE = _one_of(_kill, _freeze, _refuse, _stall, _lose_answer)
_FAULTS: dict[Step, Make] = {
    Step.CREATE: _one_of(_refuse, _lose_answer, _lose_answer),
    Step.LOOK_UP: _one_of(_kill, _refuse, _stall),
    Step.TAKE_IN: _one_of(_kill, _refuse, _lose_answer),
    Step.PART: _one_of(_kill, _refuse, _stall, _lose_answer),
    Step.PARTS: _one_of(_kill, _refuse, _stall, _lose_answer),
    Step.SEND: _one_of(_kill, _refuse, _lose_answer, _drop, _drop, _duplicate, _duplicate),
    Step.NOTE: _one_of(_kill, _refuse, _stall, _lose_answer),
    Step.LET_IN: _one_of(_kill, _refuse, _stall, _lose_answer, _lose_answer),
    Step.CLAIM: _TABLE,
    # What a worker does between fetching and putting calls nobody: a while after the one it is at it.
    Step.FETCH: _one_of(
        *(_kill, _kill_later, _kill_later, _freeze, _freeze_later, _refuse, _stall, _short_read, _full_disk),
        *(_stop, _stop_later),
    ),
    Step.REPORT: _TABLE,
    Step.PUT: _one_of(_kill, _kill, _stop, _freeze, _refuse, _stall, _lose_answer),
    Step.KEEP: _TABLE,
    Step.LISTEN: _one_of(_TABLE, _kill_later, _stop_later, _freeze_later, _full_disk),
    Step.STORE: _one_of(_kill, _freeze, _refuse, _stall, _lose_answer),
    Step.COMPLETE: _TABLE,
    Step.FAIL: _TABLE,
    Step.RELEASE: _one_of(_kill, _refuse, _lose_answer),
    Step.PUT_OFF: _one_of(_kill, _refuse),
    Step.HOLD: _one_of(_kill, _stop, _freeze, _refuse, _stall, _lose_answer),
    Step.REQUEUE: _one_of(_kill, _refuse, _lose_answer),
    Step.CANCEL: _one_of(_refuse, _lose_answer, _lose_answer),
    Step.MARK: _one_of(_refuse, _lose_answer),
    Step.ERASE: _one_of(_refuse, _stall_a_little),
    Step.FORGET: _one_of(_refuse, _lose_answer),
    Step.RETRY: _one_of(_refuse, _lose_answer, _lose_answer),
    Step.AWAIT: _one_of(_refuse, _lose_answer),
}
