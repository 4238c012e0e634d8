"""Whose turn it is: of each owner as many jobs have a message as the owner's share of the workers is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stempipe.errors import InternalError
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Job, Source, Status
from stempipe.jobs.refusals import JobIsHeld, NoRoom
from stempipe.jobs.table import Jobs
from stempipe.observability import logger
from stempipe.rules.dispatch import Dispatch
from tests.aws import UPLOADS, Aws
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
