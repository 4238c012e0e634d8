"""The programs of docs/visuals.md, on files of a song: in Node.js, or in a stand-in for their tool."""

import csv
import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from analysis.files import write_files
from tests.unit.analysis.by_hand import song

NODE = pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")

# What a page has of a browser. A frame of the picture is drawn for each of TIMES.
BROWSER = """
const files = require("fs"), TIMES = [0, 0.3, 1.0, 2.0, 3.4];
const seen = [], audio = {currentTime: TIMES[0]};
const fetch = async (name) => ({
  json: async () => JSON.parse(files.readFileSync(name)),
  arrayBuffer: async () => new Uint8Array(files.readFileSync(name)).buffer,
});
const context = {
  clearRect() {}, beginPath() {}, fill() {},
  arc(x, y, radius) { seen.push([audio.currentTime, radius, context.fillStyle]); },
};
const document = {getElementById: (id) => id === "song" ? audio : {getContext: () => context}};
const requestAnimationFrame = (draw) => {
  if (TIMES.length > seen.length) { audio.currentTime = TIMES[seen.length]; draw(); }
  else console.log(JSON.stringify(seen));
};
"""

# What an expression has of After Effects. Prints what the expression comes to at each time.
AFTER_EFFECTS = """
const vm = require("vm"), files = require("fs");
const footage = (name) => ({sourceData: JSON.parse(files.readFileSync(name))});
console.log(JSON.stringify(%s.map((time) => vm.runInNewContext(%s, {footage, time, Math, Array}))));
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files")
    write_files(song(), path, "Song")
    return path


@pytest.fixture(scope="module")
def programs(root: Path) -> list[tuple[str, str]]:
    """Language and text of each program of the page."""
    text = (root / "docs/visuals.md").read_text()
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", text, re.M | re.S)
    return [(language, textwrap.dedent(program)) for language, program in found]


def program(programs: list[tuple[str, str]], language: str, part: str) -> str:
    (found,) = [text for kind, text in programs if kind == language and part in text]
    return found


def node(script: str, folder: Path) -> Any:
    done = subprocess.run(["node", "-e", script], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def level(seconds: float) -> float:
    """The drums' level at a time, from 0 to 1, as the song was made."""
    return (12 + 10 * int(seconds * 30) / 30) / 72


@NODE
def test_the_page_draws_the_drums_level_and_the_kicks(folder: Path, programs: list[tuple[str, str]]) -> None:
    drawn = node(BROWSER + program(programs, "js", "fetch("), folder)
    assert [time for time, *_ in drawn] == [0, 0.3, 1.0, 2.0, 3.4]
    for time, radius, _ in drawn:
        assert radius == pytest.approx(20 + 170 * level(time), abs=1)
    lights = [float(re.findall(r"[\d.]+", colour)[1]) for *_, colour in drawn]
    assert lights == pytest.approx([100, 100 + 155 * 0.9 * 0.75, 100, 100, 100 + 155 * 0.9 * 0.25], abs=0.1)


def test_the_page_loads_the_program_and_names_what_it_looks_for(programs: list[tuple[str, str]]) -> None:
    page = program(programs, "html", "<canvas")
    names = re.findall(r'getElementById\("(\w+)"\)', program(programs, "js", "fetch("))
    assert names
    assert all(f'id="{name}"' in page for name in names)
    assert 'src="visuals.js"' in page


@NODE
def test_the_expression_scales_by_the_level_and_the_kicks(
    folder: Path, programs: list[tuple[str, str]]
) -> None:
    expression = program(programs, "js", "footage(")
    script = AFTER_EFFECTS % (json.dumps([0, 0.3, 2.0, 100.0]), json.dumps(expression))
    sizes = node(script, folder)
    jump = 50 * 0.9 * 0.75
    expected = [100 * level(0), 100 * level(0.3) + jump, 100 * level(2), 100 * level(119 / 30)]
    assert [size for size, _ in sizes] == pytest.approx(expected, abs=0.5)
    assert all(across == up for across, up in sizes)


