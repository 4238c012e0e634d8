"""What `make load` may do, and what it says of workers that grow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.load.__main__ import MOST_MINUTES, MOST_RATE, machine_line, main
from benchmarks.load.alarms import fired
from benchmarks.load.cloud import hold_to_this_machine
from benchmarks.load.outcome import Outcome
from benchmarks.load.processes import processor_ms, workers_memory
from benchmarks.load.soak import growth
from benchmarks.processes import BenchError
from benchmarks.scale.tables import Waits


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rate", str(MOST_RATE + 1)],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--minutes", str(MOST_MINUTES + 1)],
        ["--minutes", "-1"],
        ["--minutes", "inf"],
    ],
)
def test_loads_are_bounded(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "at most" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["https://sqs.us-east-1.amazonaws.com", "wss://abc.execute-api.us-east-1.amazonaws.com/v1"]
)
def test_load_goes_to_this_machine_alone(address: str) -> None:
    hold_to_this_machine("http://127.0.0.1:4566/x", "ws://127.0.0.1:4566/x")
    with pytest.raises(BenchError, match="local cloud alone"):
        hold_to_this_machine("http://127.0.0.1:4566/x", address)


def test_the_last_line_is_for_machines() -> None:
    waits = Waits(0.5, 1.5, 2.5)
    one = Outcome(10.0, 6000, ["a"], ["b", "c"], 1.004, waits, waits, waits, waits, 9.987)
    assert machine_line(one) == "load: jobs=6000 lost=1 doubled=2 attempts=1.00 told_p95_s=1.50 rate=9.99"


def test_growth_is_from_the_first_quarter_to_the_last() -> None:
    assert growth([100.0] * 25 + [500.0] * 50 + [104.0] * 25) == pytest.approx(0.04)
    assert growth([100.0] * 25 + [100.0] * 50 + [106.0] * 25) == pytest.approx(0.06)
    # What is held while songs are worked on counts, not how often there are none.
    assert growth(([100.0] * 5 + [10.0] * 5) * 2 + [100.0] * 20) == pytest.approx(0.0)
    assert growth([0.0] * 8) == 0.0
    assert growth([0.0] * 4 + [1.0] * 4) > 0


def test_the_processes_of_a_cloud_are_known_by_their_temporary_files(tmp_path: Path) -> None:
    worker, function, other = tmp_path / "worker-1", tmp_path / "tmp.x", tmp_path.parent
    told = {"LOCAL_LOG": "/logs/SeparateFunction.log"}
    program = "sum(range(3_000_000)); print(flush=True); input()"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "TMPDIR": str(folder), **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for folder, more in ((worker, told), (function, told), (tmp_path, {}), (other, {}))
    ]
    try:
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        assert set(processor_ms(tmp_path)) == {"workers", "SeparateFunction", "emulator"}
        assert all(taken > 0 for taken in processor_ms(tmp_path).values())
        assert workers_memory(tmp_path) > 5_000_000
        assert workers_memory(tmp_path / "nobody") == 0
    finally:
        for process in processes:
            process.communicate(b"\n")


def test_alarms_go_off_by_what_functions_have_counted(tmp_path: Path) -> None:
    def line(at: float, failed: float) -> str:
        said = {"Namespace": "Stempipe", "Dimensions": [["service"]], "Metrics": [{"Name": "JobsFailed"}]}
        metadata = {"Timestamp": int(1000 * at), "CloudWatchMetrics": [said]}
        return json.dumps({"_aws": metadata, "service": "stempipe", "JobsFailed": [failed] * 5})

    log = tmp_path / "NotifyFunction.log"
    log.write_text("".join(f"{line(at, 0.0)}\n" for at in range(0, 3600, 30)))
    assert fired(tmp_path, 600, 3600) == []
    log.write_text("".join(f"{line(at, float(at > 1800))}\n" for at in range(0, 3600, 30)))
    assert fired(tmp_path, 600, 3600)
