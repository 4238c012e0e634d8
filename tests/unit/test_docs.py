"""Examples of the documentation, where AWS does what no local cloud does."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread

import av
import numpy as np
import pytest
from websockets.sync.server import ServerConnection, serve

from media.player import PlayerFiles, PlayerWriter
from tests.http import Answer, Request, serving
from tests.smoke.checks import CHECKS, LIVE_CHECKS
from tests.unit.media.songs import noise


def test_the_python_example_for_websockets_bears_api_gateways_own_messages(root: Path) -> None:
    # Where a route's function fails or is throttled, API Gateway writes to the client by itself.
    own = {
        "message": "Internal server error",
        "connectionId": "Fjq0rfXNIAMCFtA=",
        "requestId": "Fjq0sEjsoAMFb0A=",
    }
    job = {"status": "completed", "progress": 100, "version": 2, "estimatedTimeRemaining": None}

    def answer(socket: ServerConnection) -> None:
        socket.recv()
        for message in (own, {"type": "job", "job": job}):
            socket.send(json.dumps(message))
        for _ in socket:
            pass

    (example,) = re.findall(r"^```python\n(.*?)^```", (root / "docs/websocket.md").read_text(), re.M | re.S)
    with serve(answer, "127.0.0.1", 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        values = f"LIVE_URL, TOKEN, job_id = {url!r}, 'token', '01K'\n"
        done = subprocess.run(
            [sys.executable, "-c", values + example], capture_output=True, text=True, timeout=60
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "completed 100 None\n"


def test_the_checklist_says_what_smoke_prints(root: Path) -> None:
    said = re.findall(r"^    ok        (.*?) \(", (root / "docs/deploy-checklist.md").read_text(), re.M)
    assert said == [check.__name__.replace("_", " ") for check in (*CHECKS, *LIVE_CHECKS)]


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
@pytest.mark.parametrize(("first", "end"), [(3, 9), (20, 24)])
def test_the_players_example_fetches_a_piece(root: Path, tmp_path: Path, first: int, end: int) -> None:
    song = noise(2.345)
    files = PlayerFiles.of_stem(tmp_path, "vocals")
    with PlayerWriter(files, 44_100) as writer:
        writer.write(song.T)
        writer.finish()
    example = re.findall(r"^```js\n(.*?)^```", (root / "docs/player.md").read_text(), re.M | re.S)[0]

    def answer(request: Request) -> Answer:
        content = (tmp_path / request.target[1:]).read_bytes()
        if "range" not in request.headers:
            return Answer(200, content)
        start, last = map(int, re.findall(r"\d+", request.headers["range"]))
        return Answer(206, content[start : last + 1])

    with serving(answer) as url:
        use = f"""
            const stem = await openStem("{url}/{files.audio.name}", "{url}/{files.byte_index.name}");
            process.stdout.write(Buffer.from(await fetchPiece(stem, {first}, {end})));
        """
        done = subprocess.run(
            ["node", "--input-type=module"], input=(example + use).encode(), capture_output=True, timeout=60
        )
    assert done.returncode == 0, done.stderr.decode()
    expected = song.T[first * 4_410 : end * 4_410]
    with av.open(io.BytesIO(done.stdout), "r") as container:
        assert container.streams.audio[0].duration == len(expected)
        found = np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)])
    assert np.array_equal(found >> 16, np.rint(expected * 32_768))
    assert done.stdout[26:42] == bytes(16)
