"""The tables of docs/cost.md, and the line for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from benchmarks.cost import memory
from benchmarks.cost.configurations import FIRST, NAMED
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
        "goals": goals(counted, stack, monitored),
        "configurations": configurations(counted, stack),
        "parts": parts(counted, stack),
        "counted": calls(counted),
        "idle": idle(stack.idle_month(counted), monitored.idle_month(counted)),
        "memory": memory_sizes(),
        "prices": price_table(),
    }


def machine(counted: Counted) -> str:
    """When and where it was counted."""
    return f"Counted on {counted.date} with songs of {counted.song_seconds:.0f} s. {counted.machine}."


def goals(counted: Counted, stack: Stack, monitored: Stack) -> str:
    """What was aimed at, and what is reached."""

    def minutes(name: str, provider: Provider = "s3") -> list[Bill]:
        counts = counted.jobs[name]
        return [bill(counts, stack, provider, factor).a_minute(counted.song_seconds) for factor in FACTORS]

    first = minutes(FIRST)
    others = [minutes(name) for name in counted.jobs if name != NAMED]
    rows = [
        [f"{FIRST} in S3, no download", "0.0005", *(_usd(one.without_download) for one in first)],
        [f"{FIRST} in S3, one download", "0.0025", *(_usd(one.with_download) for one in first)],
        [f"{FIRST} in R2", "0.0005", *(_usd(one.with_download) for one in minutes(FIRST, "r2"))],
        [
            "the dearest other in the table below, S3, one download",
            "0.01",
            *(_usd(max(one.with_download for one in each)) for each in zip(*others, strict=True)),
        ],
        [f"{NAMED}, S3, one download", "none", *(_usd(one.with_download) for one in minutes(NAMED))],
        ["a month without songs", "5", f"{less_what_is_free(monitored.idle_month(counted)):.2f}", "", ""],
    ]
    return _markdown(["USD a minute of audio", "goal, at most", *(f"at {one}x" for one in FACTORS)], rows)


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


def memory_sizes() -> str:
    """Seconds and USD of a song by the worker's memory, while the cores' other threads are idle, and busy."""
    rows = []
    for megabytes in memory.SIZES:
        processors = megabytes / memory.MB_A_PROCESSOR
        halves, wholes = processors / 2, processors
        stems = [memory.STEMS.on(cores) for cores in (wholes, halves)]
        rows.append(
            [
                f"{megabytes:,}",
                f"{processors:.2f}",
                *(f"{seconds:.1f}" for seconds in stems),
                *(_usd(memory.usd(megabytes, seconds)) for seconds in stems),
                *(
                    f"{job.on(cores):.0f}"
                    for job in (memory.EVERYTHING, memory.MOST)
                    for cores in (wholes, halves)
                ),
            ]
        )
    head = ["MB", "processors", "2stems, s", "shared", "USD a song", "shared"]
    return _markdown([*head, "2stems with all, s", "shared", "4stems with all, s", "shared"], rows)


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
    return "\n".join(
        f"| {' | '.join(row)} |".replace("|  |", "| |").replace("|  |", "| |") for row in (head, rule, *rows)
    )


def find(page: str, name: str) -> str:
    """The table of that name on the page."""
    return page.partition(f"<!-- {name} -->\n")[2].partition(f"\n<!-- /{name} -->")[0]


def replace(page: str, name: str, table: str) -> str:
    """The page with another table of that name.

    Raises
    ------
    ValueError
        It has none.
    """
    before, begin, rest = page.partition(f"<!-- {name} -->")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    if not end:
        raise ValueError(f"the page has no place for {name}")
    return f"{before}{begin}\n{table}\n{end}{after}"
