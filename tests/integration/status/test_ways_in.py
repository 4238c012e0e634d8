"""The two ways in that need no separation: stems, with an upload each, and MIDI."""

from __future__ import annotations

import base64
from collections.abc import Callable
from copy import deepcopy
from types import ModuleType
from typing import Any

import pytest

from stempipe.jobs.record import Job, Kind, Status
from stempipe.jobs.table import Jobs
from stempipe.rules.sweep import Sweep
from tests.aws import UPLOADS, Aws
from tests.integration.status.asking import Ask, stored

STEMS = {
    "stems": [
        {"name": "drums", "filename": "Kit.wav", "size": 4},
        {"name": "Lead Vox 2", "filename": "vox.flac", "size": 4, "contentType": "audio/flac"},
    ],
    "title": "My song",
}


@pytest.fixture
def arrive(
    cloud: Aws,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    sample_event: Callable[[str], dict[str, Any]],
) -> Callable[[str], None]:
    """Puts an object, and has intake hear of it."""
    app = load_app("intake")

    def arrive(key: str, body: bytes = b"song") -> None:
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=body)
        event = deepcopy(sample_event("intake-s3"))
        event["Records"][0]["s3"]["object"]["key"] = key
        app.handler(event, lambda_context)

    return arrive


def keys(answer: Any) -> list[str]:
    return [upload["fields"]["key"] for upload in answer["uploads"].values()]


def test_stems_have_a_link_each_and_are_queued_with_the_last(
    ask: Ask, cloud: Aws, jobs: Jobs, arrive: Callable[[str], None]
) -> None:
    status, created = ask("POST", "/v1/jobs", STEMS)
    assert (status, list(created["uploads"]), created["upload"]) == (201, ["drums", "Lead Vox 2"], None)
    job = created["job"]
    assert (job["status"], job["title"], job["source"]["kind"]) == ("awaiting_upload", "My song", "stems")
    assert job["config"]["analysis"] == {"notes": True, "fps": 60}
    first, second = keys(created)
    arrive(second)
    waiting = ask("GET", f"/v1/jobs/{job['id']}").body
    assert waiting["status"] == "awaiting_upload"
    assert [(stem["name"], stem["arrived"]) for stem in waiting["source"]["stems"]] == [
        ("drums", False),
        ("Lead Vox 2", True),
    ]
    arrive(second)  # storage may tell of it again
    assert cloud.messages() == []
    arrive(first)
    assert ask("GET", f"/v1/jobs/{job['id']}").body["status"] == "queued"
    assert cloud.messages() == [{"owner": "alice", "id": job["id"]}]
    etags = [part.etag for part in jobs.get("alice", job["id"]).uploads]
    assert all(etags)


def test_a_stem_that_is_sent_again_before_the_others_takes_the_place_of_the_first(
    ask: Ask, cloud: Aws, jobs: Jobs, arrive: Callable[..., None]
) -> None:
    created = ask("POST", "/v1/jobs", STEMS).body
    first, second = keys(created)
    arrive(first, b"one!")
    arrive(first, b"two!")
    arrive(second)
    job = jobs.get("alice", created["job"]["id"])
    assert job.state is Status.QUEUED
    for part in job.uploads:
        stored = cloud.s3.head_object(Bucket=UPLOADS, Key=part.key)
        assert part.etag == stored["ETag"].strip('"')
    arrive(first, b"late")
    assert len(cloud.messages()) == 1


def test_a_link_to_what_has_come_is_not_given_again(ask: Ask, arrive: Callable[[str], None]) -> None:
    key = {"Idempotency-Key": "k"}
    created = ask("POST", "/v1/jobs", STEMS, headers=key).body
    arrive(keys(created)[0])
    again = ask("POST", "/v1/jobs", STEMS, headers=key).body
    assert (again["job"]["id"], list(again["uploads"])) == (created["job"]["id"], ["Lead Vox 2"])


