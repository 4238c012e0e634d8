"""python -m benchmarks.load [--rate N] [--minutes N] [--soak]

Sends songs at their moments, whether or not those before are done, to a local cloud of its own: real songs,
at 80 % of what two workers can do; and songs for an engine that sleeps, so that the pipeline is what is
loaded. With --soak, real songs alone, for an hour. The last line of output is for machines. The exit status
is 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

from benchmarks import songs
from benchmarks.load.alarms import fired
from benchmarks.load.cloud import Cloud, Send, cloud_of, into_the_inbox, through_the_api
from benchmarks.load.outcome import Outcome, schedule
from benchmarks.load.processes import processor_ms
from benchmarks.load.soak import MOST_GROWTH, Footprints, growth
from benchmarks.pipeline import python_by
from benchmarks.processes import ROOT, BenchError
from local.demo import example_song
from local.server import LocalError

INTERRUPTED = 130
# No more than this is asked of a machine.
MOST_RATE, MOST_MINUTES = 20.0, 60.0
USERS = 20
# Of what the workers can do.
LOAD = 0.8
WORKERS = 2
SONG_SECONDS = 60.0
# A worker sleeps for so long, and the pipeline's own part comes on top: so many workers for each job a
# second.
SLEEP_SECONDS = 0.2
WORKERS_A_SECOND = 2.0
REAL_MINUTES = 3.0
_MINUTES = 10.0
# Between the first songs, for which processes start.
_WARM_SECONDS = 0.5
_WARM_TIMES = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Send songs and print what became of them; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        minutes = options.minutes or (MOST_MINUTES if options.soak else _MINUTES)
        with tempfile.TemporaryDirectory(prefix="stempipe-load-") as temporary:
            folder = Path(temporary)
            if options.soak:
                found, broken = real(folder / "soak", 60 * minutes, options.seed, is_soak=True)
            else:
                _, broken = real(folder / "real", 60 * min(minutes, REAL_MINUTES), options.seed)
                found, more = pipeline(folder / "pipeline", options.rate, 60 * minutes, options.seed)
                broken += more
    except (BenchError, LocalError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    for said in broken:
        print(f"BROKEN: {said}")
    print(machine_line(found))
    return 1 if broken else 0


def machine_line(found: Outcome) -> str:
    """What a run came to, for machines."""
    return (
        f"load: jobs={found.jobs} lost={len(found.lost)} doubled={len(found.doubled)}"
        f" attempts={found.attempts:.2f} told_p95_s={found.told.p95:.2f} rate={found.rate:.2f}"
    )


def pipeline(folder: Path, rate: float, seconds: float, seed: int) -> tuple[Outcome, list[str]]:
    """Load the pipeline itself; returns what became of the songs, and the promises that were broken."""
    folder.mkdir()
    python = python_by("benchmarks.scale.sleeping_worker", folder, SLEEP_SECONDS=str(SLEEP_SECONDS))
    poll = ceil(WORKERS_A_SECOND * rate)
    with cloud_of(folder, USERS, poll, python=python) as cloud:
        print(
            f"An engine that sleeps: {rate:g} songs a second for {seconds:.0f} s, {poll} workers", flush=True
        )
        send = into_the_inbox(cloud)
        _warm(cloud, send, 2 * poll)
        before = processor_ms(cloud.temporary)
        found = cloud.run("load", schedule(rate, seconds, seed), seconds, send)
        _print(found)
        for part, used in (processor_ms(cloud.temporary) - before).most_common():
            print(f"    {part:20} {used / found.jobs:7.1f} ms of a processor a job")
    return found, found.broken + found.piles_up


def real(folder: Path, seconds: float, seed: int, is_soak: bool = False) -> tuple[Outcome, list[str]]:
    """Send real songs, at 80 % of what two workers were found to do; returns as `pipeline` does.

    In a soak the workers must not grow, and no alarm may go off.
    """
    folder.mkdir()
    song = songs.tile(example_song(ROOT / ".local"), folder / "song.wav", SONG_SECONDS)
    with cloud_of(folder, USERS, WORKERS) as cloud:
        send = through_the_api(cloud, song)
        _warm(cloud, send, 2 * WORKERS)
        many = 6 * WORKERS
        moments = [_WARM_SECONDS * number for number in range(many)]  # sooner than they can be done
        found = cloud.run("most", moments, many * _WARM_SECONDS, send)
        if found.lost:
            raise BenchError(f"Of {many} songs that come at once, {len(found.lost)} are lost")
        most = found.rate
        rate = min(LOAD * most, MOST_RATE)
        print(f"Songs of {SONG_SECONDS:.0f} s: {WORKERS} workers do {60 * most:.1f} a minute", flush=True)
        print(f"{60 * rate:.1f} songs a minute for {seconds:.0f} s", flush=True)
        footprints = Footprints(cloud.temporary)
        began = time.time()
        with footprints.watched():
            found = cloud.run("load", schedule(rate, seconds, seed), seconds, send)
        _print(found)
        return found, found.broken + (_grown(footprints, cloud, began) if is_soak else [])


def _grown(footprints: Footprints, cloud: Cloud, began: float) -> list[str]:
    broken = []
    for what in ("memory", "disk"):
        values = [getattr(sample, what) for sample in footprints.samples]
        more = growth(values)
        print(f"    {what}: {max(values) / 2**20:.1f} MB at most; last quarter against first {more:+.1%}")
        if more > MOST_GROWTH:
            broken.append(f"the workers' {what} grew by {more:.1%}")
    alarms = fired(cloud.state / "logs", began, time.time())
    print(f"    alarms: {', '.join(alarms) or 'none'}")
    return broken + [f"{alarm} went off" for alarm in alarms]


def _warm(cloud: Cloud, send: Send, many: int) -> None:
    """Have every function's processes started: by one song, and by many, until none of them is lost.

    Raises
    ------
    BenchError
        One was each time.
    """
    for songs_ in (1, many):
        moments = [_WARM_SECONDS * number for number in range(songs_)]
        for times in range(_WARM_TIMES):
            if not cloud.run(f"warm{songs_}-{times}", moments, songs_ * _WARM_SECONDS, send).lost:
                break
        else:
            raise BenchError("This machine cannot do even a few songs. Try again when it has less to do")


def _print(found: Outcome) -> None:
    print("    seconds from the intended start          p50     p95     p99")
    for name, waits in (
        ("until the service has the song", found.accepted),
        ("until a worker begins", found.begun),
        ("until its end is told", found.done),
    ):
        print(f"    {name:34} {waits.p50:9.2f} {waits.p95:7.2f} {waits.p99:7.2f}")
    told = found.told
    print(f"    {'from a change until it is told':34} {told.p50:9.2f} {told.p95:7.2f} {told.p99:7.2f}")
    print(f"    {found.rate:.2f} songs a second are done, of {found.asked:.2f}", flush=True)


def _parser() -> argparse.ArgumentParser:
    def most(limit: float) -> Callable[[str], float]:
        def number(text: str) -> float:
            value = float(text)
            if not 0 < value <= limit:
                raise argparse.ArgumentTypeError(f"more than 0 and {limit:g} at most, not {text}")
            return value

        return number

    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description="Load a local cloud.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=most(MOST_RATE), default=10.0, help="songs a second (%(default)s)")
    parser.add_argument(
        "--minutes", type=most(MOST_MINUTES), help=f"of them ({_MINUTES:g}; {MOST_MINUTES:g} of a soak)"
    )
    parser.add_argument("--soak", action="store_true", help="real songs alone, and for longer")
    return parser


if __name__ == "__main__":
    sys.exit(main())
