"""The tables of docs/cost.md, and the line for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from benchmarks.cost.configurations import FIRST
from benchmarks.cost.counts import Counted
from benchmarks.cost.model import Bill, Provider, bill
from benchmarks.cost.stack import Line, Stack, less_what_is_free
from stempipe import prices

FACTORS = (1, 2, 4)
PROVIDERS: tuple[Provider, ...] = ("s3", "r2")
_NAMES = {"s3": "S3", "r2": "R2"}


def tables(counted: Counted, stack: Stack, monitored: Stack) -> dict[str, str]:
    """Each table of the page in Markdown, by its name."""
    return {
        "configurations": configurations(counted, stack),
        "parts": parts(counted, stack),
        "counted": calls(counted),
        "idle": idle(stack.idle_month(counted), monitored.idle_month(counted)),
        "prices": price_table(),
    }


def configurations(counted: Counted, stack: Stack) -> str:
    """USD a minute of audio, with one download and without, at each factor."""
    rows = []
    for name, counts in counted.jobs.items():
        for provider in PROVIDERS:
            bills = [
                bill(counts, stack, provider, factor).a_minute(counted.song_seconds) for factor in FACTORS
            ]
            rows.append(
                [
                    name if provider == "s3" else "",
                    _NAMES[provider],
                    *(_usd(one.without_download) for one in bills),
                    *(_usd(one.with_download) for one in bills),
                ]
            )
    head = ["", "in", *(f"at {one}x" for one in FACTORS), *(f"downloaded, {one}x" for one in FACTORS)]
    return _markdown(head, rows, left=2)


def parts(counted: Counted, stack: Stack) -> str:
    """USD of a song, in parts, at the measured time."""
    rows = []
    for name, counts in counted.jobs.items():
        for provider in PROVIDERS:
            one = bill(counts, stack, provider)
            rows.append(
                [
                    name if provider == "s3" else "",
                    _NAMES[provider],
                    *(_usd(getattr(one, field.name)) for field in fields(Bill)),
                    _usd(one.with_download),
                ]
            )
    return _markdown(["USD a song", "in", *(field.name for field in fields(Bill)), "sum"], rows, left=2)


def calls(counted: Counted) -> str:
    """What was counted."""
    rows = [
        [
            name,
            f"{counts.seconds.get('SeparateFunction', 0):.1f}",
            f"{counts.runs.total()}",
            f"{counts.of('dynamodb')}",
            f"{counts.write_units:.0f}",
            f"{counts.read_units:.1f}",
            f"{counts.of('s3')}",
            f"{counts.of('api')} + {counts.of('live')}",
            f"{counts.result_bytes / 1e6:.1f}",
            f"{counts.record_bytes}",
        ]
        for name, counts in counted.jobs.items()
    ]
    head = [
        "",
        "worker, s",
        "runs",
        "calls of tables",
        "write units",
        "read units",
        "calls of storage",
        "API + WebSocket",
        "results, MB",
        "record, bytes",
    ]
    return _markdown(head, rows)


def idle(lines: Sequence[Line], monitored: Sequence[Line]) -> str:
    """A month in which nobody comes, with the template's defaults and with all monitoring."""
    names = list(dict.fromkeys(line.name for line in (*lines, *monitored)))

    def cells(of: Sequence[Line], name: str) -> list[str]:
        found = [line for line in of if line.name == name]
        return [_amount(found[0].amount), f"{found[0].usd:.2f}"] if found else ["", ""]

    rows = [[name, *cells(lines, name), *cells(monitored, name)] for name in names]
    rows.append(["by the list", "", f"{_sum(lines):.2f}", "", f"{_sum(monitored):.2f}"])
    free = [f"{less_what_is_free(list(of)):.2f}" for of in (lines, monitored)]
    rows.append(["less what an account has free", "", free[0], "", free[1]])
    return _markdown(["a month without songs", "defaults", "USD", "with all monitoring", "USD"], rows)


def price_table() -> str:
    """Every price, with its source."""
    rows = [
        [
            f"{price.usd:g} / {price.per:,}" if price.per > 1 else f"{price.usd:g}",
            price.unit,
            f"{price.free:,}" if price.free else "",
            f"[page]({price.page})",
            price.source.read,
            price.source.place,
        ]
        for price in prices.ALL
    ]
    return _markdown(["USD", "for", "free a month", "official page", "read", "on"], rows, left=6)


def machine_line(counted: Counted, stack: Stack, monitored: Stack) -> str:
    """Of the default configuration in S3 at the measured time, and of a month with all monitoring."""
    minute = bill(counted.jobs[FIRST], stack).a_minute(counted.song_seconds)
    return (
        f"cost: usd_per_minute={minute.without_download:.3g} with_download={minute.with_download:.3g} "
        f"idle_month={less_what_is_free(monitored.idle_month(counted)):.2f}"
    )


def _sum(lines: Iterable[Line]) -> float:
    return sum(line.usd for line in lines)


def _usd(value: float) -> str:
    """Three digits, never in powers of ten."""
    if value == 0:
        return "0"
    digits = 2
    while value * 10**digits < 100:
        digits += 1
    return f"{value:.{digits}f}"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2f}"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    rule = ["---" if number < left else "---:" for number in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in (head, rule, *rows))
