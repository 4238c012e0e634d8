"""GET /v1/jobs/{id}: how far a job is, how long it takes, and links to its stems."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Job, Source, Stage, Status
from stempipe.jobs.table import Jobs
from stempipe.rules.dispatch import Dispatch
from tests.aws import STEMS, UPLOADS, Aws
from tests.claims import take
from tests.integration.status.asking import Ask, completed


@pytest.fixture
def dispatch(cloud: Aws, jobs: Jobs) -> Dispatch:
    """For two workers."""
    return cloud.dispatch(jobs)


def test_a_queued_job_says_how_long_it_takes_at_most_once_there_is_something_to_tell_it_from(
    ask: Ask, jobs: Jobs, cloud: Aws
) -> None:
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
    jobs.add("alice", "queued", Status.QUEUED, source, JobConfig())
    for _ in range(10):
        cloud.sqs.send_message(QueueUrl=cloud.jobs_queue_url, MessageBody="{}")
    queued = ask("GET", "/v1/jobs/queued").body
    assert (queued["estimatedTimeRemaining"], queued["queue"]) == (None, {"ahead": 10})
    completed(jobs)
    job = jobs.get("alice", "01K")
    assert job.started_at
    job.update([Job.completed_at.set(job.started_at + timedelta(seconds=12))])
    # Ten songs for two workers, and its own.
    assert ask("GET", "/v1/jobs/queued").body["estimatedTimeRemaining"] == 72


def test_a_queued_job_says_how_many_come_before_it(
    ask: Ask, jobs: Jobs, cloud: Aws, dispatch: Dispatch
) -> None:
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")

    def ahead(job_id: str) -> int | None:
        return (ask("GET", f"/v1/jobs/{job_id}").body["queue"] or {}).get("ahead")

    for job_id in "abcd":
        dispatch.send(jobs.add("alice", job_id, Status.QUEUED, source, JobConfig()))
    # Two have messages, of which nobody knows the order; two are in line behind them, in theirs.
    assert [ahead(job_id) for job_id in "abcd"] == [1, 1, 2, 3]
    cloud.messages()
    take(jobs, "alice", "a", 30)
    take(jobs, "alice", "b", 30)
    assert [ahead(job_id) for job_id in "abcd"] == [None, None, 0, 1]
    listed = ask("GET", "/v1/jobs").body["jobs"]
    assert [job["queue"] for job in listed] == [None] * 4  # it would be a question for each


def test_a_processing_job_tells_how_far_it_is(ask: Ask, jobs: Jobs) -> None:
    source = Source("s3", UPLOADS, "key", "song.mp3", bytes=5, etag="e")
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig())
    take(jobs, "alice", "01K", 30).report(Stage.SEPARATING, 42, 3.21)
    body = ask("GET", "/v1/jobs/01K").body
    assert body["status"] == "processing"
    assert (body["stage"], body["progress"], body["estimatedTimeRemaining"]) == ("separating", 42, 3.2)


def test_a_completed_job_links_to_its_stems_under_sensible_names(ask: Ask, jobs: Jobs) -> None:
    completed(jobs)
    body = ask("GET", "/v1/jobs/01K").body
    assert body["status"] == "completed"
    assert set(body["results"]["stems"]) == {"vocals", "accompaniment"}
    assert body["results"]["gainDb"] == -1.25
    link = urlsplit(body["results"]["stems"]["vocals"])
    assert STEMS in link.netloc + link.path
    (disposition,) = parse_qs(link.query)["response-content-disposition"]
    assert "filename*=UTF-8''my%20song%20-%20vocals.wav" in disposition
    assert 'filename="my song - vocals.wav"' in disposition
    assert body["cost"]["gbSeconds"] == 12.5
    # 12.5 times 0.0000166667 for the worker, and a little for the disk and for others.
    assert 0.000208 < body["cost"]["computeUsd"] < 0.00025
    assert body["source"] == {
        "kind": "song",
        "stems": None,
        "filename": "my song.mp3",
        "bytes": 5,
        "durationSeconds": 180.25,
        "sampleRate": 44100,
        "channels": 2,
        "codec": "mp3",
        "notices": [{"code": "gap", "message": "0.40 s of the sound are missing.", "seconds": 0.4}],
    }


def test_a_completed_job_says_how_nearly_its_stems_sum_to_the_song(ask: Ask, jobs: Jobs) -> None:
    completed(jobs, residual_db=-33.333)
    assert ask("GET", "/v1/jobs/01K").body["results"]["residualDb"] == -33.33
    completed(jobs, job_id="01J")  # from before it was measured, or with a stem left out
    assert ask("GET", "/v1/jobs/01J").body["results"]["residualDb"] is None


def test_names_that_would_break_a_header_do_not(ask: Ask, jobs: Jobs) -> None:
    completed(jobs, filename='"quoted"\r\n\u202e\U0001f3b5.mp3')
    link = urlsplit(ask("GET", "/v1/jobs/01K").body["results"]["stems"]["vocals"])
    (disposition,) = parse_qs(link.query)["response-content-disposition"]
    assert disposition.isascii()
    assert disposition.isprintable()
    assert disposition.count('"') == 2


def test_a_stems_name_is_no_longer_than_a_file_system_allows(ask: Ask, jobs: Jobs) -> None:
    completed(jobs, filename="\U0001f3b5" * 250 + ".mp3")
    link = urlsplit(ask("GET", "/v1/jobs/01K").body["results"]["stems"]["accompaniment"])
    (disposition,) = parse_qs(link.query)["response-content-disposition"]
    name = unquote(disposition.rpartition("UTF-8''")[2])
    assert 250 < len(name.encode()) <= 255
    assert name.startswith("\U0001f3b5" * 50)
    assert name.endswith("\U0001f3b5 - accompaniment.wav")


def test_anothers_job_and_none_look_the_same(ask: Ask, jobs: Jobs) -> None:
    completed(jobs)
    foreign, missing = ask("GET", "/v1/jobs/01K", owner="bob"), ask("GET", "/v1/jobs/01K-none", owner="bob")
    assert (foreign.status, foreign.body["error"]["code"]) == (404, "job_not_found")
    assert missing.status == 404
    assert missing.body["error"]["message"].replace("-none", "") == foreign.body["error"]["message"]
