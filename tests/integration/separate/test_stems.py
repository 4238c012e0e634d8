"""From a song to its stems, with progress; and what an upload or a model that is not good makes of a job."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.rules.worker import Worker
from tests.aws import STEMS, UPLOADS, Aws
from tests.claims import let_in
from tests.integration.separate.engine import KEY, MESSAGE, Engine, received
from tests.unit.media import songs


def test_a_queued_job_becomes_stems(
    worker: Worker, engine: Engine, cloud: Aws, job: Callable[[], Job]
) -> None:
    worker.work_on(MESSAGE)
    done = job()
    assert (done.state, done.progress, done.attempts) == (Status.COMPLETED, 100, 1)
    assert (done.duration_seconds, done.sample_rate, done.channels) == (180.0, 48000, 1)
    assert (done.gain_db, done.residual_db) == (-1.5, -133.42)
    assert done.notices is None
    assert done.disk_gb_seconds == pytest.approx(done.gb_seconds / 2.0 * 4.5, abs=0.003)
    assert engine.songs == [b"song"]
    assert done.stem_keys == {
        "vocals": f"alice/01K/{done.attempt}/vocals.wav",
        "accompaniment": f"alice/01K/{done.attempt}/accompaniment.wav",
    }
    stored = cloud.s3.get_object(Bucket=STEMS, Key=done.stem_keys["vocals"])
    assert (stored["Body"].read(), stored["ContentType"]) == (b"vocals", "audio/wav")
    assert list((worker.scratch or Path()).iterdir()) == []


def test_what_was_not_measured_is_not_said(worker: Worker, engine: Engine, job: Callable[[], Job]) -> None:
    engine.residual_db = None
    worker.work_on(MESSAGE)
    assert job().state is Status.COMPLETED
    assert job().residual_db is None


def test_progress_is_written_at_least_once_a_second(
    worker: Worker, engine: Engine, job: Callable[[], Job]
) -> None:
    seen = set()

    def work() -> None:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            now = job()
            seen.add((now.updated_at, now.stage, now.progress))
            time.sleep(0.1)

    engine.during = work
    worker.work_on(MESSAGE)
    # Every write has a time of its own: in 2.5 s some five, and far fewer than were looked for.
    assert 3 <= len({at for at, _, _ in seen}) <= 8
    # Half of the separation, by the plan: nothing was measured yet.
    assert ("separating", 46) in {(stage, progress) for _, stage, progress in seen}


@pytest.mark.parametrize("deleted", [True, False])
def test_an_upload_that_was_deleted_or_replaced_fails_the_job(
    worker: Worker, cloud: Aws, job: Callable[[], Job], deleted: bool
) -> None:
    if deleted:
        cloud.s3.delete_object(Bucket=UPLOADS, Key=KEY)
    else:
        cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=b"another song")
    worker.work_on(MESSAGE)
    assert (job().state, job().error_code) == (Status.FAILED, "upload_gone")


def test_the_handler_separates_with_the_real_engine(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws, job: Callable[[], Job]
) -> None:
    # b"song" is no audio: the engine says so, and the message is done with.
    assert handler(received(cloud, MESSAGE.model_dump_json())) == {"batchItemFailures": []}
    assert (job().state, job().error_code) == (Status.FAILED, "unsupported_media")


def test_the_handler_turns_a_hot_songs_stems_down_together_and_the_job_says_by_how_much(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws, jobs: Jobs, tmp_path: Path
) -> None:
    hot = np.clip(8 * (songs.noise(2) + songs.tone(2)), -1, 1)
    song = songs.write(tmp_path / "song.wav", hot)
    etag = cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=song.read_bytes())["ETag"].strip('"')
    source = Source("s3", UPLOADS, KEY, "Hot Song.wav", bytes=song.stat().st_size, etag=etag)
    config = JobConfig.from_json('{"quality": {"outputFormat": "flac", "bitDepth": 24}}')
    jobs.add("alice", "01K", Status.QUEUED, source, config)
    let_in(jobs, "alice", "01K")

    assert handler(received(cloud, MESSAGE.model_dump_json())) == {"batchItemFailures": []}
    done = jobs.get("alice", "01K")
    assert done.state is Status.COMPLETED
    assert done.gain_db < -0.5
    assert -144 <= done.residual_db < -120
    heard = []
    for stem, key in done.stem_keys.items():
        path = tmp_path / f"{stem}.flac"
        cloud.s3.download_file(STEMS, key, str(path))
        assert songs.tags(path)["title"] == f"Hot Song ({stem})"
        heard.append(songs.read(path))
        assert np.abs(heard[-1]).max() < 1 - 2**-23
    assert np.abs(sum(heard) - 10 ** (done.gain_db / 20) * hot).max() < 1e-5


def test_the_handler_says_in_the_job_what_was_filled_in_a_song(
    handler: Callable[[dict[str, Any]], dict[str, Any]], cloud: Aws, jobs: Jobs, tmp_path: Path
) -> None:
    whole = songs.write(tmp_path / "song.ogg", songs.noise(3, sample_rate=48_000), songs.KINDS["ogg opus"])
    song = songs.copy(whole, tmp_path / "song.webm", "webm", keep=lambda at: not 1 < at < 2)
    etag = cloud.s3.put_object(Bucket=UPLOADS, Key=KEY, Body=song.read_bytes())["ETag"].strip('"')
    source = Source("s3", UPLOADS, KEY, "song.webm", bytes=song.stat().st_size, etag=etag)
    jobs.add("alice", "01K", Status.QUEUED, source, JobConfig())
    let_in(jobs, "alice", "01K")

    assert handler(received(cloud, MESSAGE.model_dump_json())) == {"batchItemFailures": []}
    done = jobs.get("alice", "01K")
    assert done.duration_seconds == pytest.approx(3, abs=0.01)
    (notice,) = done.notices
    assert notice["code"] == "gap"
    assert "silence is in their place" in notice["message"]
    assert notice["seconds"] == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("damaged", [True, False])
def test_a_model_that_is_damaged_or_missing_is_the_deployments_fault_and_no_songs(
    handler: Callable[[dict[str, Any]], dict[str, Any]],
    cloud: Aws,
    job: Callable[[], Job],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damaged: bool,
) -> None:
    """The song is tried as often as any, and its message is then kept for redrive, with the alarm on."""
    if damaged:
        (tmp_path / "2stems").mkdir()
    monkeypatch.setenv("STEMPIPE_MODELS", str(tmp_path))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert job().state is Status.QUEUED
        answer = handler(received(cloud, MESSAGE.model_dump_json()))
        assert len(answer["batchItemFailures"]) == 1
        assert job().attempts == attempt
    code = "model_damaged" if damaged else "model_missing"
    assert (job().state, job().error_code) == (Status.FAILED, code)
