"""intake, event by event."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from copy import deepcopy
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from stempipe.adapters.storage import Storage, s3_client
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Source, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import job_upload_key
from tests.aws import UPLOADS, Aws
from tests.claims import take

Handle = Callable[[dict[str, Any]], list[dict[str, Any]]]
DIRECT_KEY = "inbox/alice/my first song.mp3"


@pytest.fixture
def intake(cloud: Aws, load_app: Callable[[str], ModuleType], lambda_context: Any) -> Handle:
    app = load_app("intake")

    def handle(event: dict[str, Any]) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = app.handler(event, lambda_context)["jobs"]
        return jobs

    return handle


@pytest.fixture
def event(sample_event: Callable[[str], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """An S3 event of these keys, as S3 would encode them."""
    sample = sample_event("intake-s3")

    def of(*keys: str) -> dict[str, Any]:
        records = []
        for key in keys:
            record = deepcopy(sample["Records"][0])
            record["s3"]["object"]["key"] = key
            records.append(record)
        return {"Records": records}

    return of


def put(cloud: Aws, key: str = DIRECT_KEY, body: bytes = b"music", config: str | None = None) -> None:
    metadata = {} if config is None else {"stempipe-config": config}
    cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=body, Metadata=metadata)


def awaiting(jobs: Jobs, owner: str = "alice", job_id: str = "01K") -> str:
    """A job that awaits its upload; returns the key of that upload."""
    making = jobs.new_making()
    key = job_upload_key(owner, job_id, making)
    source = Source("s3", UPLOADS, key, "song.mp3", bytes=5)
    jobs.add(owner, job_id, Status.AWAITING_UPLOAD, source, JobConfig(), making=making)
    return key


def test_a_song_in_the_inbox_becomes_a_queued_job_of_its_owner(
    cloud: Aws, jobs: Jobs, intake: Handle, sample_event: Callable[[str], dict[str, Any]]
) -> None:
    put(cloud)
    (taken,) = intake(sample_event("intake-s3"))
    job = jobs.get("alice", taken["id"])
    assert (job.state, job.filename, job.bytes) == (Status.QUEUED, "my first song.mp3", 5)
    assert job.config == JobConfig()
    assert cloud.messages() == [{"owner": "alice", "id": job.id}]


def test_an_r2_notification_does_the_same(
    cloud: Aws, jobs: Jobs, intake: Handle, sample_event: Callable[[str], dict[str, Any]]
) -> None:
    put(cloud)
    (taken,) = intake(sample_event("intake-r2"))
    assert jobs.get("alice", taken["id"]).provider == "r2"


def test_the_objects_metadata_configures_the_job(
    cloud: Aws, jobs: Jobs, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    put(cloud, config='{"stems": {"vocals": true}, "quality": {"outputFormat": "flac"}}')
    (taken,) = intake(event("inbox/alice/my+first+song.mp3"))
    config = jobs.get("alice", taken["id"]).config
    assert config.kept == ("vocals",)
    assert config.quality.output_format == "flac"


@pytest.mark.parametrize("config", ["{", '{"stems": {"tuba": true}}', '{"modelVariant": "4stems"}'])
def test_a_bad_configuration_fails_the_job_and_says_why(
    cloud: Aws, jobs: Jobs, intake: Handle, event: Callable[..., dict[str, Any]], config: str
) -> None:
    put(cloud, config=config)
    (taken,) = intake(event(DIRECT_KEY))
    job = jobs.get("alice", taken["id"])
    assert (job.state, job.error_code) == (Status.FAILED, "invalid_config")
    assert "config" in (job.error_message or "")
    assert cloud.messages() == []


def test_what_a_bad_configuration_holds_is_quoted_in_short_and_does_no_more_than_show(
    cloud: Aws, jobs: Jobs, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    put(cloud, config=json.dumps({"\x1b]0;\u202ex": 1, **dict.fromkeys(map(str, range(200)), 1)}))
    (taken,) = intake(event(DIRECT_KEY))
    said = jobs.get("alice", taken["id"]).error_message or ""
    assert said.startswith("config._]0;_x: ")
    assert len(said) <= 1000


def test_the_same_event_again_changes_nothing(
    cloud: Aws, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    put(cloud)
    first = intake(event(DIRECT_KEY, DIRECT_KEY))
    second = intake(event(DIRECT_KEY))
    assert len({job["id"] for job in first + second}) == 1
    assert len(cloud.messages()) == 1


def test_another_song_under_the_same_key_is_another_job(
    cloud: Aws, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    put(cloud)
    first = intake(event(DIRECT_KEY))
    put(cloud, body=b"other music")
    second = intake(event(DIRECT_KEY))
    assert first[0]["id"] != second[0]["id"]


def test_the_same_song_with_another_configuration_is_another_job(
    cloud: Aws, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    put(cloud)
    first = intake(event(DIRECT_KEY))
    put(cloud, config='{"quality": {"outputFormat": "mp3"}}')
    second = intake(event(DIRECT_KEY))
    assert first[0]["id"] != second[0]["id"]


def test_an_event_that_comes_late_finds_the_upload_that_is_there(
    cloud: Aws, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    put(cloud)
    put(cloud, body=b"other music")
    # Two uploads, two events, the second first: one object, one job.
    jobs = intake(event(DIRECT_KEY, DIRECT_KEY))
    assert jobs[0]["id"] == jobs[1]["id"]


def test_the_upload_of_a_job_queues_it(
    cloud: Aws, jobs: Jobs, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    key = awaiting(jobs)
    put(cloud, key)
    intake(event(key))
    job = jobs.get("alice", "01K")
    assert job.state is Status.QUEUED
    assert job.etag
    assert cloud.messages() == [{"owner": "alice", "id": "01K"}]


def test_a_repeated_event_does_not_move_a_job_back(
    cloud: Aws, jobs: Jobs, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    key = awaiting(jobs)
    put(cloud, key)
    intake(event(key))
    take(jobs, "alice", "01K", 30)
    intake(event(key))
    assert jobs.get("alice", "01K").state is Status.PROCESSING
    assert len(cloud.messages()) == 1


def test_a_crash_between_job_and_message_is_mended_by_the_repeated_event(
    cloud: Aws, jobs: Jobs, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    key = awaiting(jobs)
    put(cloud, key)
    Arrivals(jobs).upload_arrived(jobs.get("alice", "01K"), etag="e", size=5)
    intake(event(key))
    assert cloud.messages() == [{"owner": "alice", "id": "01K"}]


@pytest.mark.parametrize(("body", "code"), [(b"", "empty_file"), (b"x" * 1_000_001, "too_large")])
def test_an_upload_of_no_use_fails_its_job(
    cloud: Aws, jobs: Jobs, intake: Handle, event: Callable[..., dict[str, Any]], body: bytes, code: str
) -> None:
    key = awaiting(jobs)
    put(cloud, key, body)
    put(cloud, DIRECT_KEY, body)
    intake(event(key, DIRECT_KEY))
    assert [(job.state, job.error_code) for job in jobs.listing.newest("alice", 10).jobs] == [
        (Status.FAILED, code)
    ] * 2
    assert cloud.messages() == []


@pytest.mark.parametrize("key", ["elsewhere/alice/song.mp3", "inbox/alice/", "song.mp3"])
def test_objects_under_no_watched_prefix_are_left_alone(
    cloud: Aws, intake: Handle, event: Callable[..., dict[str, Any]], key: str
) -> None:
    put(cloud, key)
    assert intake(event(key)) == []


def test_another_buckets_event_is_left_alone(
    cloud: Aws, intake: Handle, event: Callable[..., dict[str, Any]]
) -> None:
    cloud.s3.create_bucket(Bucket="another")
    cloud.s3.put_object(Bucket="another", Key=DIRECT_KEY, Body=b"music")
    foreign = event(DIRECT_KEY)
    foreign["Records"][0]["s3"]["bucket"]["name"] = "another"
    assert intake(foreign) == []


def test_s3s_test_event_is_answered(intake: Handle, sample_event: Callable[[str], dict[str, Any]]) -> None:
    assert intake(sample_event("intake-s3-test")) == []


def test_a_bad_record_fails_alone(cloud: Aws, intake: Handle, event: Callable[..., dict[str, Any]]) -> None:
    put(cloud)
    mixed = event("jobs/alice/no-such-job", "inbox/alice/no such object", DIRECT_KEY)
    mixed["Records"].insert(0, {"eventName": "ObjectCreated:Put", "s3": "nonsense"})
    put(cloud, "jobs/alice/no-such-job")
    assert [job["status"] for job in intake(mixed)] == ["queued"]


def test_where_trying_again_can_help_the_event_is_refused_and_the_others_taken_in(
    cloud: Aws,
    event: Callable[..., dict[str, Any]],
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    jobs: Jobs,
) -> None:
    def first_is_unreachable(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].endswith("first.mp3"):
            raise EndpointConnectionError(endpoint_url="https://s3")

    app = load_app("intake")
    client = s3_client(app.intake().settings)
    client.meta.events.register("before-parameter-build.s3.HeadObject", first_is_unreachable)
    flaky = dataclasses.replace(app.intake(), storage=Storage(client, "s3"))
    put(cloud)
    put(cloud, "inbox/alice/first.mp3")
    with pytest.raises(ExceptionGroup):
        flaky.take_in(event("inbox/alice/first.mp3", DIRECT_KEY))
    assert [job.filename for job in jobs.listing.newest("alice", 10).jobs] == ["my first song.mp3"]
