"""The tables that a run ends with, and the line for machines."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table

from benchmarks.figures import Figure
from benchmarks.measure import ENGINES, JOB_VARIANTS, JOBS, LONG_MINUTES, Measured
from benchmarks.stages import STAGES


def machine() -> str:
    """The processor, its cores, the memory, and the versions of what computes."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in ("openvino", "numpy", "av"))
    return (
        f"{model}, {len(os.sched_getaffinity(0))} cores, {gigabytes:.0f} GB; {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}, {versions}; "
        f"load {os.getloadavg()[0]:.1f} before the run"
    )


def tables(measured: Measured, seconds: float, repeats: int) -> Group:
    """Medians, with the lowest and the highest value."""
    title = f"{seconds:.0f} s of music, {repeats} repeats: medians (lowest - highest)"
    return Group(_comparison(measured, title), _engines(measured), _engine(measured), _jobs(measured))


def _comparison(measured: Measured, title: str) -> Table:
    table = _table(title, "2stems to WAV", "Spleeter", "Stempipe", "ratio, in pairs")
    for name, text, digits in (
        ("whole", "whole process, s", 2),
        ("warm", "warm process, s", 2),
        ("whole MB", "peak memory, whole process, MB", 0),
        ("warm MB", "peak memory, warm process, MB", 0),
    ):
        theirs, ours = measured[f"{name}, Spleeter"], measured[name]
        table.add_row(text, theirs.text(digits), ours.text(digits), theirs.over(ours).text(1, "x"))
    table.caption = "In a warm process Spleeter goes from samples to samples, Stempipe from file to files."
    table.caption_justify, table.caption_style = "left", ""
    return table


def _engines(measured: Measured) -> Table:
    table = _table("", "2stems, warm", "OpenVINO", "native", "ratio, in pairs")
    for what, text, digits, scale in (
        ("network", "network, ms a segment", 1, 1000),
        ("song", "song, s", 2, 1),
    ):
        for instructions, cores in measured.compared:
            slow, fast = (
                Figure(
                    [scale * value for value in measured[f"{one}, {instructions}, {cores}, {what}"].values]
                )
                for one in ENGINES
            )
            of = f"{instructions}, {cores} core{'s' if cores > 1 else ''}"
            table.add_row(f"{text}, {of}", slow.text(digits), fast.text(digits), slow.over(fast).text(2, "x"))
    return table


def native_over_openvino(measured: Measured) -> str:
    """How many times as fast the networks are, by the best instructions on all cores."""
    if not measured.compared:
        return "none"
    best = measured.compared[0][0]
    cores = max(cores for _, cores in measured.compared)
    slow, fast = (measured[f"{engine}, {best}, {cores}, network"] for engine in ENGINES)
    return f"{slow.over(fast).median:.2f}x"


def _engine(measured: Measured) -> Table:
    table = _table("", "Stempipe", "", "ratio, in pairs")
    wav = measured["2stems wav"]

    def row(text: str, figure: Figure, digits: int = 2, ratio: str = "") -> None:
        table.add_row(text, figure.text(digits), ratio)

    row("imports, s", measured["whole, import"])
    row("model load, files in the disk cache, s", measured["whole, load"])
    table.add_section()
    row("2stems to WAV, warm, s", wav)
    for name, text in (("flac", "FLAC"), ("mp3", "MP3 192k")):
        figure = measured[f"2stems {name}"]
        row(f"2stems to {text}, s", figure, ratio=figure.over(wav).text(1, "x of WAV"))
    weights = "official" if measured.has_official_4stems else "random"
    four = measured["4stems wav"]
    row(f"4stems to WAV, {weights} weights, s", four, ratio=four.over(wav).text(1, "x of 2stems"))
    if measured.has_bfloat16:
        fast, fast_four = measured["2stems wav, bfloat16"], measured["4stems wav, bfloat16"]
        row("2stems to WAV in bfloat16, s", fast, ratio=fast.over(wav).text(2, "x of float32"))
        row("4stems to WAV in bfloat16, s", fast_four, ratio=fast_four.over(four).text(2, "x of float32"))
    table.add_section()
    row("upload of the song, s", measured["pipeline, song"])
    for stage in STAGES:
        row(f"{stage} alone, s", measured[f"stage, {stage}"])
    row("upload of both stems, s", measured["pipeline, stems"])
    if measured.has_bfloat16:
        row("network alone in bfloat16, s", measured["stage, bfloat16, network"])
    rate, limit = measured["stage, GFLOP/s"], measured["matrix GFLOP/s"]
    row("network, GFLOP/s of Spleeter's arithmetic", rate, 0, rate.over(limit).text(2, "x of the product"))
    row("float32 matrix product (OpenVINO), GFLOP/s", limit, 0)
    table.add_section()
    for minutes in LONG_MINUTES:
        row(f"{minutes} minutes, whole process, s", measured[f"{minutes} minutes"], 1)
        row(f"{minutes} minutes, peak memory, MB", measured[f"{minutes} minutes, MB"], 0)
    table.add_section()
    row("pipeline, upload to completed, first song, s", measured["pipeline, first"], 1)
    row("pipeline, later songs, s", measured["pipeline"], 1)
    row(f"pipeline, 4stems, {weights} weights, later songs, s", measured["pipeline, 4stems"], 1)
    return table


