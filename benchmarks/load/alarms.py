"""Which alarms would have gone off, had CloudWatch seen what the functions counted."""

from __future__ import annotations

from pathlib import Path

from benchmarks.processes import ROOT
from local.template import load
from tests.alarms import Points, Watch, lines_of


def fired(logs: Path, begin: float, end: float) -> list[str]:
    """The alarms that go off between two moments, by the lines in the functions' logs.

    Only those that look at nothing but the functions' own metrics: what AWS counts, nobody counts here.
    """
    watch, points = Watch(load(ROOT / "template.yaml"), {"Monitoring": "full"}), Points()
    for log in logs.glob("*.log"):
        for line in lines_of(log.read_text(errors="replace")):
            points.put_line(line, line["_aws"]["Timestamp"] / 1000)
    gone_off = watch.fired(points, begin, end)
    return sorted(
        name
        for name, alarm in watch.alarms.items()
        if name in gone_off and not any(metric.key[0].startswith("AWS/") for metric in alarm.metrics.values())
    )
