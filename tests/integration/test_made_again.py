"""A job that is deleted and made again under its id shares nothing with its earlier life."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stempipe.adapters.queue import JobMessage
from stempipe.adapters.storage import Storage
from stempipe.adapters.vault import Vault, kms_client
from stempipe.errors import InternalError, JobNotFound, UploadMissing
from stempipe.jobs.arrivals import Arrivals
from stempipe.jobs.claim import Claim
from stempipe.jobs.overdue import Overdue
from stempipe.jobs.record import Job, Stage, Status
from stempipe.jobs.refusals import ClaimLost, TransitionRefused
from stempipe.jobs.requests import JobRequest
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import Upload
from stempipe.jobs.writes import failure
from stempipe.rules.api import Api
from stempipe.rules.creation import _hash
from stempipe.rules.intake import Intake
from stempipe.rules.sound import Separated
from stempipe.rules.webhooks import Callbacks
from stempipe.rules.worker import Worker
from stempipe.settings import IntakeSettings, StatusSettings
from tests.aws import STEMS, UPLOADS, Aws
from tests.claims import take
from tests.integration.separate.engine import Engine
from tests.stored import stored_song

SONG = JobRequest(filename="song.mp3", size=4)
AS_MP3 = JobRequest.model_validate(
    {"filename": "song.mp3", "size": 4, "config": {"quality": {"outputFormat": "mp3"}}}
)
KEY = "the same"


@pytest.fixture
def storage(cloud: Aws) -> Storage:
    return Storage(cloud.s3, "s3")


@pytest.fixture
def api(cloud: Aws, jobs: Jobs, storage: Storage) -> Api:
    settings = StatusSettings.from_environment()
    callbacks = Callbacks(None, Vault(kms_client(), settings.callback_key_id))  # type: ignore[arg-type]
    return Api(jobs, storage, cloud.dispatch(jobs), settings, callbacks)


@pytest.fixture
def intake(cloud: Aws, jobs: Jobs, storage: Storage) -> Intake:
    return Intake(jobs, storage, cloud.dispatch(jobs), IntakeSettings.from_environment())


@pytest.fixture
def make(api: Api, cloud: Aws, intake: Intake, jobs: Jobs) -> Callable[[JobRequest], Job]:
    """Makes the job of the one idempotency key, and uploads its song."""

    def made(request: JobRequest) -> Job:
        job = jobs.get("alice", api.create("alice", request, KEY).job.id)
        cloud.s3.put_object(Bucket=UPLOADS, Key=job.key, Body=b"song")
        taken = intake.take(Upload("s3", UPLOADS, job.key))
        assert taken
        return taken

    return made


@pytest.fixture
def make_again(api: Api, make: Callable[[JobRequest], Job]) -> Callable[[Job], Job]:
    """Does what anybody does who wants a job again with other wishes."""

    def again(job: Job) -> Job:
        api.delete("alice", job.id)
        if not job.state.is_final:
            api.delete("alice", job.id)
        time.sleep(0.002)  # as long as any two requests are apart
        second = make(AS_MP3)
        assert second.id == job.id
        return second

    return again


def complete(claim: Claim, stems: Mapping[str, str]) -> None:
    claim.complete(stored=stored_song(stems), gb_seconds=1)


def test_a_worker_of_before_can_neither_report_nor_complete(
    jobs: Jobs, make: Callable[[JobRequest], Job], make_again: Callable[[Job], Job]
) -> None:
    first = make(SONG)
    old = take(jobs, "alice", first.id, 30)
    make_again(first)
    new = take(jobs, "alice", first.id, 30)
    assert (old.job.attempts, new.job.attempts) == (1, 1)
    writes: list[Callable[[], None]] = [
        lambda: old.report(Stage.SEPARATING, 77, 1.0),
        lambda: complete(old, {"vocals": "of before"}),
        lambda: old.fail(InternalError()),
        old.release,
    ]
    for write in writes:
        with pytest.raises(ClaimLost):
            write()
    complete(new, {"vocals": "of now"})
    assert jobs.get("alice", first.id).stem_keys == {"vocals": "of now"}


def test_a_worker_of_before_deletes_none_of_the_new_ones_stems(
    api: Api,
    jobs: Jobs,
    storage: Storage,
    cloud: Aws,
    tmp_path: Path,
    make: Callable[[JobRequest], Job],
    make_again: Callable[[Job], Job],
) -> None:
    first = make(SONG)

    def worker(engine: Engine) -> Worker:
        return Worker(jobs, storage, engine, cloud.dispatch(jobs), STEMS, 30, 1.0)

    class Once(Engine):
        def separate(self, *_: Any, **__: Any) -> Separated:
            file = tmp_path / "vocals.wav"
            file.write_bytes(b"stem")
            return Separated({"vocals": file}, 1.0, 44100, 2, "mp3", 0.0)

    class Overtaken(Once):
        def separate(self, *_: Any, **__: Any) -> Separated:
            # Meanwhile the owner makes the job again, and another worker takes it to its end.
            make_again(first)
            worker(Once()).work_on(JobMessage(owner="alice", id=first.id))
            return super().separate()

    worker(Overtaken()).work_on(JobMessage(owner="alice", id=first.id))
    job = jobs.get("alice", first.id)
    assert (job.state, job.attempts, job.config.quality.output_format) == (Status.COMPLETED, 1, "mp3")
    stored = [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=STEMS).get("Contents", [])]
    assert stored == list((job.stem_keys or {}).values())


def test_versions_go_on_where_the_earlier_life_never_came(
    jobs: Jobs, make: Callable[[JobRequest], Job], make_again: Callable[[Job], Job]
) -> None:
    first = make(SONG)
    take(jobs, "alice", first.id, 30).fail(InternalError())
    before = jobs.get("alice", first.id)
    assert make_again(before).version > before.version


def test_an_upload_by_a_link_of_before_is_not_the_new_jobs(
    api: Api, cloud: Aws, jobs: Jobs, intake: Intake
) -> None:
    first = jobs.get("alice", api.create("alice", SONG, KEY).job.id)
    api.delete("alice", first.id)
    api.delete("alice", first.id)
    time.sleep(0.002)
    second = jobs.get("alice", api.create("alice", AS_MP3, KEY).job.id)
    cloud.s3.put_object(Bucket=UPLOADS, Key=first.key, Body=b"late")
    with pytest.raises(JobNotFound):
        intake.take(Upload("s3", UPLOADS, first.key))
    assert jobs.get("alice", second.id).state is Status.AWAITING_UPLOAD
    assert uploads(cloud) == []


def uploads(cloud: Aws) -> list[str]:
    return [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=UPLOADS).get("Contents", [])]


@pytest.mark.parametrize("deletions", [1, 2])
def test_what_comes_by_a_link_that_outlives_its_job_is_kept_for_nobody(
    api: Api, cloud: Aws, jobs: Jobs, intake: Intake, deletions: int
) -> None:
    job = jobs.get("alice", api.create("alice", SONG).job.id)
    for _ in range(deletions):
        api.delete("alice", job.id)
    cloud.s3.put_object(Bucket=UPLOADS, Key=job.key, Body=b"late")
    with suppress(JobNotFound):
        intake.take(Upload("s3", UPLOADS, job.key))
    assert uploads(cloud) == []
    assert jobs.accounts.standing("alice").total("bytes") == 0


def test_what_a_job_has_or_may_have_stays(api: Api, cloud: Aws, jobs: Jobs, intake: Intake) -> None:
    done, late = (jobs.get("alice", api.create("alice", SONG).job.id) for _ in range(2))
    for job in (done, late):
        cloud.s3.put_object(Bucket=UPLOADS, Key=job.key, Body=b"song")
    intake.take(Upload("s3", UPLOADS, done.key))
    take(jobs, "alice", done.id, 30).fail(InternalError())
    Overdue(jobs).give_up_upload(late)
    for job in (done, late):
        intake.take(Upload("s3", UPLOADS, job.key))  # by an event that comes again, or late
    assert uploads(cloud) == sorted([done.key, late.key])


def test_a_slow_deletion_spares_what_was_made_since(
    api: Api, cloud: Aws, jobs: Jobs, make: Callable[[JobRequest], Job], make_again: Callable[[Job], Job]
) -> None:
    first = make(SONG)
    cancelled = jobs.cancel("alice", first.id)  # and storage is slow
    second = make_again(cancelled)
    claim = take(jobs, "alice", second.id, 30)
    stem = f"alice/{second.id}/{claim.job.attempt}/vocals.mp3"
    cloud.s3.put_object(Bucket=STEMS, Key=stem, Body=b"stem")
    complete(claim, {"vocals": stem})
    api._delete_files(cancelled, datetime.now(UTC))
    assert [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=STEMS)["Contents"]] == [stem]
    assert [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=UPLOADS)["Contents"]] == [second.key]


def test_what_is_being_deleted_is_not_tried_again(
    api: Api, jobs: Jobs, make: Callable[[JobRequest], Job]
) -> None:
    job = make(SONG)
    take(jobs, "alice", job.id, 30).fail(InternalError())
    jobs.begin_deletion(jobs.get("alice", job.id))
    with pytest.raises(Exception, match="deleted or replaced"):
        api.retry("alice", job.id)


# ---- links and jobs end together -------------------------------------------------------------------


def test_a_new_link_lives_no_longer_than_its_job(api: Api, cloud: Aws, jobs: Jobs) -> None:
    job_id = api.create("alice", SONG, KEY).job.id
    jobs.get("alice", job_id).update([Job.due_at.set(time.time() + 100)])  # minute 73
    created = replace(api, jobs=Jobs.of(api.settings)).create("alice", SONG, KEY)
    assert created.upload
    assert jobs.get("alice", job_id).due_at > created.upload.expires_at.timestamp()


def test_an_upload_that_never_came_may_come_yet(api: Api, cloud: Aws, jobs: Jobs, intake: Intake) -> None:
    job_id = api.create("alice", SONG, KEY).job.id
    Overdue(jobs).give_up_upload(jobs.get("alice", job_id))
    assert jobs.get("alice", job_id).error_code == "upload_missing"
    created = api.create("alice", SONG, KEY)
    assert (created.job.status, created.job.error, created.job.completed_at) == (
        "awaiting_upload",
        None,
        None,
    )
    assert created.upload
    job = jobs.get("alice", job_id)
    cloud.s3.put_object(Bucket=UPLOADS, Key=job.key, Body=b"song")
    taken = intake.take(Upload("s3", UPLOADS, job.key))
    assert taken
    assert taken.state is Status.QUEUED


def test_a_slow_request_to_forget_leaves_the_job_that_was_made_since_though_it_is_being_deleted_too(
    jobs: Jobs, make: Callable[[JobRequest], Job], make_again: Callable[[Job], Job]
) -> None:
    first = make(SONG)
    make_again(first)
    second = jobs.cancel("alice", first.id)
    jobs.begin_deletion(second)
    with suppress(TransitionRefused):
        jobs.delete(first)
    assert jobs.get("alice", first.id).making == second.making


def test_what_is_known_of_an_upload_of_before_is_not_noted_of_the_job_that_was_made_since(
    api: Api, jobs: Jobs
) -> None:
    first = jobs.get("alice", api.create("alice", SONG, KEY).job.id)
    for _ in range(2):
        api.delete("alice", first.id)
    time.sleep(0.002)
    api.create("alice", AS_MP3, KEY)
    with pytest.raises(TransitionRefused):
        Arrivals(jobs).upload_arrived(first, etag="of before", size=4)


def test_a_job_that_is_being_deleted_awaits_no_upload_again(api: Api, jobs: Jobs) -> None:
    job = jobs.get("alice", api.create("alice", SONG, KEY).job.id)
    jobs.end(job, Status.FAILED, failure(UploadMissing()), Job.version == job.version)
    failed = jobs.get("alice", job.id)
    assert Arrivals(jobs).await_upload(failed).state is Status.AWAITING_UPLOAD
    jobs.end(
        again := jobs.get("alice", job.id),
        Status.FAILED,
        failure(UploadMissing()),
        Job.version == again.version,
    )
    failed = jobs.get("alice", job.id)
    jobs.begin_deletion(failed)
    with pytest.raises(TransitionRefused):
        Arrivals(jobs).await_upload(failed)


# ---- songs of the inbox ----------------------------------------------------------------------------


def put_into_inbox(cloud: Aws, intake: Intake) -> tuple[Upload, Job]:
    """A song there, and its job."""
    upload = Upload("s3", UPLOADS, "inbox/alice/song.mp3")
    cloud.s3.put_object(Bucket=UPLOADS, Key=upload.key, Body=b"song")
    job = intake.take(upload)
    assert job
    return upload, job


def test_a_slow_deletion_spares_the_same_song_that_was_put_since(
    api: Api, cloud: Aws, jobs: Jobs, intake: Intake
) -> None:
    upload, first = put_into_inbox(cloud, intake)
    asked_at = datetime.now(UTC)
    cancelled = jobs.cancel("alice", first.id)  # and storage is slow
    time.sleep(1.1)  # storage's clock has seconds
    cloud.s3.put_object(Bucket=UPLOADS, Key=upload.key, Body=b"song")
    second = intake.take(upload)
    assert second
    assert (second.id, second.state) == (first.id, Status.QUEUED)
    api._delete_files(cancelled, asked_at)
    assert cloud.s3.head_object(Bucket=UPLOADS, Key=upload.key)
    api._delete_files(second, datetime.now(UTC))
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket=UPLOADS)


@pytest.mark.parametrize("ended", ["upload_gone", "storage_unavailable", "worker_lost", "cancelled"])
def test_a_song_that_is_put_again_after_a_failure_of_ours_is_tried_again(
    cloud: Aws, jobs: Jobs, intake: Intake, ended: str
) -> None:
    upload, first = put_into_inbox(cloud, intake)
    if ended == "cancelled":
        jobs.cancel("alice", first.id)
    else:
        error = InternalError()
        error.code = ended
        take(jobs, "alice", first.id, 30).fail(error)
    again = intake.take(upload)  # the event, once more
    assert again
    assert again.state.is_final
    jobs.get("alice", first.id).update([Job.completed_at.set(first.created_at)])
    time.sleep(1.1)  # storage's clock has seconds
    cloud.s3.put_object(Bucket=UPLOADS, Key=upload.key, Body=b"song")
    again = intake.take(upload)
    assert again
    assert (again.id, again.state, again.attempts) == (first.id, Status.QUEUED, 0)
    assert again.version > first.version
    assert len(cloud.messages()) == 2


def test_so_is_one_that_is_put_again_in_the_second_of_the_failure(
    cloud: Aws, jobs: Jobs, intake: Intake
) -> None:
    upload, first = put_into_inbox(cloud, intake)
    time.sleep(1.1)  # storage's clock has seconds
    cloud.s3.put_object(Bucket=UPLOADS, Key=upload.key, Body=b"song")
    put_at = cloud.s3.head_object(Bucket=UPLOADS, Key=upload.key)["LastModified"]
    take(jobs, "alice", first.id, 30).fail(InternalError())
    jobs.get("alice", first.id).update([Job.completed_at.set(put_at.replace(microsecond=300_000))])
    again = intake.take(upload)
    assert again
    assert (again.id, again.state) == (first.id, Status.QUEUED)


@pytest.mark.parametrize("deletes", ["the owner", "intake"])
def test_what_is_put_between_the_look_and_the_deletion_is_spared(
    api: Api, cloud: Aws, jobs: Jobs, intake: Intake, deletes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if deletes == "intake":
        key = jobs.get("alice", (job_id := api.create("alice", SONG).job.id)).key
        jobs.cancel("alice", job_id)
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"song")
    else:
        key = "inbox/alice/song.mp3"
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"song")
        taken = intake.take(Upload("s3", UPLOADS, key))
        assert taken
        job_id = taken.id
        time.sleep(1.1)  # storage's clock has seconds
    look_up = Storage.look_up

    def looked_up(storage: Storage, bucket: str, key: str) -> Any:
        found = look_up(storage, bucket, key)
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"another")
        return found

    monkeypatch.setattr(Storage, "look_up", looked_up)
    if deletes == "intake":
        intake.take(Upload("s3", UPLOADS, key))
    else:
        api.delete("alice", job_id)
    assert cloud.s3.get_object(Bucket=UPLOADS, Key=key)["Body"].read() == b"another"


def test_a_song_that_cannot_be_separated_is_not_tried_again_for_being_put_again(
    cloud: Aws, jobs: Jobs, intake: Intake
) -> None:
    upload, first = put_into_inbox(cloud, intake)
    error = InternalError()
    error.code = "no_audio"
    take(jobs, "alice", first.id, 30).fail(error)
    time.sleep(1.1)
    cloud.s3.put_object(Bucket=UPLOADS, Key=upload.key, Body=b"song")
    again = intake.take(upload)
    assert again
    assert again.state is Status.FAILED


def test_the_hash_of_a_request_knows_its_secret() -> None:
    def request(secret: str) -> JobRequest:
        callback = {"callbackUrl": "https://example.com/", "callbackSecret": secret}
        return JobRequest.model_validate({"filename": "a", "size": 1, **callback})

    assert _hash(request("whsec_a")) == _hash(request("whsec_a")) != _hash(request("whsec_b"))