def _jobs(measured: Measured) -> Table:
    table = _table("", "separate, player and analysis, warm", *(f"{one}" for one in JOB_VARIANTS))

    def row(text: str, *figures: Figure, digits: int = 2, unit: str = "") -> None:
        table.add_row(text, *(figure.text(digits, unit) for figure in figures))

    def of(way: str, unit: str) -> list[Figure]:
        return [measured[f"{variant}, {way}, {unit}"] for variant in JOB_VARIANTS]

    alone = of("stems alone", "seconds")
    for way in JOBS:
        row(f"{way}, s", *of(way, "seconds"))
        if way != "stems alone":
            ratios = [one.over(other) for one, other in zip(of(way, "seconds"), alone, strict=True)]
            row("    over stems alone", *ratios, unit="x")
    row("stems are there, with everything, s", *of("everything", "stems_s"))
    table.add_section()
    for way, text in (("analysis without notes", "without notes"), ("everything", "with notes")):
        minutes = of(way, "cpu_s")
        row(f"analysis {text}, processor s a minute of song", *minutes)
        row(
            "    and stem",
            *(per_stem(figure, one) for figure, one in zip(minutes, JOB_VARIANTS, strict=True)),
        )
    table.add_section()
    for way in ("stems alone", "everything"):
        row(f"peak memory, {way}, MB", *of(way, "MB"), digits=0)
    table.caption = "Of 4stems what is heard are the true parts of a synthetic song, not the stems."
    table.caption_justify, table.caption_style = "left", ""
    return table


def per_stem(figure: Figure, variant: str) -> Figure:
    """Of a song with so many stems, the mix's share spread over them."""
    return Figure([value / int(variant[0]) for value in figure.values])


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    return table


def machine_line(measured: Measured) -> str:
    """Medians, in the same form each time; performance.md says what each stands for."""
    cold = measured["whole, Spleeter"].over(measured["whole"])
    warm = measured["warm, Spleeter"].over(measured["warm"])
    mp3 = measured["2stems mp3"].over(measured["2stems wav"])
    analysis = [per_stem(measured[f"{one}, everything, cpu_s"], one).median for one in JOB_VARIANTS]
    alone = measured["4stems, stems alone, seconds"]
    everything = measured["4stems, everything, seconds"].over(alone)
    player = measured["4stems, player, seconds"].over(alone)
    return (
        f"bench: cold={cold.median:.1f}x warm={warm.median:.1f}x rss_mb={measured['warm MB'].median:.0f} "
        f"song4_s={measured['pipeline, 4stems'].median:.1f} mp3={mp3.median:.1f}x "
        f"load_s={measured['whole, load'].median:.1f} "
        f"analysis2_cpu_s={analysis[0]:.2f} analysis4_cpu_s={analysis[1]:.2f} "
        f"analysis_ratio={everything.median:.2f}x player_ratio={player.median:.2f}x "
        f"analysis_mb={measured['4stems, everything, MB'].median:.0f} native={native_over_openvino(measured)}"
    )


def console() -> Console:
    """Wide enough for the tables wherever it writes to."""
    return Console(width=110, highlight=False)
