"""What is measured, in which order: things that are compared take turns."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import official, songs
from benchmarks.compared_worker import instructions_here
from benchmarks.figures import Figure
from benchmarks.pipeline import pipeline
from benchmarks.processes import Command, Worker, run

LONG_MINUTES = (3, 10, 60)
FORMATS = ("wav", "flac", "mp3")
# Ways of a job's sound: whether a page can play the stems, and whether their analysis, if any, has notes.
JOBS: Mapping[str, Mapping[str, bool | None]] = {
    "stems alone": {"player": False, "notes": None},
    "player": {"player": True, "notes": None},
    "analysis without notes": {"player": False, "notes": False},
    "everything": {"player": True, "notes": True},
}
JOB_VARIANTS = ("2stems", "4stems")
ENGINES = ("openvino", "native")

_TO_WAV = {"variant": "2stems", "precision": "float32", "format": "wav"}
_PARTS_SECONDS = 180.0
_AS_DEPLOYED = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}  # template.yaml says why
_IN_BFLOAT16 = {"precision": "bfloat16"}


@dataclass
class Measured:
    """Every value by the name of what was measured, in the order of measurement.

    Attributes
    ----------
    values
        In seconds, but for names that say another unit.
    has_official_4stems
        Whether the weights of 4stems were the official ones.
    has_bfloat16
        Whether the processor has it.
    compared
        Instructions, the best first, and cores by which the native engine was compared with OpenVINO.
    """

    values: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    has_official_4stems: bool = False
    has_bfloat16: bool = False
    compared: list[tuple[str, int]] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        self.values[name].append(value)

    def __getitem__(self, name: str) -> Figure:
        return Figure(self.values[name])


class Bench:
    """One run.

    Parameters
    ----------
    song
        At most 600 s long.
    folder
        For everything that is written; 2 GB.
    repeats
        How often each thing is measured.
    say
        Told what is being done.
    """

    def __init__(self, song: Path, folder: Path, repeats: int, say: Callable[[str], None]) -> None:
        self._song = song
        self._folder = folder
        self._repeats = repeats
        self._say = say
        self._environment = official.environment(folder)
        self.measured = Measured()

    def run(self) -> Measured:
        self._compare_whole_processes()
        self._compare_warm_processes()
        self._compare_engines()
        self._measure_engine()
        self._measure_jobs()
        self._measure_memory()
        self._measure_pipeline()
        return self.measured

    def _compare_whole_processes(self) -> None:
        self._say("Reading both programs from the disk once")
        short = songs.tile(self._song, self._folder / "short.wav", 5)
        run(official.command(short, self._out()), self._environment)
        run(_engine_once(short, self._out()))
        for turn in range(self._repeats):
            self._say(f"Whole processes, {turn + 1} of {self._repeats}")
            theirs = run(official.command(self._song, self._out()), self._environment)
            self.measured.add("whole, Spleeter", theirs.seconds)
            self.measured.add("whole MB, Spleeter", theirs.peak_mb)
            ours = run(_engine_once(self._song, self._out()))
            self.measured.add("whole", ours.seconds)
            self.measured.add("whole MB", ours.peak_mb)
            for part, seconds in json.loads(ours.output).items():
                self.measured.add(f"whole, {part}", seconds)

    def _compare_warm_processes(self) -> None:
        self._say("Warming both processes up")
        with (
            Worker(official.worker(self._song), self._environment) as theirs,
            Worker(_engine_worker(self._song, self._out())) as ours,
        ):
            separate = {"do": "separate", **_TO_WAV}
            theirs.ask()
            ours.ask(**separate)
            for turn in range(self._repeats):
                self._say(f"Warm processes, {turn + 1} of {self._repeats}")
                for who, answer in ((", Spleeter", theirs.ask()), ("", ours.ask(**separate))):
                    self.measured.add(f"warm{who}", answer["seconds"])
                    self.measured.add(f"warm MB{who}", answer["peak_mb"])

    def _compare_engines(self) -> None:
        everyone = len(os.sched_getaffinity(0))
        self.measured.compared = [
            (instructions, cores) for instructions in instructions_here() for cores in sorted({1, everyone})
        ]
        for instructions, cores in self.measured.compared:
            capped = {"ONEDNN_MAX_CPU_ISA": "AVX2"} if instructions == "avx2" else {}
            command: Command = [sys.executable, "-m", "benchmarks.compared_worker", self._song, self._out()]
            with ExitStack() as both:
                engines = {
                    name: both.enter_context(
                        Worker([*command, name, instructions, str(cores)], os.environ | capped)
                    )
                    for name in ENGINES
                }
                for engine in engines.values():
                    engine.ask()
                for turn in range(self._repeats):
                    self._say(f"Engines by {instructions} on {cores} cores, {turn + 1} of {self._repeats}")
                    for name, engine in engines.items():
                        for what, seconds in engine.ask().items():
                            self.measured.add(f"{name}, {instructions}, {cores}, {what}", seconds)

    def _measure_engine(self) -> None:
        with Worker(_engine_worker(self._song, self._out())) as engine:
            is_there = engine.ask(do="describe")
            self.measured.has_official_4stems = is_there["official 4stems"]
            self.measured.has_bfloat16 = is_there["bfloat16"]
            ways = {f"2stems {name}": _TO_WAV | {"format": name} for name in FORMATS}
            ways["4stems wav"] = _TO_WAV | {"variant": "4stems"}
            stages = {"stage": _TO_WAV}
            if self.measured.has_bfloat16:
                ways |= {
                    f"{name}, bfloat16": ways[name] | _IN_BFLOAT16 for name in ("2stems wav", "4stems wav")
                }
                stages["stage, bfloat16"] = _TO_WAV | _IN_BFLOAT16
            for name in ways.keys() - {"2stems flac", "2stems mp3"}:
                engine.ask(do="separate", **ways[name])
            for turn in range(self._repeats):
                self._say(f"Formats, 4stems and stages, {turn + 1} of {self._repeats}")
                for name, way in ways.items():
                    self.measured.add(name, engine.ask(do="separate", **way)["seconds"])
                for name, way in stages.items():
                    answer = engine.ask(do="stages", **way)
                    for stage, seconds in answer["stages"].items():
                        self.measured.add(f"{name}, {stage}", seconds)
                    self.measured.add(f"{name}, GFLOP/s", answer["gflops"])
                self.measured.add("matrix GFLOP/s", engine.ask(do="matrix")["gflops"])

    def _measure_jobs(self) -> None:
        parts = self._folder / "parts"
        parts.mkdir()
        run([sys.executable, "-m", "benchmarks.parts", parts, str(_PARTS_SECONDS)])
        # The weights of 4stems may be random, and its stems noise: the true parts are heard in their place.
        songs_of = {"2stems": [self._song], "4stems": [parts / "mix.wav", parts]}
        for variant in JOB_VARIANTS:
            song, *others = songs_of[variant]
            out = self._out()
            command: Command = [sys.executable, "-m", "benchmarks.job_worker", variant, song, out, *others]
            with Worker(command, os.environ | _AS_DEPLOYED) as worker:
                # Memory has its peak once: what takes less of it comes first.
                for name, way in JOBS.items():
                    self.measured.add(f"{variant}, {name}, MB", worker.ask(**way)["peak_mb"])
                for turn in range(self._repeats):
                    self._say(f"Jobs of {variant} with analysis, {turn + 1} of {self._repeats}")
                    for name, way in JOBS.items():
                        for unit, value in worker.ask(**way).items():
                            if unit != "peak_mb":
                                self.measured.add(f"{variant}, {name}, {unit}", value)

    def _measure_memory(self) -> None:
        long = self._folder / "long.wav"
        for minutes in LONG_MINUTES:
            self._say(f"A song of {minutes} minutes")
            songs.tile(self._song, long, 60 * minutes)
            done = run(_engine_once(long, self._out(), 60.0 * minutes + 1))
            self.measured.add(f"{minutes} minutes", done.seconds)
            self.measured.add(f"{minutes} minutes, MB", done.peak_mb)
        long.unlink()

    def _measure_pipeline(self) -> None:
        out = self._out()
        run(_engine_once(self._song, out))
        self._say("Deploying the local cloud")
        with pipeline(self._folder) as cloud:
            _, first = cloud.upload_to_completed(self._song, "2stems")
            self.measured.add("pipeline, first", first)
            for turn in range(self._repeats):
                self._say(f"Through the pipeline, {turn + 1} of {self._repeats}")
                uploaded, completed = cloud.upload_to_completed(self._song, "2stems")
                self.measured.add("pipeline, song", uploaded)
                self.measured.add("pipeline, stems", cloud.put_stems(sorted(out.glob("*.wav"))))
                self.measured.add("pipeline", completed)
            cloud.upload_to_completed(self._song, "4stems")  # loads the model
            for turn in range(self._repeats):
                self._say(f"4stems through the pipeline, {turn + 1} of {self._repeats}")
                self.measured.add("pipeline, 4stems", cloud.upload_to_completed(self._song, "4stems")[1])

    def _out(self) -> Path:
        out = self._folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return out


def _engine_once(song: Path, out: Path, max_seconds: float = songs.LONGEST) -> Command:
    return [sys.executable, "-m", "benchmarks.engine_once", song, out, str(max_seconds)]


def _engine_worker(song: Path, out: Path) -> Command:
    return [sys.executable, "-m", "benchmarks.engine_worker", song, out]
