"""docs/cost.md against what was counted, the prices and the template; and the model that makes it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cost import memory, report
from benchmarks.cost.configurations import NAMED, SONGS
from benchmarks.cost.counts import Counted, Counts
from benchmarks.cost.model import bill
from benchmarks.cost.stack import MONITORED, Stack, less_what_is_free
from stempipe import prices
from stempipe.jobs.cost import cost_of
from stempipe.jobs.record import Job

COUNTED = Counted.read()
STACK = Stack.read()
WATCHED = Stack.read(**MONITORED)
TABLES = report.tables(COUNTED, STACK, WATCHED)
PAGE = (Path(__file__).parents[3] / "docs/cost.md").read_text(encoding="utf-8")
EVERYTHING = ", player and analysis"
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")


@pytest.mark.parametrize("name", TABLES)
def test_the_page_says_what_the_model_says(name: str) -> None:
    """To 1 %; if not, `make cost AGAIN=1` writes it anew."""
    said, meant = report.find(PAGE, name), TABLES[name]
    assert NUMBER.sub("", said) == NUMBER.sub("", meant)
    numbers = [[float(one.replace(",", "")) for one in NUMBER.findall(text)] for text in (said, meant)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.01, abs=0)


def test_the_page_says_where_it_was_counted() -> None:
    assert report.find(PAGE, "machine") == report.machine(COUNTED)


def test_every_price_has_an_official_page_and_a_date() -> None:
    for price in prices.ALL:
        assert price.page.startswith(("https://aws.amazon.com/", "https://developers.cloudflare.com/"))
        assert datetime.strptime(price.source.read[:7], "%Y-%m").year >= 2026
        assert price.usd >= 0 < price.per


def test_a_bill_by_hand() -> None:
    counts = Counts(
        calls=Counter(
            {" api POST": 2, " s3 POST": 1, "SeparateFunction s3 GET": 1, "IntakeFunction sqs SendMessage": 1}
        ),
        write_units=40,
        read_units=10,
        groups=1,
        runs=Counter({"SeparateFunction": 1, "IntakeFunction": 1}),
        seconds={"SeparateFunction": 10.0, "IntakeFunction": 1.0},
        log_bytes=2000,
        upload_bytes=10**9,
        result_bytes=2 * 10**9,
        download_bytes=10**9,
        watched_seconds=30,
    )
    found = bill(counts, STACK)
    assert found.compute == pytest.approx((10 * 3008 / 1024 + 0.5) * 0.0000166667 + 10 * 4.5 * 0.0000000309)
    # Runs, traces, logs, API, half a minute of a connection, queue with its group, storage.
    assert found.requests == pytest.approx(
        2 * 0.2e-6 + 2 * 5e-6 + 1e-6 + 2e-6 + 0.125e-6 + 3 * 0.5e-6 + 5e-6 + 0.4e-6
    )
    assert found.table == pytest.approx(40 * 0.625e-6 + 10 * 0.125e-6)
    assert found.storage == pytest.approx(3 * 0.023 * 7 / (730 / 24), rel=1e-5)
    assert [found.outbound, found.download] == pytest.approx([0, 0.09])
    assert found.with_download == pytest.approx(found.without_download + 0.09)


def test_in_r2_the_way_there_is_paid_and_the_way_out_is_not() -> None:
    counts = Counts(result_bytes=10**9, download_bytes=10**9)
    found = bill(counts, STACK, "r2")
    assert [found.outbound, found.download] == pytest.approx([0.09, 0])


def test_a_slower_worker_costs_in_proportion_and_reports_more_often() -> None:
    counts = COUNTED.jobs[next(iter(SONGS))]
    once, twice = bill(counts, STACK), bill(counts, STACK, factor=2)
    assert twice.compute >= 2 * once.compute
    assert twice.table - once.table == pytest.approx(
        counts.report_units * 0.625e-6 + counts.reports / 2 * 0.125e-6
    )
    assert (twice.storage, twice.download) == (once.storage, once.download)


@pytest.mark.parametrize("name", COUNTED.jobs)
def test_what_a_job_says_of_its_requests_is_what_was_counted(name: str) -> None:
    counts = COUNTED.jobs[name]
    found = cost_of(_record(name, counts))
    assert found
    billed = bill(counts, STACK)
    assert found.requests == pytest.approx(billed.requests + billed.table, rel=0.25)
    assert found.storage == pytest.approx(billed.storage, rel=0.05, abs=1e-6)


def _record(name: str, counts: Counts) -> Job:
    """As the job was when it was counted."""
    made = datetime(2026, 1, 1, tzinfo=UTC)
    is_analysed = "analysis" in name or name == "MIDI"
    stems = 0 if name == "MIDI" or name.startswith("two") else int(name[0])
    files = {str(number): f"{number}" for number in range(counts.files)}
    uploads = 2 if name.startswith("two") else 1
    facts: dict[str, Any] = {
        "provider": "s3",
        "status": "completed",
        "key": "song.wav",
        "filename": "song.wav",
        "bytes": counts.upload_bytes,
        "etag": "e",
        "parts": None
        if uploads == 1
        else [
            {"key": str(number), "filename": "a.wav", "bytes": counts.upload_bytes // 2, "name": str(number)}
            for number in range(2)
        ],
        "part_etags": {"0": "e", "1": "e"} if uploads == 2 else None,
        "making": 0,
        "version": counts.changes,
        "stem_keys": dict(list(files.items())[:stems]),
        "analysis_keys": dict(list(files.items())[stems:]) if is_analysed else None,
        "stored_bytes": counts.result_bytes,
        "gb_seconds": 1.0,
        "created_at": made,
        "expires_at": made + timedelta(days=7),
    }
    return Job("alice", "01K", **facts)


def test_five_float_stems_are_the_one_configuration_above_a_cent_by_their_transfer_alone() -> None:
    above = {
        name
        for name, counts in COUNTED.jobs.items()
        if bill(counts, STACK).a_minute(COUNTED.song_seconds).download > 0.01
    }
    assert above == {NAMED}


def test_what_costs_more_than_a_cent_with_all_of_it_is_float_of_many_stems() -> None:
    """Of every WAV: what was counted of the plainest, with stems of as many bytes as it has."""
    above = {
        (name, depth, rate)
        for name in ("2stems, WAV", "4stems, WAV", "5stems, WAV", f"4stems, WAV{EVERYTHING}")
        for depth, rate in product((16, 24, 32), (44100, 48000))
        if bill(_with_stems(COUNTED.jobs[name], int(name[0]), depth, rate), STACK)
        .a_minute(COUNTED.song_seconds)
        .with_download
        > 0.01
    }
    assert above == {
        ("5stems, WAV", 32, 44100),
        ("5stems, WAV", 32, 48000),
        (f"4stems, WAV{EVERYTHING}", 32, 48000),
    }


def _with_stems(counts: Counts, stems: int, depth: int, rate: int) -> Counts:
    frame_bytes = 2 * depth // 8
    more = round(stems * COUNTED.song_seconds * (frame_bytes * rate - 4 * 44100))
    return replace(
        counts, result_bytes=counts.result_bytes + more, download_bytes=counts.download_bytes + more
    )


# ---- a month without songs ------------------------------------------------------------------------


def stack(resources: dict[str, Any]) -> Stack:
    worker = {"SeparateFunction": {"Type": "AWS::Serverless::Function", "Properties": {"MemorySize": 1024}}}
    return Stack(worker | resources, {"RetentionDays": 7})


def alarm(**more: Any) -> dict[str, Any]:
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": more}


def test_an_alarm_costs_by_the_metrics_that_it_looks_at() -> None:
    queries = [
        {"Id": "a", "MetricStat": {}},
        {"Id": "b", "MetricStat": {}},
        {"Id": "c", "Expression": "a / b"},
    ]
    found = stack({"One": alarm(MetricName="Errors"), "Rate": alarm(Metrics=queries)}).idle_month(COUNTED)
    (line,) = (line for line in found if "alarms" in line.name)
    assert [line.amount, line.usd] == pytest.approx([3, 0.3])


def test_what_is_free_is_taken_off_once_for_all_lines_of_a_price() -> None:
    resources = {name: {"Type": "AWS::CloudWatch::Dashboard", "Properties": {}} for name in "abcd"}
    resources["Key"] = {"Type": "AWS::KMS::Key", "Properties": {}}
    lines = stack(resources).idle_month(COUNTED)
    assert less_what_is_free(lines) == pytest.approx(1 * 3.00 + 1.00 + 0.058, abs=0.001)


def test_the_clock_is_read_from_the_template() -> None:
    events = {
        "A": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 minute)"}},
        "B": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}},
    }
    clock = {"Type": "AWS::Serverless::Function", "Properties": {"MemorySize": 512, "Events": events}}
    found = {line.name: line.amount for line in stack({"Clock": clock}).idle_month(COUNTED)}
    assert found["runs on schedule"] == 730 * 61


def test_secrets_are_those_of_r2() -> None:
    r2 = Stack.read(StorageProvider="r2", R2SecretArn="arn", R2QueueId="id", R2QueueSecretArn="arn")
    names = {line.name: line.amount for line in r2.idle_month(COUNTED)}
    assert names["secrets"] == 2
    assert names["runs on schedule"] > 2 * 730 * 60  # sweep and pull
    assert "secrets" not in {line.name for line in STACK.idle_month(COUNTED)}


def test_an_idle_stack_costs_less_than_5_usd_a_month() -> None:
    assert less_what_is_free(WATCHED.idle_month(COUNTED)) < 5


def test_more_sweeping_costs_more() -> None:
    longer = replace(COUNTED, sweep=replace(COUNTED.sweep, seconds={"SweepFunction": 500.0}))
    assert less_what_is_free(STACK.idle_month(longer)) > less_what_is_free(STACK.idle_month(COUNTED))


# ---- memory ----------------------------------------------------------------------------------------


def test_the_estimate_meets_what_was_measured_and_claims_nothing_beyond() -> None:
    stems = memory.STEMS
    assert [stems.on(1), stems.on(2), stems.on(4)] == pytest.approx([3.61, 2.11, 2.11])
    assert stems.on(0.5) == 2 * stems.on(1)


def test_the_default_memory_keeps_a_song_of_three_minutes_within_ten_seconds() -> None:
    default = int(STACK.parameters["SeparateMemory"])
    assert default in memory.SIZES
    shared = default / memory.MB_A_PROCESSOR / 2
    assert memory.STEMS.on(shared) < 10
