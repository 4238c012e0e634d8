"""Files: how stems are stored, which are left and which are not."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stempipe.adapters.queue import TryAgain
from stempipe.adapters.storage import Storage
from stempipe.errors import OutOfTime, StorageUnavailable
from stempipe.jobs.record import Job, Status
from stempipe.jobs.refusals import ClaimLost
from stempipe.jobs.table import Jobs
from stempipe.rules.worker import Worker
from tests.aws import STEMS, TABLE, USAGE, Aws
from tests.integration.separate.engine import MESSAGE, raising, received, stems


def test_stems_that_were_stored_before_the_job_was_cancelled_are_deleted(
    worker: Worker, cloud: Aws, jobs: Jobs, job: Callable[[], Job]
) -> None:
    class CancelledBetweenStems(Storage):
        def put(self, file: Path, bucket: str, key: str, *more: Any) -> None:
            super().put(file, bucket, key, *more)
            if key.endswith("vocals.wav"):
                jobs.cancel("alice", "01K")

    cloud.s3.put_object(Bucket=STEMS, Key="alice/01K/0/another attempt's.wav", Body=b"")
    replace(worker, storage=CancelledBetweenStems(cloud.s3, "s3")).work_on(MESSAGE)
    assert stems(cloud) == ["alice/01K/0/another attempt's.wav"]
    assert job().state is Status.CANCELLED


@pytest.mark.parametrize("fault", [StorageUnavailable("no"), OutOfTime()])
def test_stems_of_an_attempt_that_ends_amid_them_are_deleted_before_the_next(
    worker: Worker, cloud: Aws, job: Callable[[], Job], fault: Exception
) -> None:
    class EndsBetweenStems(Storage):
        def put(self, file: Path, bucket: str, key: str, *more: Any) -> None:
            if not key.endswith("vocals.wav"):
                raise fault
            super().put(file, bucket, key, *more)

        def delete_under(self, bucket: str, prefix: str) -> None:
            assert job().state is Status.PROCESSING
            super().delete_under(bucket, prefix)

    with pytest.raises(TryAgain):
        replace(worker, storage=EndsBetweenStems(cloud.s3, "s3")).work_on(MESSAGE)
    assert stems(cloud) == []
    assert job().state is Status.QUEUED


def test_stems_are_kept_where_only_the_answer_to_the_last_write_was_lost(
    worker: Worker, cloud: Aws, job: Callable[[], Job]
) -> None:
    class AnswerLost(Jobs):
        def end(self, *what: Any, **more: Any) -> Job:
            # Sent again by the client, the write finds what it wrote itself.
            super().end(*what, **more)
            return super().end(*what, **more)

    replace(worker, jobs=AnswerLost(TABLE, usage_table=USAGE, retention_days=7)).work_on(MESSAGE)
    assert job().state is Status.COMPLETED
    assert stems(cloud) == sorted((job().stem_keys or {}).values())


def test_an_upload_is_called_off_half_way(cloud: Aws, storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "stem.wav"
    file.write_bytes(bytes(32 << 20))  # more than one part
    cloud.s3.meta.events.register("before-call.s3.UploadPart", lambda **_: time.sleep(0.3))
    with pytest.raises(ClaimLost):
        storage.put(file, STEMS, "stem.wav", "audio/wav", lambda _: raising(ClaimLost())())
    assert stems(cloud) == []
    assert "Uploads" not in cloud.s3.list_multipart_uploads(Bucket=STEMS)


def test_an_upload_tells_how_far_it_is(cloud: Aws, storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "stem.wav"
    file.write_bytes(bytes(32 << 20))
    cloud.s3.meta.events.register("before-call.s3.UploadPart", lambda **_: time.sleep(0.15))
    seen: list[int] = []
    storage.put(file, STEMS, "stem.wav", "audio/wav", seen.append)
    assert seen == sorted(seen)
    assert any(0 < count < 32 << 20 for count in seen)


def test_a_new_worker_removes_what_a_killed_one_left_on_the_disk(
    handler: Callable[[dict[str, Any]], dict[str, Any]],
    cloud: Aws,
    job: Callable[[], Job],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "stempipe" / "tmp01" / "song"
    left.parent.mkdir(parents=True)
    left.touch()
    handler(received(cloud, MESSAGE.model_dump_json()))
    assert job().state is Status.FAILED
    assert list((tmp_path / "stempipe").iterdir()) == []
