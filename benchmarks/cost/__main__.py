"""python -m benchmarks.cost [--seconds N] [--again]

Has a job of each configuration done on a local cloud, counts it on the wire, and prints what it costs. The
tables are those of docs/cost.md, and go there unless the songs are of another length. The last line of output
is for machines.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import report as bench
from benchmarks import songs
from benchmarks.cost import configurations, report
from benchmarks.cost.cloud import counted_cloud
from benchmarks.cost.counts import Counted
from benchmarks.cost.stack import MONITORED, Stack
from benchmarks.processes import ROOT, BenchError
from local.demo import example_song
from local.server import LocalError

PAGE = ROOT / "docs/cost.md"
INTERRUPTED = 130
_SECONDS = 180.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Count and print; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of the songs (%(default)s)")
    parser.add_argument(
        "--again", action="store_true", help="count nothing: what was counted, at today's prices"
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        counted = Counted.read() if options.again else count(options.seconds)
    except (BenchError, LocalError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    stack, monitored = Stack.read(), Stack.read(**MONITORED)
    tables = report.tables(counted, stack, monitored)
    if options.seconds == _SECONDS:
        counted.write()
        _write({**tables, "machine": report.machine(counted)})
    print(counted.machine)
    for table in tables.values():
        print(f"\n{table}")
    print(f"\n{report.machine_line(counted, stack, monitored)}")
    return 0


def count(seconds: float) -> Counted:
    """Have all jobs done, each of them in processes that have done one like it before."""
    machine = bench.machine()
    with tempfile.TemporaryDirectory(prefix="stempipe-cost-") as temporary:
        folder = Path(temporary)
        example = example_song(ROOT / ".local")
        song = songs.tile(example, folder / "song.wav", seconds)
        midi = configurations.compose(folder / "song.mid", seconds)
        short = configurations.sources(example, configurations.compose(folder / "short.mid", 4))
        with counted_cloud(folder) as cloud:
            first, jobs = cloud.count(*short[configurations.FIRST]), {}
            for name, (source, config) in configurations.sources(song, midi).items():
                print(name, file=sys.stderr, flush=True)
                cloud.count(*short[name])
                jobs[name] = cloud.count(source, config)
            sweep = cloud.sweep()
            idle = cloud.metrics("SweepFunction")
            busy = [metric for metric in cloud.metrics() if metric not in idle]
    day = datetime.now(UTC).date().isoformat()
    return Counted(machine, day, seconds, jobs, first, sweep, idle, busy)


def _write(tables: Mapping[str, str]) -> None:
    """Put the tables where the page has their like."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = report.replace(text, name, table)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
