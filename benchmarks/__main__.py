"""python -m benchmarks [--song PATH] [--repeats N]

One run. Its last line of output is for machines.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks import report, songs
from benchmarks.measure import Bench
from benchmarks.processes import ROOT, BenchError
from local.demo import example_song
from local.server import LocalError
from media import MediaError
from separation import ModelError

INTERRUPTED = 130
_SECONDS = 180.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    # A stopped run stops what it has started, as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    machine = report.machine()
    try:
        with tempfile.TemporaryDirectory(prefix="stempipe-bench-") as temporary, _progress() as say:
            folder = Path(temporary)
            song = options.song or songs.tile(example_song(ROOT / ".local"), folder / "song.wav", _SECONDS)
            seconds = songs.duration(song)
            measured = Bench(song.resolve(), folder, options.repeats, say).run()
    except (BenchError, LocalError, MediaError, ModelError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    console = report.console()
    console.print(machine, soft_wrap=True)
    console.print(report.tables(measured, seconds, options.repeats))
    console.print(report.machine_line(measured), soft_wrap=True)
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """One line that changes on a terminal, else a line for each step; never in the output."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield console.print
        return
    with console.status("") as status:
        yield status.update


def _repeats(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError("1 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--song", type=Path, metavar="PATH", help="at most 600 s; without it, one is made")
    parser.add_argument("--repeats", type=_repeats, default=3, metavar="N", help="(%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
