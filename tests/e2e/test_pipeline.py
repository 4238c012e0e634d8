"""A song's way through the deployed template, by the API and by the bucket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from local.cloud import STACK, Deployment
from tests import wire

Decode = Callable[[Path], Any]
Job = dict[str, Any]


def separated(api: httpx.Client, song: Path, config: dict[str, Any] | None = None) -> list[Job]:
    """Everything that was seen of a song's job, the last being final."""
    created = wire.create_job(api, song, config)
    wire.upload(created["upload"], song)
    return list(wire.watch(api, created["job"]["id"], seconds=60))


def jobs_of(api: httpx.Client, filename: str) -> list[Job]:
    jobs: list[Job] = api.get("/v1/jobs", params={"limit": 100}).raise_for_status().json()["jobs"]
    return [job for job in jobs if job["source"]["filename"] == filename]


def direct_upload(
    cloud: Deployment, api: httpx.Client, song: Path, name: str, metadata: dict[str, str]
) -> Job:
    """Drop a song into the producer's folder of the bucket, and wait for its job to end."""
    key = f"inbox/{cloud.user_id()}/{name}"
    cloud.client("s3").upload_file(str(song), cloud.uploads_bucket, key, ExtraArgs={"Metadata": metadata})
    for _ in range(100):
        if jobs := jobs_of(api, name):
            return list(wire.watch(api, jobs[0]["id"], seconds=60))[-1]
        time.sleep(0.2)
    raise AssertionError("The upload became no job")


def test_a_song_uploaded_through_the_api_becomes_stems_that_sum_to_it(
    api: httpx.Client, song: Path, decode: Decode, tmp_path: Path
) -> None:
    job = separated(api, song)[-1]

    assert job["status"] == "completed", job["error"]
    assert (job["progress"], job["attempt"]) == (100, 1)
    assert job["source"]["durationSeconds"] == pytest.approx(10.88, abs=0.1)
    paths = [wire.download(url, tmp_path) for url in job["results"]["stems"].values()]
    assert [path.name for path in paths] == [
        "audio_example - vocals.wav",
        "audio_example - accompaniment.wav",
    ]
    mix, stems = decode(song), np.stack([decode(path) for path in paths])
    assert stems.shape == (2, *mix.shape)
    rounding = 0.5 / 32768  # of a 16-bit sample, once per stem
    assert job["results"]["gainDb"] < 0  # the MP3 itself peaks above full scale
    gain = 10 ** (job["results"]["gainDb"] / 20)
    assert np.abs(stems.sum(axis=0) - gain * mix).max() <= 2 * rounding * 1.01
    assert (np.square(stems).mean(axis=(1, 2)) > 1e-4).all()
    assert -144 <= job["results"]["residualDb"] < -120  # as floats, before they have 16 bits


def test_progress_is_seen_while_a_song_is_separated(api: httpx.Client, long_song: Path) -> None:
    seen = separated(api, long_song)

    assert seen[-1]["status"] == "completed"
    progress = [job["progress"] for job in seen]
    assert progress == sorted(progress)
    assert any(0 < percent < 100 for percent in progress)
    working = [job for job in seen if job["status"] == "processing"]
    assert "separating" in {job["stage"] for job in working}
    assert any(job["estimatedTimeRemaining"] for job in working)


