"""The three ways in, on the local cloud: what is found is the same kind of thing, in the same files."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import mido
import pytest

from local.cloud import Deployment

LISTENER = "listener@example.com"
SETTLED = ("completed", "failed", "cancelled")


@pytest.fixture
def api(sign_in: Callable[[str], httpx.Client]) -> httpx.Client:
    return sign_in(LISTENER)


@pytest.fixture(scope="session")
def schema(root: Path) -> Any:
    return json.loads((root / "docs/analysis.schema.json").read_text())


def send(upload: dict[str, Any], content: bytes) -> None:
    httpx.post(upload["url"], data=upload["fields"], files={"file": content}, timeout=60).raise_for_status()


def ended(api: httpx.Client, job_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The job once it has ended, and each of its states that was seen."""
    seen = []
    until = time.monotonic() + 240
    while time.monotonic() < until:
        job = api.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        seen.append(job)
        if job["status"] in SETTLED:
            return job, seen
        time.sleep(0.3)
    raise AssertionError(f"It has not ended: {seen[-1]}")


def files(api: httpx.Client, job_id: str) -> dict[str, bytes]:
    """What is in a job's files, by name; each is as large as is said."""
    listed = api.get(f"/v1/jobs/{job_id}/files").raise_for_status().json()["files"]
    found = {file["name"]: httpx.get(file["url"], timeout=60).raise_for_status().content for file in listed}
    assert {file["name"]: file["bytes"] for file in listed} == {name: len(found[name]) for name in found}
    return found


def stems_of(api: httpx.Client, job_id: str) -> dict[str, str | None]:
    """The stem that each file is of."""
    listed = api.get(f"/v1/jobs/{job_id}/files").raise_for_status().json()["files"]
    return {file["name"]: file["stem"] for file in listed}


def test_a_song_gives_stems_first_and_then_all_there_is_to_hear(
    api: httpx.Client, song: Path, schema: Any
) -> None:
    content = song.read_bytes()
    config = {"analysis": {"notes": True, "fps": 30}, "player": True}
    created = api.post(
        "/v1/jobs", json={"filename": "song.mp3", "size": len(content), "config": config}
    ).json()
    send(created["upload"], content)
    job, seen = ended(api, created["job"]["id"])
    assert (job["status"], job["results"]["analysis"]) == ("completed", {"state": "done", "error": None})
    listening = [state for state in seen if state["stage"] == "analysing"]
    assert listening
    assert all(set(state["results"]["stems"]) == {"vocals", "accompaniment"} for state in listening)
    progress = [state["progress"] for state in seen]
    assert progress == sorted(progress)

    found = files(api, job["id"])
    analysis = json.loads(found["analysis.json"])
    jsonschema.Draft202012Validator(schema).validate(analysis)
    assert analysis["key"]["tonic"] == "F"
    assert analysis["tempo"]["bpm"] == pytest.approx(110, abs=1)
    assert len(analysis["stems"]["vocals"]["notes"]) > 5
    assert analysis["stems"]["accompaniment"]["notes"]
    tracks = [track.name for track in mido.MidiFile(file=io.BytesIO(found["song.mid"])).tracks]
    assert {"vocals", "accompaniment"} <= set(tracks)
    assert len(found["curves.bin"]) == analysis["curves"]["bytes"]
    assert analysis["curves"]["fps"] == 30
    for name in ("vocals.wav", "vocals.player.flac", "vocals.player.index", "vocals.peaks.dat"):
        assert found[name]
        assert stems_of(api, job["id"])[name] == "vocals"


