"""The command without a terminal: what it prints, what it leaves, and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.service import Service, on, stem_of
from tests.http import Answer


def test_songs_are_separated_and_a_broken_one_fails_alone(
    configured: Service, song: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken [live].mp3").write_bytes(b"broken")
    command = [sys.executable, "-m", "stempipe_client", "separate", "song.mp3", "broken [live].mp3"]
    done = subprocess.run([*command, "--out", "out"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "done    song.mp3: vocals, accompaniment in out\n" in done.stdout
    assert "failed  broken [live].mp3: corrupt_media: The file is damaged.\n" in done.stdout
    assert "1 of 2 done\n" in done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert (tmp_path / "out/song - vocals.wav").read_bytes() == stem_of("vocals")


def test_json_is_one_object_a_line_on_stdout_and_the_rest_on_stderr(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"broken")
    done = stempipe("separate", "song.mp3", "broken.mp3", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    of_song = [event for event in events if event["song"] == "song.mp3"]
    assert {event["event"] for event in of_song} == {"progress", "done"}
    assert of_song[-1]["files"]["vocals"] == "stems/song - vocals.wav"
    assert of_song[-1]["job"] in configured.jobs
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert failed["error"] == {"code": "corrupt_media", "message": "The file is damaged."}
    assert "1 of 2 done" in done.stderr


def test_every_option_reaches_the_job(configured: Service, stempipe: Run, song: Path) -> None:
    options = "--stems 4 --keep vocals,drums --format flac --bit-depth 24 --sample-rate 48000"
    options += " --bandwidth 16khz --mask-extension zeros"
    assert stempipe("separate", song, *options.split()).exit_code == 0
    (job,) = configured.jobs.values()
    assert job["config"] == {
        "modelVariant": "4stems",
        "stems": {"vocals": True, "drums": True},
        "quality": {"outputFormat": "flac", "bitDepth": 24, "sampleRate": 48000},
        "bandwidth": "16khz",
        "maskExtension": "zeros",
    }


def test_a_song_that_is_done_is_a_new_job_the_next_time(
    configured: Service, stempipe: Run, song: Path
) -> None:
    stempipe("separate", song)
    stempipe("separate", song)
    assert len(configured.jobs) == 2


def test_killed_in_the_middle_it_goes_on_with_the_same_job(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    configured.held = True
    process = subprocess.Popen([sys.executable, "-m", "stempipe_client", "separate", song], cwd=tmp_path)
    deadline = time.monotonic() + 30
    while not configured.count("GET /v1/jobs/job0") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    configured.finish(configured.jobs["job0"])
    assert stempipe("separate", song).exit_code == 0
    assert len(configured.jobs) == 1
    assert configured.count("POST /upload/.*") == 1
    assert (tmp_path / "stems/song - vocals.wav").read_bytes() == stem_of("vocals")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["separate"], 2),
        (["separate", "none.mp3"], 2),
        (["separate", "song.mp3", "--stems", "3"], 2),
        (["jobs"], 0),
        (["cancel", "none"], 1),
        (["local", "song.mp3", "--format", "flac", "--bitrate", "320"], 2),
        (["--version"], 0),
    ],
)
def test_exit_codes(configured: Service, stempipe: Run, song: Path, arguments: list[str], code: int) -> None:
    done = stempipe(*arguments)
    assert done.exit_code == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_that_is_not_taken_is_3(
    configured: Service, stempipe: Run, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMPIPE_TOKEN", "bad")
    done = stempipe("separate", song)
    assert done.exit_code == 3
    assert "stempipe login" in done.stderr


def test_nothing_configured_is_2_and_says_what_to_do(stempipe: Run, song: Path) -> None:
    done = stempipe("separate", song)
    assert done.exit_code == 2
    assert "stempipe config set api-url" in done.stderr


def test_jobs_are_listed_and_watched_and_cancelled(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    stempipe("separate", song)
    heading, line = stempipe("jobs").stdout.splitlines()
    assert heading.split() == ["SONG", "STATUS", "MADE", "JOB"]
    assert re.fullmatch(r"song.mp3  completed  0[12] Jan \d\d:\d\d  job0", line)
    assert json.loads(stempipe("jobs", "--json").stdout)["id"] == "job0"
    assert stempipe("watch", "job0", "--out", "again").exit_code == 0
    assert (tmp_path / "again/song - vocals.wav").read_bytes() == stem_of("vocals")
    configured.jobs["job0"] |= {"status": "queued"}
    assert stempipe("cancel", "job0").stdout == "job0 is cancelled\n"
    assert configured.jobs["job0"]["status"] == "cancelled"


def test_the_quota_is_shown(configured: Service, stempipe: Run) -> None:
    shown = stempipe("quota").stdout.splitlines()
    assert [line.split() for line in shown[:4]] == [
        ["used", "left", "limit"],
        ["open", "jobs", "3", "997", "1,000"],
        ["minutes", "today", "12.5", "9,987.5", "10,000"],
        ["bytes", "kept", "1,234,567", "199,998,765,433", "200,000,000,000"],
    ]
    assert json.loads(stempipe("quota", "--json").stdout)["bytesKept"]["limit"] == 200_000_000_000


def test_over_the_quota_songs_fail_and_the_next_time_they_are_sent(
    configured: Service, stempipe: Run, song: Path
) -> None:
    refusal = json.dumps({"error": {"code": "quota_exceeded", "message": "No more today."}}).encode()
    configured.faults.append(on("POST", "/v1/jobs", Answer(429, refusal)))
    done = stempipe("separate", song)
    assert done.exit_code == 1
    assert "quota_exceeded: No more today." in done.stdout
    assert stempipe("separate", song).exit_code == 0


def test_a_login_serves_the_next_command(service: Service, stempipe: Run) -> None:
    for key, value in (("api-url", service.url), ("login-url", f"{service.url}/"), ("client-id", "c")):
        assert stempipe("config", "set", key, value).exit_code == 0
    assert service.url in stempipe("config").stdout
    wrong = stempipe("login", "--user", "me", "--password-stdin", input="wrong\n")
    assert (wrong.exit_code, "Incorrect" in wrong.stderr) == (3, True)
    assert stempipe("jobs").exit_code == 3
    assert stempipe("login", "--user", "me", "--password-stdin", input="secret\n").exit_code == 0
    assert service.logins[-1]["AuthParameters"] == {"USERNAME": "me", "PASSWORD": "secret"}
    assert stempipe("jobs").exit_code == 0
    stempipe("logout")
    assert stempipe("jobs").exit_code == 3


def test_what_is_no_terminal_gets_jobs_whole(configured: Service, stempipe: Run, tmp_path: Path) -> None:
    name = f"{'a long name ' * 12}.mp3"
    (tmp_path / name).write_bytes(b"sound")
    stempipe("separate", name)
    assert f"{name}  completed" in stempipe("jobs").stdout
