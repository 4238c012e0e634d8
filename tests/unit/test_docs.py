"""Examples of the documentation, where AWS does what no local cloud does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

from websockets.sync.server import ServerConnection, serve

from tests.smoke.checks import CHECKS, LIVE_CHECKS


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