def test_one_empty_stem_fails_the_job_by_its_name(ask: Ask, cloud: Aws, arrive: Callable[..., None]) -> None:
    created = ask("POST", "/v1/jobs", STEMS).body
    arrive(keys(created)[1], b"")
    failed = ask("GET", f"/v1/jobs/{created['job']['id']}").body
    assert (failed["status"], failed["error"]["code"]) == ("failed", "empty_file")
    assert "Lead Vox 2" in failed["error"]["message"]
    arrive(keys(created)[0])
    assert cloud.messages() == []


@pytest.mark.parametrize(
    ("stems", "field"),
    [
        ([], "stems"),
        ([{"name": f"s{n}", "filename": "a.wav", "size": 1} for n in range(17)], "stems"),
        ([{"name": name, "filename": "a.wav", "size": 1} for name in ("Bass", "bass")], "stems"),
        ([{"name": name, "filename": "a.wav", "size": 1} for name in ("Caf\u00e9", "cafe\u0301")], "stems"),
        ([{"name": "sab\u200f", "filename": "a.wav", "size": 1}], "stems.0.name"),
        ([{"name": "../x", "filename": "a.wav", "size": 1}], "stems.0.name"),
        ([{"name": "mix", "filename": "a.wav", "size": 1}], "stems.0.name"),
        ([{"name": "a", "filename": "a.wav", "size": -1}], "stems.0.size"),
    ],
)
def test_stems_that_cannot_be_had_are_refused(ask: Ask, stems: list[Any], field: str) -> None:
    status, body = ask("POST", "/v1/jobs", {"stems": stems})
    assert (status, body["error"]["code"]) == (422, "invalid_request")
    assert body["error"]["message"].startswith(f"{field}:") or f".{field}:" in body["error"]["message"]


def test_all_stems_together_keep_to_the_limit(ask: Ask) -> None:
    stems = [{"name": f"s{n}", "filename": "a.wav", "size": 300_000_000} for n in range(2)]
    status, body = ask("POST", "/v1/jobs", {"stems": stems})
    assert (status, body["error"]["code"]) == (413, "too_large")


def test_stems_that_never_came_are_named(
    ask: Ask, jobs: Jobs, arrive: Callable[[str], None], sweep: Sweep
) -> None:
    created = ask("POST", "/v1/jobs", STEMS).body
    arrive(keys(created)[0])
    lapse(jobs.get("alice", created["job"]["id"]))
    assert sweep.sweep_jobs() == {"uploads_missing": 1}
    failed = ask("GET", f"/v1/jobs/{created['job']['id']}").body
    assert (failed["status"], failed["error"]["code"]) == ("failed", "upload_missing")
    assert "Lead Vox 2" in failed["error"]["message"]
    assert "drums" not in failed["error"]["message"]


def test_stems_whose_events_were_lost_are_found(ask: Ask, cloud: Aws, jobs: Jobs, sweep: Sweep) -> None:
    created = ask("POST", "/v1/jobs", STEMS).body
    for key in keys(created):
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"song")
    lapse(jobs.get("alice", created["job"]["id"]))
    assert sweep.sweep_jobs() == {"uploads_found": 1}
    assert ask("GET", f"/v1/jobs/{created['job']['id']}").body["status"] == "queued"
    assert cloud.messages() == [{"owner": "alice", "id": created["job"]["id"]}]


def test_a_crash_between_the_last_stem_and_the_queue_is_put_right(
    ask: Ask, cloud: Aws, jobs: Jobs, sweep: Sweep
) -> None:
    created = ask("POST", "/v1/jobs", STEMS).body
    for key in keys(created):
        cloud.s3.put_object(Bucket=UPLOADS, Key=key, Body=b"song")
    job = jobs.get("alice", created["job"]["id"])
    for number in range(2):
        job.update([Job.part_etags[str(number)].set("e")])  # type: ignore[attr-defined]
    lapse(job)
    assert sweep.sweep_jobs() == {"uploads_found": 1}
    assert jobs.get("alice", job.id).state is Status.QUEUED


