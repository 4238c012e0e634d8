"""Stems and MIDI that somebody has already: which files they are, what is asked for, and what comes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stempipe_client import Client, Config, Midi, MidiConfig, StempipeError, Stems
from stempipe_client.command.songs import LeftOut
from stempipe_client.command.stems import collect
from tests.cli.conftest import Run
from tests.cli.service import Service, stem_of, where
from tests.http import Answer

pytestmark = pytest.mark.usefixtures("quick")

FOUND = ["song - analysis.json", "song.mid", "song/curves.bin", "song/curves.csv", "song/drums.mid"]


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(f"sound of {name}".encode())
    return folder


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def parts(folder: Path) -> tuple[str, list[str], list[str]]:
    """What is taken from a folder: its title, the stems' names, and what is left out."""
    left_out: list[LeftOut] = []
    (song,) = collect([folder], folder / "out", left_out.append)
    assert isinstance(song.parts, Stems)
    assert song.parts.title == song.name
    return song.name, list(song.parts.files), [left.path.name for left in left_out]


# ---- which files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "title", "stems"),
    [
        (["drums.wav", "Lead Vox 2.flac"], "my stems", ["Lead Vox 2", "drums"]),
        (["song - drums.wav", "song - vocals (2).wav"], "song", ["drums", "vocals (2)"]),
        (["a - b - drums.wav"], "a - b", ["drums"]),
        (["a - drums.wav", "b - bass.wav"], "my stems", ["drums", "bass"]),
        (["a - drums.wav", "bass.mp3"], "my stems", ["drums", "bass"]),
        (["con.wav"], "my stems", ["_con"]),
        ([f"{'é' * 60}.wav"], "my stems", ["é" * 32]),
    ],
)
def test_stems_are_named_by_their_files(
    tmp_path: Path, names: list[str], title: str, stems: list[str]
) -> None:
    assert parts(make(tmp_path / "my stems", *names)) == (title, stems, [])


def test_folders_of_one_name_are_numbered_and_one_that_is_named_twice_is_taken_once(tmp_path: Path) -> None:
    long = "x" * 220
    for folder in ("a", "b"):
        make(tmp_path / folder, f"{long} - drums.wav")
    songs = collect([tmp_path / "a", tmp_path / "b", tmp_path / "b/../a"], tmp_path / "out")
    assert [song.name for song in songs] == ["x" * 190, f"{'x' * 190} (2)"]
    assert all(isinstance(song.parts, Stems) and len(song.parts.title or "") <= 200 for song in songs)


def test_what_is_no_stem_is_left_out_and_named(tmp_path: Path) -> None:
    folder = make(tmp_path / "s", "drums.wav", "s - mix.wav", "notes.txt", "s.mid", ".hidden.wav")
    make(folder / "takes", "old.wav")
    assert parts(folder) == ("s", ["drums"], ["notes.txt", "s - mix.wav", "s.mid"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a - drums.wav", "b - Drums.wav"], "a - drums.wav and b - Drums.wav are both the stem Drums"),
        (["Caf\u00e9.wav", "cafe\u0301.wav"], "are both the stem"),
        ([f"{number}.wav" for number in range(17)], "17 stems"),
        (["cover.jpg"], "no stem in"),
        ([], "no stem in"),
    ],
)
def test_folders_that_are_not_one_songs_stems_are_refused(
    configured: Service, stempipe: Run, tmp_path: Path, names: list[str], message: str
) -> None:
    make(tmp_path / "s", *names)
    done = stempipe("analyse", "s")
    assert done.exit_code == 2
    assert message in done.stderr
    assert not configured.jobs


def test_a_song_is_not_taken_for_midi(configured: Service, stempipe: Run, song: Path) -> None:
    done = stempipe("analyse", song)
    assert done.exit_code == 2
    assert "stempipe separate --analysis" in done.stderr


def test_a_folder_is_named_even_if_it_is_this_one(
    configured: Service, stempipe: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make(tmp_path / "my stems", "drums.wav"))
    done = stempipe("analyse", ".", "--json")
    assert {event["song"] for event in map(json.loads, done.stdout.splitlines())} == {"."}
    assert "my stems  completed" in stempipe("analyse", ".").stdout
    assert Path("analysis/my stems.mid").exists()
    assert configured.jobs["job0"]["title"] == "my stems"


