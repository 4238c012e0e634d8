"""Whose turn it is: of each owner as many jobs have a message as the owner's share of the workers is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from stempipe.errors import InternalError
from stempipe.jobs import line as line_module
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.line import Line
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import Job, Source, Status
from stempipe.jobs.refusals import JobIsHeld, NoRoom
from stempipe.jobs.table import Jobs
from stempipe.observability import logger
from stempipe.rules.dispatch import Dispatch
from tests.aws import TABLE, UPLOADS, USAGE, Aws
from tests.stored import stored_song

Make = Callable[..., list[Job]]


@pytest.fixture
def dispatch(cloud: Aws, jobs: Jobs) -> Dispatch:
    """For two workers."""
    return cloud.dispatch(jobs)


@pytest.fixture
def make(jobs: Jobs, dispatch: Dispatch) -> Make:
    """Jobs of an owner, sent as soon as they are there."""

    def made(owner: str, *ids: str) -> list[Job]:
        source = Source("s3", UPLOADS, f"inbox/{owner}/song.mp3", "song.mp3", bytes=4, etag="e")
        found = [jobs.add(owner, job_id, Status.QUEUED, source, JobConfig()) for job_id in ids]
        return [dispatch.send(job) for job in found]

    return made


def sent(cloud: Aws) -> list[str]:
    """Jobs whose message was sent since the last time."""
    return sorted(message["id"] for message in cloud.messages())


def end(jobs: Jobs, owner: str, job_id: str) -> None:
    Claim.take(jobs, owner, job_id, 30).complete(stored=stored_song({"vocals": "k"}), gb_seconds=1)


def let_in(jobs: Jobs, owner: str) -> int:
    return jobs.accounts.standing(owner).total("let_in")


def test_who_is_alone_has_all_workers_and_the_rest_wait(cloud: Aws, jobs: Jobs, make: Make) -> None:
    found = make("mallory", *"abcde")
    assert sent(cloud) == ["a", "b"]
    assert [job.in_line_since is None for job in found] == [True, True, False, False, False]
    assert {job.state for job in found} == {Status.QUEUED}
    assert let_in(jobs, "mallory") == 2
    # What waits for its turn is late for nothing.
    assert jobs.get("mallory", "c").due_at is None


def test_where_one_ends_the_next_is_sent_in_the_order_in_which_they_came(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch
) -> None:
    make("mallory", *"abcd")
    sent(cloud)
    for ended, following in (("b", ["c"]), ("a", ["d"]), ("c", [])):
        end(jobs, "mallory", ended)
        dispatch.go_on("mallory")
        assert sent(cloud) == following
        dispatch.go_on("mallory")
        assert sent(cloud) == []
    assert let_in(jobs, "mallory") == 1


def test_beside_another_one_worker_is_left_while_the_other_has_a_job(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch
) -> None:
    make("mallory", *"abcdef")
    make("zoe", "z")
    assert sent(cloud) == ["a", "b", "z"]  # hers is next, whatever he has sent
    end(jobs, "mallory", "a")
    dispatch.go_on("mallory")
    assert sent(cloud) == []  # the worker is zoe's
    end(jobs, "mallory", "b")
    dispatch.go_on("mallory")
    assert sent(cloud) == ["c"]
    end(jobs, "zoe", "z")
    dispatch.go_on("zoe")
    assert sent(cloud) == ["d"]  # she has no other: his go on, on both
    assert let_in(jobs, "mallory") == 2


def test_two_who_have_much_to_do_share(cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch) -> None:
    make("mallory", *"abcd")
    make("zoe", *"wxyz")
    done = []
    for _ in range(8):
        waiting = sent(cloud)
        done += waiting
        for job_id in waiting:
            owner = "mallory" if job_id in "abcd" else "zoe"
            end(jobs, owner, job_id)
            dispatch.go_on(owner)
    # His first two were there before she came. From then on it is now one's turn, now the other's.
    assert done == [*"abwcxdyz"]
    assert let_in(jobs, "mallory") == let_in(jobs, "zoe") == 0


def test_whoever_is_cancelled_or_fails_makes_room(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch
) -> None:
    make("mallory", *"abcde")
    sent(cloud)
    jobs.cancel("mallory", "a")
    jobs.cancel("mallory", "c")  # in line, where the next is d
    dispatch.go_on("mallory")
    assert sent(cloud) == ["d"]
    Claim.take(jobs, "mallory", "b", 30).fail(InternalError())
    dispatch.go_on("mallory")
    assert sent(cloud) == ["e"]


def test_a_job_that_is_tried_again_stays_where_it_is(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch
) -> None:
    make("mallory", *"abc")
    sent(cloud)
    Claim.take(jobs, "mallory", "a", 30).release()
    dispatch.go_on("mallory")
    assert sent(cloud) == []
    assert let_in(jobs, "mallory") == 2


def test_who_asks_for_a_retry_waits_like_everybody(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch
) -> None:
    make("mallory", *"abc")
    sent(cloud)
    Claim.take(jobs, "mallory", "a", 30).fail(InternalError())
    dispatch.go_on("mallory")
    assert sent(cloud) == ["c"]
    assert dispatch.send(jobs.retry(jobs.get("mallory", "a"))).in_line_since is not None
    assert sent(cloud) == []
    # A message of before may come back, and lets nobody in.
    with pytest.raises(JobIsHeld):
        Claim.take(jobs, "mallory", "a", 30)
    assert let_in(jobs, "mallory") == 2


def test_a_message_that_was_not_sent_is_sent_by_whoever_comes_again(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch
) -> None:
    (job,) = make("mallory", "a")
    sent(cloud)
    assert dispatch.send(dispatch.line.let_in(in_line(jobs, job))).id == "a"
    assert sent(cloud) == ["a"]


def in_line(jobs: Jobs, job: Job) -> Job:
    """The job, as a worker that lost it has left it: cancelled, and made again."""
    jobs.delete(jobs.cancel(job.owner, job.id))
    source = Source("s3", UPLOADS, "inbox/mallory/song.mp3", "song.mp3", bytes=4, etag="e")
    return jobs.add(job.owner, job.id, Status.QUEUED, source, JobConfig())


def test_nobody_is_let_in_twice(jobs: Jobs, make: Make, dispatch: Dispatch) -> None:
    _, _, waits = make("mallory", *"abc")
    with pytest.raises(NoRoom):
        dispatch.line.let_in(waits)
    end(jobs, "mallory", "a")
    dispatch.send(waits)
    dispatch.send(waits)  # by a repeated event, as it was then
    assert let_in(jobs, "mallory") == 2


def test_a_fault_of_the_table_leaves_the_line_to_sweep(
    jobs: Jobs, make: Make, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("mallory", *"abc")
    end(jobs, "mallory", "a")

    def fails(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    logged: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(dispatch.line, "of", fails)
        patch.setattr(logger, "exception", logged.append)
        dispatch.go_on("mallory")
    assert logged == ["What waits in line is left for sweep"]
    assert [*dispatch.line.owners()] == ["mallory"]
    assert dispatch.send_next("mallory") == 1


# -- attacks ---------------------------------------------------------------------------------


def test_messages_of_cancelled_jobs_do_not_jump_the_line_when_the_jobs_are_made_again(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch
) -> None:
    ids = [*"abcdef"]
    for job_id in ids:  # one after the other gets a message, and is gone
        make("mallory", job_id)
        jobs.delete(jobs.cancel("mallory", job_id))
    before = sent(cloud)
    assert before == ids
    make("mallory", *ids)
    assert sent(cloud) == ["a", "b"]
    taken = []
    for job_id in before:  # which stand before anybody else's
        try:
            taken.append(Claim.take(jobs, "mallory", job_id, 30).job.id)
        except JobIsHeld:
            assert jobs.get("mallory", job_id).in_line_since is not None
    assert taken == ["a", "b"]
    for job_id in taken:
        jobs.cancel("mallory", job_id)
    dispatch.go_on("mallory")
    assert sent(cloud) == ["c", "d"]  # each gets its message when its turn comes
    assert let_in(jobs, "mallory") == 2


def test_who_has_many_in_line_hides_nobody(
    cloud: Aws, jobs: Jobs, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "_SOME", 1)
    dispatch = cloud.dispatch(jobs, workers=4)
    make("mallory", *"abcdefgh")  # for two workers, so that two are let in
    make("yan", *"xyz")
    sent(cloud)
    jobs.cancel("yan", "x")
    assert let_in(jobs, "yan") == 0
    sent_of: set[str] = set()
    for _ in range(40):  # the index is in other parts each time
        dispatch.go_on("zoe")
        sent_of |= {message["owner"] for message in cloud.messages()}
        if "yan" in sent_of:
            break
    assert "yan" in sent_of


def test_where_one_has_no_room_the_next_is_asked(cloud: Aws, jobs: Jobs, make: Make) -> None:
    dispatch = cloud.dispatch(jobs, workers=4)
    make("mallory", *"abcd")  # two are let in, which is his share beside another of three that are shared
    make("yan", *"yz")
    sent(cloud)
    jobs.cancel("yan", "y")
    make("xu", "x")
    sent(cloud)
    assert dispatch.line.waiting() == ["mallory", "yan"]  # his has stood there longest
    dispatch.go_on("zoe")
    assert sent(cloud) == ["z"]
    dispatch.go_on("zoe")
    assert sent(cloud) == []


def test_three_workers_and_more_leave_one_to_whoever_comes(cloud: Aws, jobs: Jobs) -> None:
    dispatch = cloud.dispatch(jobs, workers=3)

    def make(owner: str, *ids: str) -> None:
        source = Source("s3", UPLOADS, f"inbox/{owner}/song.mp3", "song.mp3", bytes=4, etag="e")
        for job_id in ids:
            dispatch.send(jobs.add(owner, job_id, Status.QUEUED, source, JobConfig()))

    make("mallory", *"abcd")
    assert sent(cloud) == ["a", "b"]
    make("zoe", "y", "z")
    assert sent(cloud) == ["y"]  # on the third worker, at once
    end(jobs, "mallory", "a")
    dispatch.go_on("mallory")
    assert sent(cloud) == []  # which is now the one that is left
    make("xu", "x")
    assert sent(cloud) == ["x"]


def test_many_owners_with_a_song_each_are_served_in_the_order_in_which_they_came(
    cloud: Aws, make: Make
) -> None:
    owners = [f"owner-{number}" for number in range(9)]
    for job_id in ("first", "second"):
        for owner in owners:
            make(owner, job_id)
    messages = [message for _ in range(3) for message in cloud.messages()]
    assert [message["owner"] for message in messages] == owners
    assert {message["id"] for message in messages} == {"first"}


def test_jobs_of_several_days_are_let_in_within_one_share(
    cloud: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7, now=lambda: now)
    source = Source("s3", UPLOADS, "k", "song.mp3", bytes=4, etag="e")
    for job_id in "abc":
        jobs.add("mallory", job_id, Status.QUEUED, source, JobConfig())
        now += timedelta(days=1)
    before = jobs.accounts.standing("mallory")
    line = Line(jobs, 2)
    for job_id in "ab":
        line.let_in(jobs.get("mallory", job_id))
    looks = [before]  # as one reads it who comes at the same time
    standing = jobs.accounts.standing
    monkeypatch.setattr(jobs.accounts, "standing", lambda owner: looks.pop() if looks else standing(owner))
    with pytest.raises(NoRoom):
        line.let_in(jobs.get("mallory", "c"))
    assert not looks
    assert standing("mallory").total("let_in") == 2


def test_what_expires_in_line_holds_up_nothing_behind_it(cloud: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7, now=lambda: now)
    source = Source("s3", UPLOADS, "k", "song.mp3", bytes=4, etag="e")
    for job_id in "abc":
        jobs.add("mallory", job_id, Status.QUEUED, source, JobConfig())
    now += timedelta(days=7, seconds=1)
    jobs.add("mallory", "d", Status.QUEUED, source, JobConfig())
    looked_at: list[str] = []
    get = jobs.get

    def look(owner: str, job_id: str) -> Job:
        looked_at.append(job_id)
        return get(owner, job_id)

    monkeypatch.setattr(jobs, "get", look)
    assert [job.id for job in Line(jobs, 2).of("mallory")] == ["d"]
    assert looked_at == ["d"]


def test_how_far_back_is_counted_up_to_a_bound(
    jobs: Jobs, make: Make, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = make("mallory", *"abcdef")
    monkeypatch.setattr(line_module, "_FAR", 3)
    assert [dispatch.line.before(job) for job in found[2:]] == [0, 1, 2, None]


def test_what_a_job_that_ends_asks_does_not_grow_with_the_lines(
    cloud: Aws, jobs: Jobs, make: Make, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"_SOME": 2, "_PAGE": 2, "_PARTS": range(4, 5)}.items():
        monkeypatch.setattr(line_module, name, value)
    asked: list[str] = []
    ask: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def count(client: BaseClient, operation: str, content: dict[str, Any]) -> Any:
        asked.append(operation)
        return ask(client, operation, content)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)

    def requests(owner: str) -> int:
        asked.clear()
        dispatch.go_on(owner)
        return len(asked)

    make("mallory", *"abcd")
    few = [requests("mallory"), requests("zoe")]
    make("mallory", *"efghijklmnop")
    assert [requests("mallory"), requests("zoe")] == few
    assert let_in(jobs, "mallory") == 2


def test_who_is_let_in_and_never_sent_is_overdue(cloud: Aws) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7, now=lambda: now)
    source = Source("s3", UPLOADS, "k", "song.mp3", bytes=4, etag="e")
    Line(jobs, 2).let_in(jobs.add("mallory", "a", Status.QUEUED, source, JobConfig()))
    now += timedelta(seconds=61)
    (late,) = Overdue(jobs).under_way()
    cloud.dispatch(jobs).send(late)
    assert sent(cloud) == ["a"]
    assert [*Overdue(jobs).under_way()] == []
    assert let_in(jobs, "mallory") == 1