def test_deleting_deletes_every_upload(ask: Ask, cloud: Aws, arrive: Callable[[str], None]) -> None:
    created = ask("POST", "/v1/jobs", STEMS).body
    for key in keys(created):
        arrive(key)
    assert len(stored(cloud, UPLOADS)) == 2
    assert ask("DELETE", f"/v1/jobs/{created['job']['id']}").body["status"] == "cancelled"
    assert stored(cloud, UPLOADS) == []


def test_midi_is_uploaded_by_a_link(ask: Ask, jobs: Jobs, arrive: Callable[[str], None]) -> None:
    config = {"midi": {"transpose": 12, "roles": {"2": "bass"}, "quantise": 16}}
    request = {"midi": {"filename": "song.mid", "size": 4}, "config": config}
    status, created = ask("POST", "/v1/jobs", request)
    assert (status, created["job"]["source"]["kind"], created["uploads"]) == (201, "midi", None)
    assert created["job"]["config"]["midi"]["transpose"] == 12
    arrive(created["upload"]["fields"]["key"])
    assert jobs.get("alice", created["job"]["id"]).state is Status.QUEUED


def test_midi_within_the_request_starts_at_once(ask: Ask, cloud: Aws) -> None:
    midi = {"filename": "song.mid", "base64": base64.b64encode(b"MThd").decode()}
    status, created = ask("POST", "/v1/jobs", {"midi": midi})
    assert (status, created["job"]["status"], created["upload"]) == (201, "queued", None)
    assert cloud.messages() == [{"owner": "alice", "id": created["job"]["id"]}]


@pytest.mark.parametrize(
    ("midi", "field"),
    [
        ({"transpose": 49}, "config.midi.transpose"),
        ({"quantise": 7}, "config.midi.quantise"),
        ({"tempo": 0}, "config.midi.tempo"),
        ({"roles": {"1": ""}}, "config.midi.roles.1"),
        ({"roles": {"1": "Mix"}}, "config.midi.roles"),
        ({"roles": {"1": "a\nb"}}, "config.midi.roles"),
        ({"roles": {"a\x01b": "bass"}}, "config.midi.roles"),
        ({"roles": {f"{number}" + 30 * '"': 30 * '"' for number in range(10, 26)}}, "config.midi.roles"),
        ({"roles": {str(number): f"s{number}" for number in range(17)}}, "config.midi.roles"),
        ({"roles": {f"{number}" + 60 * "\U0001f941": "bass" for number in range(17)}}, "config.midi.roles"),
        ({"unknown": 1}, "config.midi.unknown"),
    ],
)
def test_ways_to_read_midi_that_there_are_not_are_refused(ask: Ask, midi: Any, field: str) -> None:
    request = {"midi": {"filename": "song.mid", "size": 4}, "config": {"midi": midi}}
    status, body = ask("POST", "/v1/jobs", request)
    assert (status, body["error"]["code"]) == (422, "invalid_config")
    assert body["error"]["message"].startswith(f"{field}:")


def test_a_title_does_no_more_than_show(ask: Ask) -> None:
    status, created = ask("POST", "/v1/jobs", STEMS | {"title": "\x1b]0;P\x07\u202eAC/DC\u200f"})
    job = created["job"]
    assert (status, job["title"]) == (201, "_]0;P__AC/DC_")
    assert job["source"]["filename"].isprintable()


@pytest.mark.parametrize("ending", ["MID", "midi", "kar", "rmi", "smf"])
def test_midi_in_the_inbox_becomes_a_job_of_its_kind(
    cloud: Aws, jobs: Jobs, arrive: Callable[[str], None], ending: str
) -> None:
    arrive(f"inbox/alice/My Song.{ending}")
    (message,) = cloud.messages()
    job = jobs.get("alice", message["id"])
    assert (job.kind, job.song) == (Kind.MIDI, "My Song")
    assert job.config.analysis


def lapse(job: Job) -> None:
    """The time to upload is over."""
    job.update([Job.due_at.set(0)])


@pytest.fixture
def sweep(cloud: Aws, jobs: Jobs, load_app: Callable[[str], ModuleType]) -> Sweep:
    rules: Sweep = load_app("sweep").sweep()
    return rules
