"""What an owner may take: refused with what is left, counted with the jobs, given back when they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from stempipe.errors import EmptyFile, InternalError, QuotaExceeded
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.config import JobConfig
from stempipe.jobs.line import Line
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import FileFacts, Job, Kind, Part, Source, Status
from stempipe.jobs.refusals import ClaimLost, TransitionRefused
from stempipe.jobs.table import Jobs
from stempipe.jobs.usage import Limits
from tests.aws import TABLE, UPLOADS, USAGE, Aws
from tests.claims import take
from tests.integration.status.asking import Ask, inline
from tests.stored import stored_song

SONG = {"filename": "song.mp3", "size": 960_000}  # what may be a minute
BIG = {"filename": "song.mp3", "size": 999_000}


def limit(**limits: int) -> None:
    """Give alice limits of her own."""
    item: dict[str, Any] = {"owner": {"S": "alice"}, "day": {"S": "limits"}}
    item |= {name: {"N": str(value)} for name, value in limits.items()}
    boto3.client("dynamodb").put_item(TableName=USAGE, Item=item)


def used(ask: Ask) -> tuple[float, float, float]:
    quota = ask("GET", "/v1/quota").body
    return tuple(quota[name]["used"] for name in ("openJobs", "minutesToday", "bytesKept"))


def test_who_has_nothing_may_take_all(ask: Ask) -> None:
    status, quota = ask("GET", "/v1/quota")
    assert status == 200
    assert quota["openJobs"] == {"limit": 1000, "used": 0, "left": 1000}
    assert all(type(number) is int for number in quota["openJobs"].values())
    assert quota["bytesKept"] == {"limit": 200_000_000_000, "used": 0, "left": 200_000_000_000}
    resets_at = datetime.fromisoformat(quota["minutesToday"].pop("resetsAt"))
    assert quota["minutesToday"] == {"limit": 10_000, "used": 0, "left": 10_000}
    assert resets_at > datetime.now(UTC)
    assert resets_at.time() == time(0)


def test_a_job_counts_from_its_making_and_for_what_it_was_when_it_has_ended(ask: Ask, jobs: Jobs) -> None:
    job_id = ask("POST", "/v1/jobs", SONG).body["job"]["id"]
    assert used(ask) == (1, 1, 960_000)
    small = ask("POST", "/v1/jobs", inline(b"song")).body["job"]["id"]
    assert used(ask) == (2, 1.02, 960_004)
    song = stored_song({"vocals": "k"}, duration_seconds=90.0, facts={"k": FileFacts(1000)})
    take(jobs, "alice", small, 30).complete(stored=song, gb_seconds=1)
    assert used(ask) == (1, 2.5, 961_004)
    ask("DELETE", f"/v1/jobs/{job_id}")
    assert used(ask) == (0, 1.5, 1004)
    ask("DELETE", f"/v1/jobs/{small}")
    assert used(ask) == (0, 1.5, 0)  # the work was done


def test_what_never_came_counts_for_nothing(ask: Ask, jobs: Jobs) -> None:
    job_id = ask("POST", "/v1/jobs", SONG).body["job"]["id"]
    Overdue(jobs).give_up_upload(jobs.get("alice", job_id))
    assert used(ask) == (0, 0, 0)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"maxOpenJobs": 1}, "jobs that have not ended"),
        ({"maxMinutesADay": 1}, "minutes of sound a day"),
        ({"maxBytesKept": 1_500_000}, "bytes"),
    ],
)
def test_one_more_is_refused_and_another_owners_is_not(
    ask: Ask, limits: dict[str, int], message: str
) -> None:
    limit(**limits)
    first = ask("POST", "/v1/jobs", SONG).body["job"]["id"]
    status, body = ask("POST", "/v1/jobs", SONG)
    assert (status, body["error"]["code"]) == (429, "quota_exceeded")
    assert message in body["error"]["message"]
    assert ask("POST", "/v1/jobs", SONG, owner="bob").status == 201
    ask("DELETE", f"/v1/jobs/{first}")
    assert ask("POST", "/v1/jobs", SONG).status == 201


def test_a_refusal_for_minutes_never_says_that_there_are_as_many_as_are_asked_for(ask: Ask) -> None:
    limit(maxMinutesADay=1)
    ask("POST", "/v1/jobs", {"filename": "song.mp3", "size": 16_000})  # a second
    message = ask("POST", "/v1/jobs", {"filename": "song.mp3", "size": 960_000}).body["error"]["message"]
    assert message.startswith("You have 0 left of 1 minutes of sound a day, and this may be 1.")


def test_a_refusal_says_in_headers_what_there_is_and_when_to_ask_again(
    ask: Ask,
    load_app: Callable[[str], ModuleType],
    sample_event: Callable[[str], dict[str, Any]],
    lambda_context: Any,
) -> None:
    limit(maxOpenJobs=1, maxMinutesADay=30)
    ask("POST", "/v1/jobs", SONG)
    event = deepcopy(sample_event("status-create-job"))
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = "alice"
    event["body"] = json.dumps(SONG)
    answer = load_app("status").handler(event, lambda_context)
    assert answer["statusCode"] == 429
    headers = answer["headers"]
    assert int(headers["Retry-After"]) > 0
    assert headers["RateLimit-Policy"] == (
        '"open-jobs";q=1;qu="jobs", "minutes-a-day";q=30;qu="minutes";w=86400, '
        '"bytes-kept";q=200000000000;qu="bytes"'
    )
    pattern = r'"open-jobs";r=0, "minutes-a-day";r=29;t=\d+, "bytes-kept";r=199999040000'
    assert re.fullmatch(pattern, headers["RateLimit"])


def test_who_asks_again_for_a_job_gets_it_though_there_is_no_room_for_another(ask: Ask) -> None:
    limit(maxOpenJobs=1)
    key = {"idempotency-key": "one"}
    first = ask("POST", "/v1/jobs", SONG, headers=key).body["job"]["id"]
    assert ask("POST", "/v1/jobs", SONG, headers=key).body["job"]["id"] == first
    assert ask("POST", "/v1/jobs", SONG).status == 429


def test_a_retry_counts_as_a_new_job_does(ask: Ask, jobs: Jobs) -> None:
    job_id = ask("POST", "/v1/jobs", inline(b"song")).body["job"]["id"]
    take(jobs, "alice", job_id, 30).fail(InternalError())
    limit(maxOpenJobs=1)
    other = ask("POST", "/v1/jobs", BIG).body["job"]["id"]
    assert ask("POST", f"/v1/jobs/{job_id}/retry").body["error"]["code"] == "quota_exceeded"
    assert jobs.get("alice", job_id).state is Status.FAILED
    ask("DELETE", f"/v1/jobs/{other}")
    assert ask("POST", f"/v1/jobs/{job_id}/retry").status == 202


def test_a_retry_of_the_operators_is_not_refused(ask: Ask, jobs: Jobs) -> None:
    job_id = ask("POST", "/v1/jobs", inline(b"song")).body["job"]["id"]
    take(jobs, "alice", job_id, 30).fail(InternalError())
    limit(maxOpenJobs=1)
    ask("POST", "/v1/jobs", BIG)
    assert jobs.retry(jobs.get("alice", job_id), within_limits=False).state is Status.QUEUED
    assert used(ask)[0] == 2


def test_a_song_in_the_inbox_for_which_there_is_no_room_fails_and_can_be_tried_again(
    ask: Ask,
    cloud: Aws,
    jobs: Jobs,
    load_app: Callable[[str], ModuleType],
    sample_event: Callable[[str], dict[str, Any]],
    lambda_context: Any,
) -> None:
    limit(maxOpenJobs=1)
    first = ask("POST", "/v1/jobs", SONG).body["job"]["id"]
    event = sample_event("intake-s3")
    cloud.s3.put_object(Bucket=UPLOADS, Key="inbox/alice/my first song.mp3", Body=b"song")
    (taken,) = load_app("intake").handler(event, lambda_context)["jobs"]
    assert load_app("intake").handler(event, lambda_context)["jobs"] == [taken]  # by a repeated event
    job = jobs.get("alice", taken["id"])
    assert (job.state, job.error_code) == (Status.FAILED, "quota_exceeded")
    assert used(ask) == (1, 1, 960_004)  # the bucket has taken it
    assert ask("POST", f"/v1/jobs/{job.id}/retry").status == 429
    ask("DELETE", f"/v1/jobs/{first}")
    assert ask("POST", f"/v1/jobs/{job.id}/retry").body["status"] == "queued"
    assert cloud.messages() == [{"owner": "alice", "id": job.id}]


def test_jobs_of_another_day_count_but_for_minutes_and_go_with_their_time(cloud: Aws) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7, limits=Limits(2, 2, 10_000_000), now=lambda: now)

    def make(job_id: str) -> None:
        source = Source("s3", UPLOADS, "k", "song.mp3", bytes=960_000)
        jobs.add("alice", job_id, Status.AWAITING_UPLOAD, source, JobConfig())

    make("a")
    now += timedelta(days=1)
    make("b")
    standing = jobs.accounts.standing("alice")
    assert (standing.total("open"), standing.total("bytes")) == (2, 1_920_000)
    assert [standing.of(day, "seconds") for day in ("2026-01-01", "2026-01-02")] == [60, 60]
    with pytest.raises(Exception, match="have not ended"):
        make("c")
    now += timedelta(days=7)  # the first expired, and was never looked at again
    make("c")
    assert jobs.accounts.standing("alice").total("open") == 2


# -- attacks ---------------------------------------------------------------------------------


class Clock:
    """Jobs of alice, who may have few, by a clock that a test sets."""

    def __init__(self, limits: Limits) -> None:
        self.now = datetime(2026, 1, 1, 23, 59, tzinfo=UTC)
        self.jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7, limits=limits, now=lambda: self.now)

    def make(self, job_id: str, status: Status = Status.QUEUED) -> Job:
        source = Source("s3", UPLOADS, "k", "song.mp3", bytes=960_000, etag="e")
        return self.jobs.add("alice", job_id, status, source, JobConfig())

    def days(self, what: str) -> list[float]:
        standing = self.jobs.accounts.standing("alice")
        return [standing.of(day, what) for day in sorted(standing.days)]


def test_the_last_place_is_not_taken_twice_by_jobs_of_two_days(
    cloud: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(Limits(open_jobs=1))
    jobs = clock.jobs
    for job_id in "ab":
        clock.make(job_id)
        take(jobs, "alice", job_id, 30).fail(InternalError())
        clock.now += timedelta(days=1)
    standing = jobs.accounts.standing
    before = standing("alice")
    jobs.retry(jobs.get("alice", "a"))
    looks = [before]  # as a request reads it that came at the same time
    monkeypatch.setattr(jobs.accounts, "standing", lambda owner: looks.pop() if looks else standing(owner))
    with pytest.raises(QuotaExceeded):
        jobs.retry(jobs.get("alice", "b"))
    assert not looks
    assert clock.days("open") == [1, 0]


@pytest.mark.parametrize("limits", [{"open_jobs": 1}, {"minutes_a_day": 1}, {"bytes_kept": 1_000_000}])
def test_the_last_place_is_not_taken_twice_at_the_same_moment(
    cloud: Aws, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    clock = Clock(Limits(**limits))
    accounts = clock.jobs.accounts
    standing = accounts.standing
    looks = [standing("alice")]  # as a request reads it that came at the same time
    clock.make("a")
    monkeypatch.setattr(accounts, "standing", lambda owner: looks.pop() if looks else standing(owner))
    with pytest.raises(QuotaExceeded):
        clock.make("b")
    assert clock.days("open") == [1]


def test_a_job_that_was_made_before_midnight_is_settled_on_its_own_day(cloud: Aws) -> None:
    clock = Clock(Limits())
    jobs = clock.jobs
    clock.make("a")
    clock.now += timedelta(minutes=2)
    clock.make("b")
    assert [clock.days(what) for what in ("open", "seconds")] == [[1, 1], [60, 60]]
    song = stored_song({"vocals": "k"}, duration_seconds=90.0, facts={"k": FileFacts(1000)})
    take(jobs, "alice", "a", 30).complete(stored=song, gb_seconds=1)
    assert [clock.days(what) for what in ("open", "let_in", "seconds")] == [[0, 1], [0, 0], [90, 60]]
    jobs.begin_deletion(jobs.get("alice", "a"))
    jobs.delete(jobs.get("alice", "a"))
    assert clock.days("bytes") == [0, 960_000]


def test_a_retry_of_another_days_job_is_refused_with_what_can_be_done(cloud: Aws) -> None:
    clock = Clock(Limits(minutes_a_day=1))
    clock.make("a")
    take(clock.jobs, "alice", "a", 30).fail(InternalError())
    clock.now += timedelta(days=1)
    with pytest.raises(QuotaExceeded, match="make a new job"):
        clock.jobs.retry(clock.jobs.get("alice", "a"))
    clock.make("b")


def test_limits_below_what_is_in_use_refuse_what_is_new_and_nothing_else(ask: Ask, jobs: Jobs) -> None:
    ids = [ask("POST", "/v1/jobs", inline(b"song")).body["job"]["id"] for _ in range(3)]
    limit(maxOpenJobs=1, maxBytesKept=1, maxMinutesADay=0)
    quota = ask("GET", "/v1/quota").body
    assert [quota[name]["left"] for name in ("openJobs", "minutesToday", "bytesKept")] == [0, 0, 0]
    assert ask("POST", "/v1/jobs", SONG).status == 429
    for job_id in ids:  # what there is goes on
        take(jobs, "alice", job_id, 30).complete(stored=stored_song({"vocals": "k"}), gb_seconds=1)
    assert used(ask)[0] == 0
    assert ask("POST", "/v1/jobs", SONG).status == 429


def test_what_was_read_before_the_job_ended_another_time_settles_nothing(cloud: Aws) -> None:
    clock = Clock(Limits())
    jobs = clock.jobs
    clock.make("a")
    take(jobs, "alice", "a", 30).fail(InternalError())
    stale = jobs.get("alice", "a")
    jobs.retry(stale)
    claim = take(jobs, "alice", "a", 30)
    claim.keep(stored_song({"vocals": "k"}, facts={"k": FileFacts(70)}))
    claim.fail(InternalError())  # it completes, without its analysis
    with pytest.raises(TransitionRefused):
        jobs.retry(stale)
    with pytest.raises(TransitionRefused):
        jobs.begin_deletion(stale)
    assert clock.days("bytes") == [960_070]
    jobs.retry(jobs.get("alice", "a"))
    jobs.cancel("alice", "a")
    assert [clock.days(what) for what in ("open", "bytes")] == [[0], [0]]


def test_a_note_that_comes_late_is_not_lost_to_the_account(
    cloud: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(Limits())
    jobs = clock.jobs
    clock.make("a")
    claim = take(jobs, "alice", "a", 30)
    get = jobs.get

    def kept_just_after(owner: str, job_id: str) -> Job:
        job = get(owner, job_id)
        monkeypatch.setattr(jobs, "get", get)
        claim.keep(stored_song({"vocals": "k"}, facts={"k": FileFacts(70)}))
        return job

    monkeypatch.setattr(jobs, "get", kept_just_after)
    with pytest.raises(ClaimLost):
        claim.fail(InternalError())
    clock.now += timedelta(seconds=31)
    Overdue(jobs).requeue(jobs.get("alice", "a"))
    take(jobs, "alice", "a", 30).fail(InternalError())
    assert jobs.get("alice", "a").state is Status.COMPLETED
    assert clock.days("bytes") == [960_070]


def test_a_stem_that_comes_while_another_is_refused_is_counted(cloud: Aws) -> None:
    clock = Clock(Limits())
    source = Source("s3", UPLOADS, "k", "stems", bytes=100)
    parts = [Part("k/0", "a.wav", 70, "a"), Part("k/1", "b.wav", 30, "b")]
    awaits = Status.AWAITING_UPLOAD
    clock.jobs.add("alice", "a", awaits, source, JobConfig(), kind=Kind.STEMS, parts=parts)
    stale = clock.jobs.get("alice", "a")
    arrivals = Arrivals(clock.jobs)
    arrivals.part_arrived(clock.jobs.get("alice", "a"), 0, "e")
    assert arrivals.refuse_upload(stale, EmptyFile("b")).state is Status.FAILED
    assert clock.days("bytes") == [70]


def test_an_account_lives_as_long_as_its_jobs(cloud: Aws, jobs: Jobs) -> None:
    source = Source("s3", UPLOADS, "k", "song.mp3", bytes=4)
    job = jobs.add("alice", "01K", Status.AWAITING_UPLOAD, source, JobConfig())
    (usage,) = jobs.accounts.standing("alice").days.values()
    assert timedelta(0) < usage.expires_at - job.expires_at <= timedelta(days=1)


def test_an_owner_gets_limits_of_its_own_as_the_docs_say(ask: Ask, root: Path) -> None:
    (item,) = re.findall(r"--item '(\{.*?\})'", (root / "docs/security.md").read_text(), re.S)
    boto3.client("dynamodb").put_item(TableName=USAGE, Item=json.loads(item) | {"owner": {"S": "alice"}})
    quota = ask("GET", "/v1/quota").body
    assert [quota[name]["limit"] for name in ("openJobs", "minutesToday", "bytesKept")] == [
        50,
        600,
        200_000_000_000,
    ]


def test_a_job_in_line_is_estimated_behind_those_before_it(ask: Ask, jobs: Jobs) -> None:
    source = Source("s3", UPLOADS, "k", "song.mp3", bytes=4, etag="e")
    done = jobs.add("alice", "done", Status.QUEUED, source, JobConfig())
    take(jobs, "alice", done.id, 30).complete(stored=stored_song({"vocals": "k"}), gb_seconds=1)
    jobs.get("alice", "done").update(
        [type(done).completed_at.set(jobs.get("alice", "done").started_at + timedelta(seconds=10))]
    )
    for job_id in "abcdef":
        job = jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())
        if job_id in "ab":
            Line(jobs, 2).let_in(job)
    assert ask("GET", "/v1/jobs/c").body["estimatedTimeRemaining"] == 10
    assert ask("GET", "/v1/jobs/f").body["estimatedTimeRemaining"] == 25
