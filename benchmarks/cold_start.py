"""How long a worker's image takes from nothing to the first segment of its first song.

python -m benchmarks.cold_start IMAGE [--repeats 5]

Needs Docker, and AWS's runtime interface emulator, which SAM's package carries (`make sam-cli`). A container
has the memory and the processors of the template's default.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.processes import ROOT, BenchError, run
from local import demo

_PROBE = Path(__file__).with_name("cold_start_probe.py")
_MEMORY_MB = 3008
_PROCESSORS = _MEMORY_MB / 1769
_PATIENCE = 120.0  # seconds
_VARIABLES = ("JOBS_TABLE", "USAGE_TABLE", "JOBS_QUEUE_URL", "UPLOADS_BUCKET", "STEMS_BUCKET")


def measure(image: str, song: Path) -> tuple[float, float]:
    """Start a container and have it separate a song.

    Returns
    -------
    tuple of float
        Seconds from `docker run` until the handler is called, and until the first segment is separated.
    """
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    (emulator,) = ROOT.glob(
        f".venv/sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"
    )
    files = {emulator: "/rie", _PROBE: "/probe/probe.py", song: "/song"}
    options = [f"--volume={path.resolve()}:{place}:ro" for path, place in files.items()]
    options += [f"--env={name}=none" for name in _VARIABLES]
    options += ["--env=PYTHONPATH=/probe", "--env=POWERTOOLS_TRACE_DISABLED=true"]
    options += [f"--memory={_MEMORY_MB}m", f"--cpus={_PROCESSORS:.2f}", "--publish=127.0.0.1::8080"]
    entry = ["--entrypoint=/rie", image, "/opt/venv/bin/python", "-m", "awslambdaric", "probe.handler"]

    began = time.time()
    container = run(["docker", "run", "--detach", "--rm", *options, *entry]).output.strip()
    try:
        address = run(["docker", "port", container, "8080"]).output.strip()
        answer = _invoke(f"http://{address}/2015-03-31/functions/function/invocations")
    finally:
        run(["docker", "kill", container])
    return answer["called"] - began, answer["separated"] - began


def _invoke(url: str) -> dict[str, float]:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, b"{}", timeout=_PATIENCE) as response:  # noqa: S310 - of this machine
                answer: dict[str, float] = json.load(response)
            break
        except (urllib.error.URLError, ConnectionError) as error:
            if time.monotonic() > deadline:
                raise BenchError(f"The container does not answer: {error}") from error
            time.sleep(0.02)
    if "separated" not in answer:
        raise BenchError(f"The container failed: {answer}")
    return answer


def main() -> None:
    """Print the median of some cold starts, and the lowest and the highest."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start")
    parser.add_argument("image")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    song = demo.example_song(ROOT / ".local")
    runs = [measure(options.image, song) for _ in range(options.repeats)]
    for name, seconds in zip(("handler called", "first segment"), zip(*runs, strict=True), strict=True):
        print(f"{name}: {statistics.median(seconds):.2f} s ({min(seconds):.2f} - {max(seconds):.2f})")


if __name__ == "__main__":
    main()