def test_stems_give_the_same(api: httpx.Client, song: Path, schema: Any) -> None:
    content = song.read_bytes()
    wanted = [
        {"name": name, "filename": f"{name}.mp3", "size": len(content)} for name in ("bass", "Lead Vox")
    ]
    created = api.post("/v1/jobs", json={"stems": wanted, "title": "Mine"}).json()
    for upload in created["uploads"].values():
        send(upload, content)
    job, _ = ended(api, created["job"]["id"])
    assert (job["status"], job["title"], job["source"]["kind"]) == ("completed", "Mine", "stems")
    analysis = json.loads(files(api, job["id"])["analysis.json"])
    jsonschema.Draft202012Validator(schema).validate(analysis)
    assert (list(analysis["stems"]), analysis["title"]) == (["bass", "Lead Vox"], "Mine")
    of = stems_of(api, job["id"])
    assert (of["bass.mid"], of["Lead Vox.mid"], of["analysis.json"]) == ("bass", "Lead Vox", None)


def test_of_stems_the_bad_one_is_named(api: httpx.Client, song: Path) -> None:
    contents = {"drums": song.read_bytes(), "bass": b"this is no sound" * 100}
    wanted = [
        {"name": name, "filename": f"{name}.mp3", "size": len(content)} for name, content in contents.items()
    ]
    created = api.post("/v1/jobs", json={"stems": wanted}).json()
    for name, upload in created["uploads"].items():
        send(upload, contents[name])
    job, _ = ended(api, created["job"]["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "unsupported_media")
    assert job["error"]["message"].startswith("bass: ")


def midi() -> bytes:
    """A bar of bass and drums."""
    song = mido.MidiFile(type=1)
    bass, drums = mido.MidiTrack(), mido.MidiTrack()
    song.tracks += [bass, drums]
    bass.append(mido.MetaMessage("track_name", name="Bass"))
    bass.append(mido.MetaMessage("set_tempo", tempo=500_000))
    for pitch in (40, 43, 45, 40):
        bass.append(mido.Message("note_on", note=pitch, velocity=100))
        bass.append(mido.Message("note_off", note=pitch, time=480))
    for drum in (36, 38, 36, 38):
        drums.append(mido.Message("note_on", channel=9, note=drum, velocity=100))
        drums.append(mido.Message("note_off", channel=9, note=drum, time=480))
    written = io.BytesIO()
    song.save(file=written)
    return written.getvalue()


def test_midi_gives_the_same_but_what_only_sound_has(api: httpx.Client, schema: Any) -> None:
    inline = {"filename": "inline.mid", "base64": base64.b64encode(midi()).decode()}
    created = api.post("/v1/jobs", json={"midi": inline}).json()
    job, _ = ended(api, created["job"]["id"])
    assert (job["status"], job["source"]["kind"]) == ("completed", "midi")
    analysis = json.loads(files(api, job["id"])["analysis.json"])
    jsonschema.Draft202012Validator(schema).validate(analysis)
    assert analysis["tempo"]["bpm"] == 120
    assert [note["p"] for note in analysis["stems"]["bass"]["notes"]] == [40, 43, 45, 40]
    assert [hit["drum"] for hit in analysis["stems"]["drums"]["hits"]] == ["kick", "snare", "kick", "snare"]
    assert analysis["stems"]["bass"]["loudness"] is None


def test_midi_that_is_none_fails_with_a_code(api: httpx.Client) -> None:
    inline = {"filename": "inline.mid", "base64": base64.b64encode(b"no MIDI at all").decode()}
    created = api.post("/v1/jobs", json={"midi": inline}).json()
    job, _ = ended(api, created["job"]["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "not_midi")


def test_midi_in_the_inbox_is_a_job(cloud: Deployment, api: httpx.Client) -> None:
    key = f"inbox/{cloud.user_id(LISTENER)}/bar.mid"
    cloud.client("s3").put_object(Bucket=cloud.uploads_bucket, Key=key, Body=midi())
    until = time.monotonic() + 60
    jobs: list[dict[str, Any]] = []
    while not jobs and time.monotonic() < until:
        listed = api.get("/v1/jobs").raise_for_status().json()["jobs"]
        jobs = [job for job in listed if job["source"]["filename"] == "bar.mid"]
        time.sleep(0.3)
    job, _ = ended(api, jobs[0]["id"])
    assert (job["status"], job["source"]["kind"]) == ("completed", "midi")
