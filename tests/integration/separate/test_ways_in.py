"""Jobs that begin with stems or MIDI: nothing is separated, and the worker does the rest as for songs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stempipe.adapters.queue import TryAgain
from stempipe.errors import UnusableMedia
from stempipe.jobs.config import AnalysisConfig, JobConfig
from stempipe.jobs.record import MAX_ATTEMPTS, Job, Kind, Part, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import job_view
from stempipe.rules.worker import Worker
from tests.aws import STEMS, UPLOADS, Aws
from tests.claims import let_in
from tests.integration.separate.engine import KEY, MESSAGE, Engine, raising, stems

CONFIG = JobConfig(analysis=AnalysisConfig())


def put(cloud: Aws, key: str, body: bytes) -> str:
    return cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=body)["ETag"].strip('"')


@pytest.fixture
def stems_job(cloud: Aws, jobs: Jobs) -> Callable[[], Job]:
    """A queued job of two stems. Gives a function that reads it back."""
    names = {"drums": b"boom", "Lead Vox": b"aah"}
    parts = [Part(f"{KEY}/{n}", f"{name}.wav", len(names[name]), name) for n, name in enumerate(names)]
    source = Source("s3", UPLOADS, KEY, "stems", bytes=7)
    job = jobs.add("alice", "01K", Status.QUEUED, source, CONFIG, kind=Kind.STEMS, parts=parts)
    for number, part in enumerate(parts):
        etag = put(cloud, part.key, names[part.name or ""])
        job.update([Job.part_etags[str(number)].set(etag)])  # type: ignore[attr-defined]
    let_in(jobs, "alice", "01K")
    return lambda: jobs.get("alice", "01K")


@pytest.fixture
def midi_job(cloud: Aws, jobs: Jobs) -> Callable[[], Job]:
    etag = put(cloud, KEY, b"MThd")
    source = Source("s3", UPLOADS, KEY, "song.mid", bytes=4, etag=etag)
    jobs.add("alice", "01K", Status.QUEUED, source, CONFIG, kind=Kind.MIDI)
    let_in(jobs, "alice", "01K")
    return lambda: jobs.get("alice", "01K")


def test_stems_are_listened_to_under_their_names(
    worker: Worker, engine: Engine, cloud: Aws, stems_job: Callable[[], Job]
) -> None:
    worker.work_on(MESSAGE)
    done = stems_job()
    assert (done.state, done.duration_seconds, done.sample_rate) == (Status.COMPLETED, 12.0, 44100)
    assert engine.heard == [{"drums": b"boom", "Lead Vox": b"aah"}]
    assert engine.titles == [None]  # nobody gave one, and the job has no song's file to be called after
    view = job_view(done, lambda key, _: key)
    assert view.results
    assert view.results.stems == {}
    assert view.results.analysis
    assert view.results.analysis.state == "done"
    assert set(stems(cloud)) == done.keys_in_use


def test_midi_is_read(worker: Worker, engine: Engine, midi_job: Callable[[], Job]) -> None:
    worker.work_on(MESSAGE)
    assert engine.heard == [{"song": b"MThd"}]
    done = midi_job()
    assert (done.state, done.duration_seconds) == (Status.COMPLETED, 12.0)
    assert done.sample_rate is None
    assert job_view(done, lambda key, _: key).source.kind is Kind.MIDI


def test_a_stem_that_is_bad_fails_the_job(
    worker: Worker, engine: Engine, stems_job: Callable[[], Job]
) -> None:
    engine.while_listening = raising(UnusableMedia("corrupt_media", "drums: it is damaged."))
    worker.work_on(MESSAGE)
    failed = stems_job()
    assert (failed.state, failed.error_code, failed.error_message) == (
        Status.FAILED,
        "corrupt_media",
        "drums: it is damaged.",
    )


def test_a_stem_that_was_replaced_fails_the_job(
    worker: Worker, engine: Engine, cloud: Aws, stems_job: Callable[[], Job]
) -> None:
    put(cloud, f"{KEY}/1", b"ooh")
    worker.work_on(MESSAGE)
    assert (stems_job().state, stems_job().error_code) == (Status.FAILED, "upload_gone")
    assert "Lead Vox" in (stems_job().error_message or "")
    assert engine.heard == []


def test_a_fault_of_ours_is_tried_again_and_fails_the_job_in_the_end(
    worker: Worker, engine: Engine, cloud: Aws, stems_job: Callable[[], Job]
) -> None:
    engine.while_listening = raising(MemoryError())
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(TryAgain):
            worker.work_on(MESSAGE)
    assert (stems_job().state, stems_job().error_code) == (Status.FAILED, "internal_error")
    assert cloud.s3.list_objects_v2(Bucket=STEMS).get("KeyCount") == 0