def test_a_text_file_fails_as_unsupported_media(api: httpx.Client, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp3"
    text.write_text("These are no sounds.\n" * 100)
    job = separated(api, text)[-1]
    assert job["status"] == "failed"
    assert job["error"]["code"] == "unsupported_media"
    assert job["error"]["message"]
    assert job["results"] is None


def test_an_empty_file_is_refused_before_it_is_uploaded(api: httpx.Client, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp3"
    empty.touch()
    with pytest.raises(wire.JobFailed) as refusal:
        wire.create_job(api, empty)
    assert refusal.value.code == "empty_file"


def test_an_upload_of_another_size_is_refused_by_the_bucket(api: httpx.Client, song: Path) -> None:
    created = wire.create_job(api, song)
    upload = created["upload"]
    answer = httpx.post(upload["url"], data=upload["fields"], files={"file": b"too short"})
    assert answer.status_code == 400
    assert "EntityTooSmall" in answer.text
    assert wire.get_job(api, created["job"]["id"])["status"] == "awaiting_upload"


def test_a_song_dropped_into_the_inbox_becomes_a_job_of_its_owner(
    cloud: Deployment, api: httpx.Client, song: Path
) -> None:
    job = direct_upload(cloud, api, song, "a song+1 é.mp3", {})
    assert job["status"] == "completed"
    assert job["config"]["modelVariant"] == "2stems"
    assert job["results"]["stems"].keys() == {"vocals", "accompaniment"}


def test_a_direct_upload_carries_its_configuration_in_its_metadata(
    cloud: Deployment, api: httpx.Client, song: Path, tmp_path: Path
) -> None:
    config = {"stems": {"vocals": True}, "quality": {"outputFormat": "flac", "sampleRate": 48000}}
    job = direct_upload(cloud, api, song, "configured.mp3", {"stempipe-config": json.dumps(config)})
    assert job["status"] == "completed"
    assert job["results"]["stems"].keys() == {"vocals"}
    assert job["results"]["residualDb"] is None  # of one stem it says nothing
    assert wire.download(job["results"]["stems"]["vocals"], tmp_path).name == "configured - vocals.flac"


def test_one_upload_seen_three_times_is_one_job(
    cloud: Deployment, api: httpx.Client, song: Path, sample_event: Callable[[str], dict[str, Any]]
) -> None:
    name = "seen three times.mp3"
    key = f"inbox/{cloud.user_id()}/{name}"
    event = sample_event("intake-s3")
    event["Records"][0]["s3"]["bucket"]["name"] = cloud.uploads_bucket
    event["Records"][0]["s3"]["object"]["key"] = key.replace(" ", "+")
    intake = cloud.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="IntakeFunction"
    )["StackResourceDetail"]["PhysicalResourceId"]

    def deliver(_: int) -> Any:
        return cloud.client("lambda").invoke(FunctionName=intake, Payload=json.dumps(event))

    cloud.client("s3").upload_file(str(song), cloud.uploads_bucket, key)  # and S3 delivers it too
    with ThreadPoolExecutor(2) as deliveries:
        answers = list(deliveries.map(deliver, range(2)))

    assert all("FunctionError" not in answer for answer in answers)
    [job] = jobs_of(api, name)
    assert list(wire.watch(api, job["id"], seconds=60))[-1]["status"] == "completed"
    assert json.loads(answers[0]["Payload"].read())["jobs"][0]["id"] == job["id"]
    [job] = jobs_of(api, name)
    assert job["attempt"] == 1


def test_another_owners_job_looks_like_none(
    api: httpx.Client, sign_in: Callable[[str], httpx.Client], song: Path
) -> None:
    job_id = wire.create_job(api, song)["job"]["id"]
    stranger = sign_in("stranger@example.com")
    for asked in (job_id, "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        answer = stranger.get(f"/v1/jobs/{asked}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "job_not_found"
    assert stranger.get("/v1/jobs").json() == {"jobs": [], "cursor": None}


def test_stems_are_had_by_their_signed_links_alone(api: httpx.Client, song: Path) -> None:
    link = separated(api, song)[-1]["results"]["stems"]["vocals"]
    unsigned = link.partition("?")[0]
    assert httpx.get(unsigned).status_code == 403
    assert httpx.get(link.replace("vocals.wav", "other.wav", 1)).status_code == 403
    assert httpx.get(link).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no.such.token"}])
def test_without_a_good_token_the_api_is_closed(cloud: Deployment, headers: dict[str, str]) -> None:
    assert httpx.get(f"{cloud.api_url}/v1/jobs", headers=headers).status_code == 401
    assert httpx.get(f"{cloud.api_url}/v1/openapi.json", headers=headers).status_code == 401
    assert httpx.get(f"{cloud.api_url}/v1/health", headers=headers).json() == {"status": "ok"}