# ---- jobs of them ------------------------------------------------------------------------------------


def test_stems_are_sent_and_what_is_found_is_saved(
    configured: Service, stempipe: Run, tmp_path: Path
) -> None:
    folder = make(tmp_path / "in", "song - drums.wav", "song - Lead Vox.flac")
    done = stempipe("analyse", "in", "--fps", "25")
    assert done.exit_code == 0
    assert tree(tmp_path / "analysis") == FOUND
    (job,) = configured.jobs.values()
    assert job["config"]["analysis"] == {"notes": True, "fps": 25}
    assert (job["title"], job["source"]["kind"]) == ("song", "stems")
    for name in ("drums.wav", "Lead Vox.flac"):
        file = folder / f"song - {name}"
        assert file.read_bytes() in configured.received[f"job0/{Path(name).stem}"]
    assert [(stem["name"], stem["size"]) for stem in job["source"]["stems"]] == [
        ("Lead Vox", len("sound of song - Lead Vox.flac")),
        ("drums", len("sound of song - drums.wav")),
    ]
    assert done.stdout.splitlines()[-3:] == [
        "analysis.json  analysis/song - analysis.json",
        "song.mid       analysis/song.mid",
        "3 more         analysis/song",
    ]


def test_the_same_command_again_sends_only_the_stems_that_are_missing(
    configured: Service, stempipe: Run, tmp_path: Path
) -> None:
    make(tmp_path / "in", "bass.wav", "drums.wav", "piano.wav")
    configured.twist = where("POST", "/upload/job0/drums", Answer(400, b"cut"))
    # The double takes what it then refuses: as if it had not.
    assert stempipe("analyse", "in").exit_code == 1
    configured.jobs["job0"]["source"]["stems"][1]["arrived"] = False
    assert configured.count("POST /upload/job0/piano") == 0
    configured.twist = lambda request, answer: answer
    assert stempipe("analyse", "in").exit_code == 0
    assert len(configured.jobs) == 1
    assert [configured.count(f"POST /upload/job0/{name}") for name in ("bass", "drums", "piano")] == [1, 2, 1]
    assert tree(tmp_path / "analysis")[0] == "in - analysis.json"


def test_a_stem_that_changed_makes_another_job(configured: Service, stempipe: Run, tmp_path: Path) -> None:
    make(tmp_path / "in", "bass.wav", "drums.wav")
    configured.held = True
    client_gone = where("GET", "/v1/jobs/job", Answer(404, b'{"message": "Not Found"}'))
    configured.twist = client_gone
    assert stempipe("analyse", "in").exit_code == 1
    (tmp_path / "in/drums.wav").write_bytes(b"another take")
    assert stempipe("analyse", "in").exit_code == 1
    (tmp_path / "in/drums.wav").rename(tmp_path / "in/kit.wav")
    assert stempipe("analyse", "in").exit_code == 1
    assert len(configured.jobs) == 3


