"""The rules of whose turn it is, played through by a clock of their own: several owners, one hostile."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from stempipe.jobs.line import share
from stempipe.jobs.record import Status
from stempipe.jobs.refusals import NoRoom
from stempipe.rules.dispatch import Dispatch


@dataclass
class Song:
    """A job, and when it was sent, begun and done."""

    owner: str
    seconds: float
    sent: float
    in_line_since: float | None
    id: str = ""
    trace_header: None = None
    state: Status = Status.QUEUED
    done: float = 0.0

    @property
    def took(self) -> float:
        return self.done - self.sent


@dataclass
class House:
    """Workers, the queue and the lines, in which ``Dispatch`` is at work. Nothing in it lags."""

    workers: int
    now: float = 0.0
    songs: list[Song] = field(default_factory=list)
    lines: defaultdict[str, list[Song]] = field(default_factory=lambda: defaultdict(list))
    there: Counter[str] = field(default_factory=Counter)
    messages: deque[Song] = field(default_factory=deque)
    free: int = 0
    most_messages: int = 0

    def __post_init__(self) -> None:
        house: Any = self  # the table, the lines and the queue at once
        self.dispatch = Dispatch(house, house, house)
        self.free = self.workers
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._then: dict[str, Callable[[], None] | None] = {}

    # -- what Dispatch asks for --------------------------------------------------------------

    def let_in(self, song: Song) -> Song:
        others = {owner: jobs for owner, jobs in self.there.items() if jobs and owner != song.owner}
        if self.there[song.owner] >= share(self.workers, others):
            raise NoRoom
        self.lines[song.owner].remove(song)
        song.in_line_since = None
        self.there[song.owner] += 1
        return song

    def of(self, owner: str) -> Iterator[Song]:
        yield from [*self.lines[owner]]

    def waiting(self) -> list[str]:
        heads = [line[0] for line in self.lines.values() if line]
        return [song.owner for song in sorted(heads, key=lambda song: song.in_line_since or 0)]

    def send(self, owner: str, job_id: str, trace: str | None) -> str:
        self.messages.append(self.songs[int(job_id)])
        return "message"

    def mark_enqueued(self, *_: object) -> None:
        self.most_messages = max(self.most_messages, len(self.messages) + self.workers - self.free)

    # -- the clock ---------------------------------------------------------------------------

    def at(self, time: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), what))

    def sends(self, owner: str, seconds: float, then: Callable[[], None] | None = None) -> None:
        """Somebody sends a song now, and does something once it is done."""
        song = Song(owner, seconds, self.now, self.now, str(len(self.songs)))
        self.songs.append(song)
        self.lines[owner].append(song)
        self._then[song.id] = then
        sent: Any = song
        self.dispatch.send(sent)

    def run(self) -> None:
        """Until nothing happens any more."""
        while self._events or self.messages:
            while self.free and self.messages:
                song = self.messages.popleft()
                self.free -= 1
                self.at(self.now + song.seconds, lambda song=song: self._ends(song))  # type: ignore[misc]
            self.now, _, what = heapq.heappop(self._events)
            what()
        assert all(song.done for song in self.songs)

    def _ends(self, song: Song) -> None:
        song.state, song.done = Status.COMPLETED, self.now
        self.there[song.owner] -= 1
        self.free += 1
        self.dispatch.go_on(song.owner)
        if then := self._then[song.id]:
            then()

    def sends_one_after_the_other(self, owner: str, songs: int, seconds: float, pause: float) -> None:
        """Who sends the next song only when the last is done, and some time has gone by."""
        if songs:
            then = lambda: self.at(  # noqa: E731
                self.now + pause, lambda: self.sends_one_after_the_other(owner, songs - 1, seconds, pause)
            )
            self.sends(owner, seconds, then)

    def of_owner(self, owner: str) -> list[Song]:
        return [song for song in self.songs if song.owner == owner]


@pytest.mark.parametrize("workers", range(3, 9))
@pytest.mark.parametrize("his", [1, 7, 100])
def test_with_three_workers_or_more_an_honest_owner_waits_for_no_other(workers: int, his: float) -> None:
    house = House(workers)
    for _ in range(200):
        house.sends("mallory", his)
    house.at(0.5, lambda: house.sends_one_after_the_other("zoe", 30, seconds=10, pause=3))
    house.run()
    zoes = house.of_owner("zoe")
    assert len(zoes) == 30
    assert {song.took for song in zoes} == {10}


@pytest.mark.parametrize("workers", range(3, 9))
@pytest.mark.parametrize("pause", [0, 1, 13])
def test_two_honest_owners_beside_a_hostile_one_have_twice_their_time(workers: int, pause: float) -> None:
    house = House(workers)
    for _ in range(200):
        house.sends("mallory", 100)
    house.at(1, lambda: house.sends_one_after_the_other("zoe", 20, seconds=10, pause=pause))
    house.at(2, lambda: house.sends_one_after_the_other("yan", 20, seconds=10, pause=2 * pause))
    house.run()
    assert all(song.took <= 2 * song.seconds for song in house.songs if song.owner != "mallory")


def test_with_two_workers_whoever_comes_waits_for_the_rest_of_one_song() -> None:
    house = House(2)
    for _ in range(50):
        house.sends("mallory", 100)
    house.at(1, lambda: house.sends_one_after_the_other("zoe", 10, seconds=10, pause=0))
    house.run()
    zoes = house.of_owner("zoe")
    assert zoes[0].took == 99 + 10
    assert all(song.took <= 100 + 10 for song in zoes)


@pytest.mark.parametrize("workers", [2, 3, 10])
def test_a_thousand_owners_are_served_in_the_order_in_which_they_came(workers: int) -> None:
    house = House(workers)
    for _ in range(100):
        house.sends("mallory", 5)
    for _ in range(2):
        for number in range(1000):
            house.sends(f"owner-{number}", 5)
    house.run()
    assert house.most_messages <= 1001 + workers
    others = sorted((song for song in house.songs if song.owner != "mallory"), key=lambda song: song.done)
    assert [song.owner for song in others] == 2 * [f"owner-{number}" for number in range(1000)]


@pytest.mark.parametrize("workers", [2, 3, 10])
def test_who_is_alone_keeps_the_workers_busy_that_are_his(workers: int) -> None:
    house = House(workers)
    for _ in range(90):
        house.sends("mallory", 10)
    house.run()
    assert house.now == pytest.approx(10 * -(-90 // share(workers, {})))
