"""``python -m local``: exit codes, what is printed, and that nothing is left running."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer

import httpx
import pytest

from local.cloud import Deployment, running
from local.server import LocalError, free_port
from tests import wire
from tests.signals import heed_ctrl_c

Run = Callable[..., "subprocess.Popen[str]"]


def processes_of(state: Path) -> list[int]:
    """Processes that a cloud with this state folder started; the folder is in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(state).encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def wait_until_gone(state: Path, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while processes_of(state) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not processes_of(state)


@pytest.fixture
def local(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Starts ``python -m local`` with arguments; the developer's own ``stempipe`` hears nothing of it."""
    started = []
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("home"))}

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "local", *map(str, arguments)]
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed_ctrl_c,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def welcome(process: subprocess.Popen[str], seconds: float = 30) -> str:
    """What ``up`` prints once it is up."""
    assert process.stdout
    timer = Timer(seconds, process.kill)  # which ends the output
    timer.start()
    printed = ""
    for line in process.stdout:
        printed += line
        if line == '  curl "$API/v1/jobs" -H "Authorization: Bearer $TOKEN"\n':
            timer.cancel()
            return printed
    raise AssertionError(f"It did not come up:\n{printed}\n{process.communicate()[1]}")


def shown(name: str, printed: str) -> str:
    """The value that is given to a shell variable in the welcome."""
    found = re.search(rf"{name}='?([^' \n]+)", printed)
    assert found
    return found.group(1)


def test_demo_separates_a_song_and_leaves_nothing_running(local: Run, song: Path, tmp_path: Path) -> None:
    process = local("demo", "--song", song, "--out", tmp_path / "out", "--state", tmp_path / "state")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    for stem in ("vocals", "accompaniment"):
        path = tmp_path / "out" / f"audio_example - {stem}.wav"
        assert path.stat().st_size > 1_000_000
        assert str(path) in output
    assert "100 %" in output
    assert "s from song to stems" in output
    document = json.loads((tmp_path / "out/audio_example - analysis.json").read_text())
    found = re.search(r"^found +([\d.]+) beats a minute, (\S+) (major|minor), (\d+) notes, ", output, re.M)
    assert found
    assert float(found[1]) == pytest.approx(document["tempo"]["bpm"], abs=0.05)
    assert (found[2], found[3]) == (document["key"]["tonic"], document["key"]["mode"])
    assert int(found[4]) == sum(len(stem["notes"] or ()) for stem in document["stems"].values()) > 0
    assert not processes_of(tmp_path / "state")
    # There it is from then on, and a page can play it.
    again = welcome(local("up", "--port", str(free_port()), "--state", tmp_path / "state"))
    headers = {"Authorization": f"Bearer {shown('TOKEN', again)}"}
    with httpx.Client(base_url=shown("API", again), headers=headers, timeout=60) as api:
        (job,) = api.get("/v1/jobs").json()["jobs"]
        files = api.get(f"/v1/jobs/{job['id']}/files").json()["files"]
        assert {file["kind"] for file in files} == {"stem", "player", "analysis"}
        assert all(httpx.get(file["url"]).is_success for file in files)


@pytest.mark.parametrize(
    ("content", "code"), [(b"no sounds\n" * 100, "unsupported_media"), (b"", "empty_file")]
)
def test_demo_says_why_a_song_failed(local: Run, tmp_path: Path, content: bytes, code: str) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes(content)
    process = local("demo", "--song", song, "--out", tmp_path / "out", "--state", tmp_path / "state")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"failed  song.mp3: {code}: " in output
    assert errors == ""
    assert not processes_of(tmp_path / "state")


def test_demo_names_a_file_that_is_missing(local: Run, tmp_path: Path) -> None:
    process = local("demo", "--song", tmp_path / "none.mp3")
    assert process.communicate(timeout=30)[1].strip().endswith("none.mp3")
    assert process.returncode == 1