def test_progress_of_many_uploads_never_falls(service: Service, client: Client, tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.wav", "b.wav", "c.wav")
    for path in folder.iterdir():
        path.write_bytes(b"sound " * 40_000)
    stems = Stems({path.stem: path for path in sorted(folder.iterdir())}, title="My song")
    steps = list(client.analyse(stems, tmp_path / "out"))
    percent = [step.percent for step in steps if step.phase == "sending"]
    assert percent == sorted(percent)
    assert len(set(percent)) > 10
    assert percent[-1] == 100
    assert steps[-1].files["song.mid"] == tmp_path / "out/My song.mid"


def test_a_bad_stem_fails_with_the_jobs_own_words(configured: Service, stempipe: Run, tmp_path: Path) -> None:
    make(tmp_path / "in", "bass.wav", "broken.wav")
    done = stempipe("analyse", "in")
    assert done.exit_code == 1
    assert "failed  in: corrupt_media: The file is damaged." in done.stdout


def test_uploads_of_stems_that_nobody_named_are_no_answer(
    service: Service, client: Client, tmp_path: Path
) -> None:
    def twist(request: Any, answer: Answer) -> Answer:
        return Answer(
            answer.status, answer.body.replace(b'"drums": {', b'"../../.bashrc": {'), answer.headers
        )

    service.twist = twist
    folder = make(tmp_path / "in", "drums.wav")
    with pytest.raises(StempipeError, match="not told of"):
        list(client.analyse(Stems({"drums": folder / "drums.wav"}), tmp_path))
    assert not service.received


def test_midi_is_sent_with_its_options(configured: Service, stempipe: Run, tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(b"MThd")
    options = (
        "--role 2=bass --role 1:10=drums --role Pad=a=ignore --no-split-channels --tempo 120.5 --offset -1"
    )
    options += " --transpose -12 --quantise 16 --velocity-curve 0.5 --shortest 0 --no-sustain --no-notes"
    assert stempipe("analyse", "song.mid", *options.split()).exit_code == 0
    (job,) = configured.jobs.values()
    assert job["config"]["midi"] == {
        "roles": {"2": "bass", "1:10": "drums", "Pad=a": "ignore"},
        "splitChannels": False,
        "tempo": 120.5,
        "offset": -1,
        "transpose": -12,
        "quantise": 16,
        "velocityCurve": 0.5,
        "shortest": 0,
        "sustain": False,
    }
    assert job["source"]["kind"] == "midi"
    assert b"MThd" in configured.received["job0/"]
    assert tree(tmp_path / "analysis") == FOUND


def test_midi_without_options_has_none(configured: Service, stempipe: Run, tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(b"MThd")
    assert stempipe("analyse", "song.mid", "--out", ".").exit_code == 0
    assert "midi" not in configured.jobs["job0"]["config"]
    assert (tmp_path / "song.mid").read_bytes() == b"MThd"  # what was found is another file
    assert (tmp_path / "song (2).mid").read_bytes() == stem_of("song.mid")


@pytest.mark.parametrize(
    "options", [["--role", "bass"], ["--role", "=bass"], ["--role", "2="], ["--quantise", "5"]]
)
def test_options_that_say_nothing_are_refused(
    configured: Service, stempipe: Run, tmp_path: Path, options: list[str]
) -> None:
    (tmp_path / "song.mid").write_bytes(b"MThd")
    assert stempipe("analyse", "song.mid", *options).exit_code == 2
    assert not configured.jobs


def test_the_client_makes_the_same_jobs(service: Service, client: Client, tmp_path: Path) -> None:
    path = make(tmp_path, "x.mid") / "x.mid"
    created = client.create(Midi(path), Config(midi=MidiConfig(tempo=90)), idempotency_key="k")
    client.send(created, Midi(path))
    again = client.create(Midi(path), Config(midi=MidiConfig(tempo=90)), idempotency_key="k")
    assert (again.job.id, again.upload) == (created.job.id, None)
    assert service.jobs["job0"]["config"]["midi"] == {"tempo": 90}
    assert service.count("POST /upload/.*") == 1


# ---- what is shown of them ---------------------------------------------------------------------------


def test_jobs_are_listed_by_title_and_kind(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    make(tmp_path / "in", "a - bass.wav", "a - drums.wav")
    (tmp_path / "tune.mid").write_bytes(b"MThd")
    stempipe("separate", song, "--analysis")
    stempipe("analyse", "in", "tune.mid", "--jobs", "1")
    names = [re.split(r"  +", line)[0] for line in stempipe("jobs").stdout.splitlines()[1:]]
    assert names == ["tune.mid", "a (2 stems)", "song.mp3"]
    configured.jobs["job2"]["title"] = "A tune"
    assert "A tune (MIDI)  completed" in stempipe("jobs").stdout
    (told,) = [
        job for job in map(json.loads, stempipe("jobs", "--json").stdout.splitlines()) if job["id"] == "job1"
    ]
    assert (told["title"], told["source"]["kind"], len(told["source"]["stems"])) == ("a", "stems", 2)


def test_a_job_of_stems_that_is_watched_is_named_after_its_title(
    configured: Service, stempipe: Run, tmp_path: Path
) -> None:
    make(tmp_path / "in", "a. b - bass.wav")
    stempipe("analyse", "in")
    configured.jobs["job0"]["title"] = "../a. b"
    assert stempipe("watch", "job0", "--out", "again").exit_code == 0
    assert tree(tmp_path / "again")[:2] == ["_.._a. b - analysis.json", "_.._a. b.mid"]