def test_the_script_for_blender_sets_a_keyframe_for_each_frame_and_three_for_each_kick(
    folder: Path, programs: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[tuple[str, float, float]] = []
    thing = SimpleNamespace(scale=[1.0, 1.0, 1.0], location=[0.0, 0.0, 0.0])
    thing.keyframe_insert = lambda path, *, index, frame: keys.append(
        (path, frame, getattr(thing, path)[index])
    )
    render = SimpleNamespace(fps=24, fps_base=1.0)
    scene = SimpleNamespace(render=render, frame_start=1, frame_end=250)
    blender = SimpleNamespace(
        context=SimpleNamespace(scene=scene), data=SimpleNamespace(objects={"Cube": thing})
    )
    monkeypatch.setitem(sys.modules, "bpy", blender)
    script = program(programs, "python", "import bpy")
    exec(script.replace("/path/to/keyframes.json", str(folder / "keyframes.json")), {})
    scales = [(frame, value) for path, frame, value in keys if path == "scale"]
    assert [frame for frame, _ in scales] == list(range(1, 98))
    assert scene.frame_end == 97
    for frame, value in scales[:96]:
        assert value == pytest.approx(0.1 + 2 * level((frame - 1) / 24), abs=0.01)
    jumps = [(frame, value) for path, frame, value in keys if path == "location"]
    assert len(jumps) == 3 * 4
    assert list(jumps[1]) == pytest.approx([1 + 0.25 * 24, 0.9])


def test_the_scripts_for_touchdesigner_name_channels_and_find_kicks(
    folder: Path, programs: list[tuple[str, str]]
) -> None:
    tables = {
        "table1": list(csv.reader((folder / "curves.csv").open()))[:1],
        "events": list(csv.reader((folder / "events.csv").open())),
    }
    pulses: list[float] = []
    rename = SimpleNamespace()
    stored: dict[str, float] = {}
    me = SimpleNamespace(
        time=SimpleNamespace(seconds=0.0),
        fetch=lambda name, default: stored.get(name, default),
        store=stored.__setitem__,
    )

    def op(name: str) -> Any:
        if name in tables:
            rows = [[SimpleNamespace(val=cell) for cell in row] for row in tables[name]]
            return SimpleNamespace(rows=lambda: rows, row=lambda number: rows[number])
        pulse = SimpleNamespace(pulse=lambda: pulses.append(me.time.seconds))
        return SimpleNamespace(par=rename if name == "rename1" else SimpleNamespace(triggerpulse=pulse))

    exec(program(programs, "python", "renamefrom"), {"op": op})
    names = rename.renameto.split()
    assert len(names) == len((folder / "curves.chan").read_text().split("\n")[0].split("\t"))
    assert "drums_rms" in names
    namespace: dict[str, Any] = {"op": op, "me": me}
    exec(program(programs, "python", "onFrameStart"), namespace)
    for frame in range(121):
        me.time.seconds = frame / 30
        namespace["onFrameStart"](frame)
    assert pulses == pytest.approx([8 / 30, 38 / 30, 68 / 30, 98 / 30])


def test_the_example_of_the_document_is_as_the_schema_says(
    root: Path, programs: list[tuple[str, str]]
) -> None:
    schema = json.loads((root / "docs/analysis.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(program(programs, "json", "version")))


def test_the_program_for_unity_reads_what_there_is(folder: Path, programs: list[tuple[str, str]]) -> None:
    # It cannot be compiled here: at least each path that it takes through the document exists.
    text = program(programs, "csharp", "MonoBehaviour")
    document = json.loads((folder / "analysis.json").read_bytes())
    for path in re.findall(r'document((?:\["\w+"\])+)', text):
        part = document
        for name in re.findall(r'"(\w+)"', path):
            part = part[name]
    place = document["curves"]["stems"]["drums"]
    assert {*re.findall(r'place\["(\w+)"\]', text)} == set(place)
    assert text.count("{") == text.count("}")


def test_each_file_is_explained(root: Path, folder: Path) -> None:
    text = (root / "docs/visuals.md").read_text()
    assert {path.name for path in folder.iterdir() if f"`{path.name}`" not in text} == {
        "drums.mid",
        "vocals.mid",
    }