def test_up_says_how_to_use_it_and_ends_with_ctrl_c(local: Run, tmp_path: Path) -> None:
    port = free_port()
    process = local("up", "--port", str(port), "--state", tmp_path)
    printed = welcome(process)
    assert shown("AWS_ENDPOINT_URL", printed) == f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {shown('TOKEN', printed)}"}
    assert httpx.get(f"{shown('API', printed)}/v1/jobs", headers=headers, timeout=60).is_success
    # A folder of its own has a password of its own.
    keys = json.loads((tmp_path / "keys.json").read_text())
    assert f"password {keys['password']}\n" in printed
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert not processes_of(tmp_path)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_commands_that_up_prints_work_as_they_stand(local: Run, song: Path, tmp_path: Path) -> None:
    printed = welcome(local("up", "--port", str(free_port()), "--state", tmp_path / "state"))
    shutil.copy(song, tmp_path / "song.mp3")
    commands = re.findall(r"^  ((?:export |API=|TOKEN=|curl ).*\n(?:    .*\n)*)", printed, re.M)
    assert len(commands) == 7
    boto3 = "import boto3, json; print(json.dumps(boto3.client('sqs').list_queues()['QueueUrls'][0]))"
    script = "\n".join(
        [
            "set -euo pipefail",
            'curl() { command curl --fail-with-body -sS "$@"; echo; }',
            *commands[:2],
            shlex.join([sys.executable, "-c", boto3]),
            *commands[2:],
        ]
    )
    # Nothing but what is printed says where AWS is.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment | {"AWS_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert [job["source"]["filename"] for job in answers[-1]["jobs"]] in (["song.mp3"] * 2, ["song.mp3"])


@pytest.mark.parametrize("death", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_up_ends_in_the_middle_of_a_job(
    local: Run, tmp_path: Path, long_song: Path, death: signal.Signals
) -> None:
    process = local("up", "--port", str(free_port()), "--state", tmp_path)
    printed = welcome(process)
    headers = {"Authorization": f"Bearer {shown('TOKEN', printed)}"}
    with httpx.Client(base_url=shown("API", printed), headers=headers, timeout=60) as api:
        job_id = send(api, long_song)
        while wire.get_job(api, job_id)["status"] != "processing":
            time.sleep(0.1)
    assert len(processes_of(tmp_path)) > 4  # the keeper, MiniStack and the functions
    process.send_signal(death)
    process.send_signal(death)
    process.wait(30)
    assert wait_until_gone(tmp_path)


def test_a_port_in_use_is_named_with_the_way_out(local: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = local("up", "--port", str(port), "--state", tmp_path)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert str(port) in errors
    assert "PORT=" in errors
    assert "Traceback" not in errors


def test_starting_again_keeps_jobs_stems_and_the_user_and_goes_on_with_a_job_that_was_interrupted(
    song: Path, long_song: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with running(port=free_port(), state=state) as cloud, as_producer(cloud) as api:
        user = cloud.user_id()
        done, interrupted = send(api, song), send(api, long_song)
        *_, job = wire.watch(api, done, seconds=60)
        assert job["status"] == "completed"
        while wire.get_job(api, interrupted)["status"] != "processing":
            time.sleep(0.1)

    with running(port=free_port(), state=state) as cloud, as_producer(cloud) as api:  # on another port even
        assert cloud.user_id() == user
        job = wire.get_job(api, done)
        assert job["status"] == "completed"
        assert wire.download(job["results"]["stems"]["vocals"], tmp_path).stat().st_size > 1_000_000
        no_song = tmp_path / "no song.wav"
        no_song.write_bytes(b"no song")
        hears_of_the_end(state, send(api, no_song))
        *_, job = wire.watch(api, interrupted, seconds=90)  # the first worker's lease must lapse
        assert (job["status"], job["attempt"]) == ("completed", 2)


def hears_of_the_end(state: Path, job_id: str, seconds: float = 60) -> None:
    """Wait until notify has: it tells WebSockets and webhooks in the same moment."""
    deadline = time.monotonic() + seconds
    while not any(
        job_id in line and '"Ended"' in line
        for line in (state / "logs/NotifyFunction.log").read_text().splitlines()
    ):
        assert time.monotonic() < deadline, "notify heard nothing"
        time.sleep(0.2)


def as_producer(cloud: Deployment) -> httpx.Client:
    headers = {"Authorization": f"Bearer {cloud.token()}"}
    return httpx.Client(base_url=cloud.api_url, headers=headers, timeout=60)


def send(api: httpx.Client, song: Path) -> str:
    created = wire.create_job(api, song)
    wire.upload(created["upload"], song)
    return str(created["job"]["id"])


def test_one_state_folder_serves_one_cloud(tmp_path: Path) -> None:
    with (
        running(port=free_port(), state=tmp_path),
        pytest.raises(LocalError, match="running already"),
        running(port=free_port(), state=tmp_path),
    ):
        pass
    assert not processes_of(tmp_path)
