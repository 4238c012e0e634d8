"""A job's calls, on the wire, are those that docs/cost.md was made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.cost.cloud import counted_cloud
from benchmarks.cost.configurations import FIRST, SONGS
from benchmarks.cost.counts import Counted, Counts
from local import demo

# How its owner hears of it depends on how soon the WebSocket answers.
_WATCHING = ("StatusFunction ", "ConnectFunction ", "AuthorizeFunction ", "NotifyFunction ", " api GET")


@pytest.mark.slow
def test_a_job_makes_the_calls_that_were_counted(root: Path, tmp_path: Path) -> None:
    """And writes as many units, but for reports of its progress, of which a slow machine has more."""
    recorded = Counted.read().first
    with counted_cloud(tmp_path) as cloud:
        counts = cloud.count(demo.example_song(root / ".local"), SONGS[FIRST])
        metrics = cloud.metrics()
    assert _lasting(counts) == _lasting(recorded)
    units = [one.write_units - one.report_units for one in (counts, recorded)]
    assert abs(units[0] - units[1]) <= 4  # a connection and its subscription, which may come too late
    assert counts.reports > 0
    assert counts.runs["NotifyFunction"] > 0
    assert counts.runs["SeparateFunction"] == counts.runs["IntakeFunction"] == 1
    kept = (counts.files, counts.upload_bytes, counts.result_bytes, counts.download_bytes)
    assert kept == (recorded.files, recorded.upload_bytes, recorded.result_bytes, recorded.download_bytes)
    assert counts.record_bytes == pytest.approx(recorded.record_bytes, abs=50)
    assert {metric.split()[1] for metric in metrics} >= {"SongSeconds", "PeakMemoryMegabytes"}


def _lasting(counts: Counts) -> Mapping[str, int]:
    """Calls that do not depend on how long the work takes."""
    calls = Counter(counts.calls)
    calls["SeparateFunction dynamodb UpdateItem"] -= counts.reports
    # In which parts of the lines somebody is looked for is drawn anew each time.
    del calls["SeparateFunction dynamodb Scan"]
    return {name: number for name, number in calls.items() if not name.startswith(_WATCHING)}
