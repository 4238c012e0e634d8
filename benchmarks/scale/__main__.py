"""python -m benchmarks.scale [--seed N] [--real]

How long songs wait, simulated. The last line of output is for machines.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from benchmarks.scale import tables
from benchmarks.scale.real import REAL_LOADS, REAL_WORKERS, compare
from benchmarks.scale.tables import BURSTS, CAPS, FACTORS, KNEE_SECONDS, LOADS
from benchmarks.scale.theory import theory_errors

# What the last line is about, with workers that take twice as long as measured: the wait where five are at
# 80 % of what they can do, and a burst on fifty.
_FACTOR = 2.0
_WAITING, _LOAD = 5, 0.8
_BURST_ON = 50
_THEORY = ((1, 0.5), (2, 0.6), (5, 0.6), (5, 0.8))
_WIDTH = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and print; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed: int = options.seed
    print(f"seed {seed}; seconds; factor: how many times as long as measured a worker takes\n")
    erlang = _theory(seed, options.songs)
    burst1000 = _bursts(seed)
    p95 = _waits(seed)
    _hour(seed)
    _neighbours(seed)
    real = _real(options.seconds) if options.real else None
    said = "none" if real is None else f"{real:.3f}"
    print(
        f"scale: p95_wait_s={p95:.1f} burst1000_s={burst1000:.0f} erlang_error={erlang:.3f} real_error={said}"
    )
    return 0


def _theory(seed: int, songs: int) -> float:
    print("mean wait against queueing theory     Erlang C      M/D/c")
    worst = 0.0
    for servers, utilisation in _THEORY:
        errors = theory_errors(servers, utilisation, songs, seed)
        worst = max(worst, abs(errors.exponential))
        print(
            f"{servers:4} workers at {utilisation:3.0%} {errors.exponential:+25.2%} {errors.constant:+10.2%}"
        )
    print()
    return worst


def _bursts(seed: int) -> float:
    print("a burst of songs, of 100 owners: until all are done (until the first is)")
    print(f"{'MaxConcurrency':>14} {'factor':>6} " + "".join(f"{songs:>18,}" for songs in BURSTS))
    found = 0.0
    for most in CAPS:
        for factor in FACTORS:
            row = [tables.burst(songs, most, factor, seed) for songs in BURSTS]
            print(
                f"{most:14} {factor:6.0f} " + "".join(f"{last:10.0f} ({first:5.1f})" for first, last in row)
            )
            if (most, factor) == (_BURST_ON, _FACTOR):
                found = row[BURSTS.index(1000)][1]
    print()
    return found


def _waits(seed: int) -> float:
    found = 0.0
    print(f"waits at loads; the knee is where 95 of 100 still begin within {KNEE_SECONDS:.0f} s")
    for most in CAPS:
        for factor in FACTORS:
            can = tables.songs_a_minute(most, factor)
            rows = [(load, tables.steady(most, factor, load, seed)) for load in LOADS]
            if (most, factor) == (_WAITING, _FACTOR):
                found = dict(rows)[_LOAD].p95
            well = [load for load, waits in rows if waits.p95 <= KNEE_SECONDS]
            knee = f"{max(well) * can:.0f} songs a minute ({max(well):.0%})" if well else "below all of these"
            print(
                f"MaxConcurrency {most}, factor {factor:.0f}: {can:.0f} songs a minute at most; knee {knee}"
            )
            print("    load     p50     p95     p99")
            for load, waits in rows:
                bar = "#" * round(min(waits.p95, 60) / 60 * _WIDTH)
                print(f"    {load:4.0%} {waits.p50:7.1f} {waits.p95:7.1f} {waits.p99:7.1f}  {bar}")
    print()
    return found


def _hour(seed: int) -> None:
    print(f"{tables.UPLOADS_AN_HOUR:,} uploads in an hour")
    print(f"{'MaxConcurrency':>14} {'factor':>6} {'p50':>8} {'p95':>8} {'p99':>8} {'until all are done':>20}")
    for most in CAPS:
        for factor in FACTORS:
            outcome = tables.uploads_an_hour(most, factor, seed)
            waits = tables.Waits.of(outcome.waits)
            refused = f"  {outcome.refused} refused" if outcome.refused else ""
            print(
                f"{most:14} {factor:6.0f} {waits.p50:8.1f} {waits.p95:8.1f} {waits.p99:8.1f}"
                f" {outcome.seconds:20.0f}{refused}"
            )
    print()


def _neighbours(seed: int) -> None:
    print("nine owners at half of what the workers can do, and one who sends 500 songs: what the nine see")
    columns = "".join(f"{name:>18}" for name in ("wait p50", "wait p95", "done p95"))
    print(f"{'MaxConcurrency':>14} {'factor':>6}{columns} {'the 500 take':>14}")
    for most in CAPS[:3]:
        for factor in FACTORS:
            found = tables.neighbours(most, factor, 0.5, 500, seed)
            pairs = (
                (found.without.p50, found.beside.p50),
                (found.without.p95, found.beside.p95),
                (found.done_without.p95, found.done_beside.p95),
            )
            columns = " ".join(f"{without:8.1f} >{beside:7.1f}" for without, beside in pairs)
            print(f"{most:14} {factor:6.0f} {columns} {found.noisy_seconds:14.0f}")
    print()


def _real(seconds: float) -> float:
    print("the product's own code on a local cloud, with an engine that sleeps")
    print("workers  load  songs      p50, simulated      p95, simulated    error")
    worst = 0.0
    for most in REAL_WORKERS:
        for row in compare(most, REAL_LOADS, seconds):
            worst = max(worst, row.error)
            print(
                f"{most:7} {row.load:5.1f} {row.songs:6} {row.real.p50:8.2f} {row.simulated.p50:8.2f}"
                f"   {row.real.p95:8.2f} {row.simulated.p95:8.2f}   {row.error:8.3f}",
                flush=True,
            )
    print()
    return worst


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description="How long songs wait.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--songs", type=int, default=200_000, help="against theory, twice (%(default)s)")
    parser.add_argument(
        "--real", action="store_true", help="compare with the local cloud, for some 20 minutes"
    )
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="of songs for each such load (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
