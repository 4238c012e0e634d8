"""Requests to the HTTP API, and jobs and objects for them to find."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import Job, Notice, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.uploads import Upload, direct_job_id, job_upload_key
from tests.aws import UPLOADS, Aws
from tests.claims import take
from tests.stored import stored_song


class Answer(NamedTuple):
    """What the API said: the body as it was in JSON, or None."""

    status: int
    body: Any


Ask = Callable[..., Answer]


def inline(song: bytes | str, filename: str = "song.mp3") -> dict[str, Any]:
    """A request with a song in it, of bytes or of what is already text."""
    text = song if isinstance(song, str) else base64.b64encode(song).decode()
    return {"audio": {"filename": filename, "base64": text}}


def uploaded(jobs: Jobs, job_id: str = "01K", etag: str = "e") -> Job:
    """A queued job."""
    making = jobs.new_making()
    source = Source("s3", UPLOADS, job_upload_key("alice", job_id, making), "song.mp3", bytes=4, etag=etag)
    return jobs.add("alice", job_id, Status.QUEUED, source, JobConfig(), making=making)


def completed(
    jobs: Jobs, filename: str = "my song.mp3", job_id: str = "01K", residual_db: float | None = None
) -> None:
    """Have a job that is completed, with two stems."""
    source = Source("s3", UPLOADS, "key", filename, bytes=5, etag="e")
    jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())
    claim = take(jobs, "alice", job_id, 30)
    claim.complete(
        stored=stored_song(
            {"vocals": "alice/01K/1/vocals.wav", "accompaniment": "alice/01K/1/accompaniment.wav"},
            gain_db=-1.25,
            residual_db=residual_db,
            duration_seconds=180.25,
            notices=[Notice("gap", "0.40 s of the sound are missing.", 0.4)],
        ),
        gb_seconds=12.5,
        disk_gb_seconds=2.0,
    )


def direct(cloud: Aws, jobs: Jobs, config: str = "") -> Job:
    """A job of a song in the inbox."""
    key = "inbox/alice/song.mp3"
    etag = store(cloud, UPLOADS, key, Metadata={"stempipe-config": config} if config else {})
    source = Source("s3", UPLOADS, key, "song.mp3", bytes=4, etag=etag)
    job_id = direct_job_id(Upload("s3", UPLOADS, key), etag, config)
    return jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())


def store(cloud: Aws, bucket: str, key: str, **more: Any) -> str:
    """Put an object; returns its etag."""
    return cloud.s3.put_object(Bucket=bucket, Key=key, Body=b"song", **more)["ETag"].strip('"')


def stored(cloud: Aws, bucket: str) -> list[str]:
    """The keys in a bucket."""
    return [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
