"""What is found in a song, beside its stems: when it is saved, where, and what of it is not trusted."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from stempipe_client import AnalysisConfig, Client, Config, StempipeError
from stempipe_client.names import is_file_name
from tests.cli.conftest import Run
from tests.cli.service import HTML, PAGE, Service, cut_short, stem_of, where
from tests.http import Answer, Request

pytestmark = pytest.mark.usefixtures("quick")

STEMS = ["song - accompaniment.wav", "song - vocals.wav"]
FOUND = ["song - analysis.json", "song.mid", "song/curves.bin", "song/curves.csv", "song/drums.mid"]


def tree(folder: Path) -> list[str]:
    """The files in a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def events(text: str) -> list[dict[str, Any]]:
    return list(map(json.loads, text.splitlines()))


def hear(client: Client, song: Path, out: Path) -> dict[str, Path]:
    *_, done = client.separate(song, out, Config(analysis=AnalysisConfig()))
    return dict(done.files)


# ---- where it goes -----------------------------------------------------------------------------------


def test_the_document_and_the_midi_lie_beside_the_stems_and_the_rest_in_a_folder(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    done = stempipe("separate", song, "--analysis")
    assert done.exit_code == 0
    assert tree(tmp_path / "stems") == sorted(STEMS + FOUND)
    assert (tmp_path / "stems/song/curves.csv").read_bytes() == stem_of("curves.csv")
    assert done.stdout.splitlines()[-4:] == [
        "accompaniment  stems/song - accompaniment.wav",
        "analysis.json  stems/song - analysis.json",
        "song.mid       stems/song.mid",
        "3 more         stems/song",
    ]


def test_of_many_songs_each_has_a_line(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.mp3").write_bytes(b"sound")
    done = stempipe("separate", song, "other.mp3", "--analysis")
    made = "vocals, accompaniment, analysis.json, song.mid and 3 more in stems"
    assert f"done    other.mp3: {made}" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("options", "config"),
    [
        (["--analysis"], {"notes": True, "fps": 60}),
        (["--analysis", "--fps", "30", "--no-notes"], {"notes": False, "fps": 30}),
        ([], None),
    ],
)
def test_what_is_asked_for_reaches_the_job(
    configured: Service, stempipe: Run, song: Path, options: list[str], config: dict[str, Any] | None
) -> None:
    done = stempipe("separate", song, "--json", *options)
    assert done.exit_code == 0
    assert configured.jobs["job0"]["config"].get("analysis") == config
    assert events(done.stdout)[-1]["analysis"] == (config and {"state": "done", "error": None})
    assert events(done.stdout)[-1]["residualDb"] == -133.42
    assert configured.count("GET /v1/jobs/job0/files") == (1 if config else 0)


@pytest.mark.parametrize("options", [["--fps", "30"], ["--no-notes"], ["--analysis", "--fps", "31"]])
def test_what_would_be_of_no_use_is_refused(
    configured: Service, stempipe: Run, song: Path, options: list[str]
) -> None:
    assert stempipe("separate", song, *options).exit_code == 2
    assert not configured.jobs


def test_files_of_the_users_own_are_left_alone(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    out = tmp_path / "stems"
    (out / "song").mkdir(parents=True)
    mine = ["song - analysis.json", "song.mid", "song/curves.bin"]
    for name in mine:
        (out / name).write_bytes(b"mine")
    for _ in range(2):  # the second time it replaces what it made the first time
        assert stempipe("separate", song, "--analysis").exit_code == 0
        made = ["song - analysis (2).json", "song (2).mid"]
        made += [f"song (2)/{name}" for name in ("curves.bin", "curves.csv", "drums.mid")]
        assert tree(out) == sorted([*STEMS, *mine, *made])
        assert {(out / name).read_bytes() for name in mine} == {b"mine"}


def test_a_file_where_the_folder_should_be_is_left_alone(
    configured: Service, stempipe: Run, tmp_path: Path
) -> None:
    (tmp_path / "take").write_bytes(b"sound without an ending")
    assert stempipe("separate", "take", "--analysis", "--out", ".").exit_code == 0
    assert (tmp_path / "take").read_bytes() == b"sound without an ending"
    assert (tmp_path / "take (2)/curves.bin").read_bytes() == stem_of("curves.bin")


def test_the_same_command_again_replaces_its_own_files(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    def other_bytes(request: Request, answer: Answer) -> Answer:
        of_job = request.target.split("/")[2].encode() if request.target.startswith("/found/") else b""
        return Answer(200, of_job) if of_job else answer

    configured.twist = other_bytes
    for job in (b"job0", b"job1"):
        assert stempipe("separate", song, "--analysis").exit_code == 0
        assert tree(tmp_path / "stems") == sorted(STEMS + FOUND)
        assert (tmp_path / "stems/song/curves.bin").read_bytes() == job


@pytest.mark.parametrize("mine", ["test_mine.py", "data.json", None])
def test_nothing_is_added_to_a_folder_of_the_users_own(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, mine: str | None
) -> None:
    stempipe("separate", song, "--analysis")
    configured.jobs["job0"]["title"] = "tests"
    configured.found = ("data.json", "package.json")
    folder = tmp_path / "project/tests"
    folder.mkdir(parents=True)
    if mine:
        (folder / mine).write_bytes(stem_of("data.json"))  # which whoever runs the service may know
    for _ in range(2):  # the second time it knows its own
        assert stempipe("watch", "job0", "--out", "project").exit_code == 0
        assert tree(folder) == ([mine] if mine else [])
        assert tree(tmp_path / "project/tests (2)") == ["data.json", "package.json"]
        assert len(list((tmp_path / "project").iterdir())) == 4  # two stems besides, and nothing hidden


def test_a_folder_that_the_user_works_in_is_the_users_own(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    stempipe("separate", song, "--analysis")
    (tmp_path / "stems/song/notes.txt").write_text("mine")
    for _ in range(2):
        assert stempipe("separate", song, "--analysis").exit_code == 0
    again = [f"song (2)/{name}" for name in ("curves.bin", "curves.csv", "drums.mid")]
    assert tree(tmp_path / "stems") == sorted([*STEMS, *FOUND, *again, "song/notes.txt"])


def test_a_folder_that_was_named_before_an_interruption_is_found_again(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    for _ in range(2):  # nobody has noted the first time what was made
        *_, done = client.separate(song, tmp_path, Config(analysis=AnalysisConfig()), idempotency_key="k")
        assert done.files["curves.bin"] == tmp_path / "song/curves.bin"
    assert len(service.jobs) == 1
    assert not (tmp_path / "song (2)").exists()


def test_a_job_that_is_watched_is_saved_likewise(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    stempipe("separate", song, "--analysis")
    assert stempipe("watch", "job0", "--out", "again").exit_code == 0
    assert tree(tmp_path / "again") == tree(tmp_path / "stems")


# ---- stems first -------------------------------------------------------------------------------------


def test_stems_are_saved_while_the_song_is_analysed(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    service.listening = True
    seen = []
    for step in client.separate(song, tmp_path / "out", Config(analysis=AnalysisConfig())):
        seen.append(step.phase)
        if service.jobs["job0"]["progress"] < 90 and step.phase == "working":
            service.jobs["job0"]["progress"] += 1
        if step.phase == "stems":
            assert tree(tmp_path / "out") == STEMS
            assert step.files["vocals"].read_bytes() == stem_of("vocals")
            assert (step.job.stage, step.job.status) == ("analysing", "processing")
            service.finish(service.jobs["job0"])
    assert seen.count("stems") == 1
    assert set(seen[seen.index("stems") :]) == {"stems", "working", "saving", "done"}
    assert service.count("GET /stems/.*") == 2  # once each
    assert tree(tmp_path / "out") == sorted(STEMS + FOUND)


def test_progress_goes_on_while_a_slow_storage_sends_the_stems(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    go_on = threading.Event()

    def slow(request: Request) -> Answer | None:
        if request.target.startswith("/stems/"):
            assert go_on.wait(30)
        return None

    service.listening = True
    service.faults.append(slow)
    told = []
    for step in client.separate(song, tmp_path / "out", Config(analysis=AnalysisConfig())):
        if step.phase == "working":
            told.append(step.percent)
            service.jobs["job0"]["progress"] = min(99, step.percent + 5)
            if step.percent == 99:
                service.finish(service.jobs["job0"])
                go_on.set()
    assert told == [80, 85, 90, 95, 99, 100]
    assert tree(tmp_path / "out") == sorted(STEMS + FOUND)


def test_stems_that_cannot_be_saved_end_it_and_nothing_goes_on(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    service.listening = True
    service.twist = where("GET", "/stems/", Answer(404, b"<Message>gone</Message>"))

    def again() -> None:
        deadline = time.monotonic() + 30
        for _ in client.separate(song, tmp_path / "out", Config(analysis=AnalysisConfig())):
            service.jobs["job0"]["version"] = service.jobs["job0"].get("version", 0) + 1
            assert time.monotonic() < deadline

    with pytest.raises(StempipeError, match="gone"):
        again()
    assert threading.active_count() < 5


def test_saved_stems_are_told_at_once(configured: Service, stempipe: Run, song: Path, tmp_path: Path) -> None:
    configured.listening = True
    command = [sys.executable, "-m", "stempipe_client", "separate", "song.mp3", "--analysis", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if (event := json.loads(line))["event"] == "saved":
            break
        assert event["event"] == "progress"
        if job := configured.jobs.get("job0"):
            job |= {"progress": min(99, job["progress"] + 1), "version": job.get("version", 0) + 1}
    assert event["files"]["vocals"] == "stems/song - vocals.wav"
    process.kill()  # and what was saved is known the next time
    process.wait()
    configured.finish(configured.jobs["job0"])
    assert stempipe("separate", song, "--analysis").exit_code == 0
    assert tree(tmp_path / "stems") == sorted(STEMS + FOUND)
    assert len(configured.jobs) == 1


def test_stems_of_a_job_that_fails_after_them_are_replaced_the_next_time(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    configured.listening = True

    def then_fail(request: Request, answer: Answer) -> Answer:
        job = configured.jobs.get("job0")
        if job and request.target == "/v1/jobs/job0":
            if list((tmp_path / "stems").glob("*vocals.wav")) and configured.count("GET /stems/.*") > 1:
                time.sleep(0.2)  # for the second stem to have its name
                job["fails"] = job.get("fails", 0) + 1
            if job.get("fails", 0) > 1:
                job |= {"status": "failed", "error": {"code": "worker_lost", "message": "Lost."}}
            job["version"] = job.get("version", 0) + 1
        return answer

    configured.twist = then_fail
    assert stempipe("separate", song, "--analysis").exit_code == 1
    assert tree(tmp_path / "stems") == STEMS
    configured.listening = False
    configured.twist = lambda request, answer: (
        Answer(200, b"of another job") if request.target.startswith("/stems/") else answer
    )
    assert stempipe("separate", song, "--analysis").exit_code == 0
    assert tree(tmp_path / "stems") == sorted(STEMS + FOUND)


# ---- an analysis that failed -------------------------------------------------------------------------

ERROR = {"code": "analysis_failed", "message": "Nothing was found."}


def test_an_analysis_that_failed_leaves_the_stems_and_has_an_exit_code(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    configured.unheard = ERROR
    done = stempipe("separate", song, "--analysis")
    assert done.exit_code == 5
    said = "failed  song.mp3, the analysis; its stems are saved: analysis_failed: Nothing was found."
    assert said in done.stdout.splitlines()
    assert tree(tmp_path / "stems") == STEMS
    done = stempipe("separate", song, "--analysis", "--json")
    assert done.exit_code == 5
    last = events(done.stdout)[-1]
    assert (last["event"], last["analysis"]) == ("done", {"state": "failed", "error": ERROR})
    assert last["files"].keys() == {"vocals", "accompaniment"}
    assert stempipe("watch", "job0").exit_code == 5
    assert stempipe("watch", "job0", "--out", "again").exit_code == 5
    assert tree(tmp_path / "again") == STEMS


def test_a_song_that_failed_counts_for_more(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    configured.unheard = ERROR
    (tmp_path / "broken.mp3").write_bytes(b"broken")
    done = stempipe("separate", song, "broken.mp3", "--analysis")
    assert done.exit_code == 1
    assert f"  {song}, the analysis: analysis_failed: Nothing was found." in done.stdout.splitlines()


# ---- what is not trusted -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("../x.json", "/etc/x.conf", ".bashrc", "a/b.mid", "a\\b.mid", "..", "", "x", "x.", "c:x.mid"),
        *("a\n.mid", "\u202ex.mid", "x.mid\n", "x.mid ", f"{'x' * 200}.mid", "\x00.mid", "x.thelongending"),
        *("conftest.py", "x.sh", "index.html", "x.toml", "x.lnk", "x.MID", "authorized.keys"),
    ],
)
def test_a_file_that_is_none_is_no_answer(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, name: str
) -> None:
    assert not is_file_name(name)
    configured.found = ("analysis.json", name)
    done = stempipe("separate", song, "--analysis", "--out", "a/b", "--json")
    assert done.exit_code == 1
    assert events(done.stdout)[-1]["error"]["code"] == "api_error"
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "name", ["analysis.json", "Lead Vox 2.mid", "_aux.mid", "日本.mid", "v.player.index"]
)
def test_a_name_that_can_be_is_kept(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, name: str
) -> None:
    assert is_file_name(name)
    configured.found = (name, "con.mid")
    assert stempipe("separate", song, "--analysis").exit_code == 0
    assert f"song/{name}" in tree(tmp_path / "stems") or name == "analysis.json"
    assert "song/_con.mid" in tree(tmp_path / "stems")  # Windows has no such file


@pytest.mark.parametrize("link", ["file:///etc/passwd", "/found/x", ""])
def test_a_link_that_is_none_is_no_answer(configured: Service, stempipe: Run, song: Path, link: str) -> None:
    files = {"files": [{"name": "analysis.json", "kind": "analysis", "url": link}]}
    configured.twist = where("GET", "/v1/jobs/job0/files", Answer(200, json.dumps(files).encode()))
    done = stempipe("separate", song, "--analysis", "--json")
    assert events(done.stdout)[-1]["error"]["code"] == "api_error"


def test_kinds_of_files_that_are_for_others_are_not_saved(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    stempipe("separate", song, "--analysis")
    assert not list((tmp_path / "stems").rglob("*.player.*"))
    assert not configured.count("GET /found/player")


def test_a_program_can_have_what_a_player_needs(service: Service, client: Client, song: Path) -> None:
    *_, done = client.separate(song, song.parent / "out", Config(player=True))
    assert service.jobs["job0"]["config"]["player"] is True
    (file,) = [file for file in client.files(done.job.id) if file.kind == "player"]
    assert (file.name, file.url) == ("vocals.player.flac", f"{service.url}/found/player")


@pytest.mark.parametrize(
    ("file", "bad"),
    [
        ("analysis.json", Answer(200, PAGE, HTML)),
        ("curves.csv", Answer(200, b'{"message": "log in"}', {"Content-Type": "application/json"})),
        ("curves.bin", Answer(200, b'{"message": "log in"}', {"Content-Type": "application/json"})),
        ("analysis.json", Answer(403, b"<Message>Request has expired</Message>")),
        ("song.mid", cut_short(stem_of("song.mid")[:1000], len(stem_of("song.mid")))),
    ],
)
def test_a_download_gets_better(
    service: Service, client: Client, song: Path, tmp_path: Path, file: str, bad: Answer
) -> None:
    service.faults.append(lambda request: bad if request.target.endswith(f"/{file}") else None)
    assert hear(client, song, tmp_path)[file].read_bytes() == stem_of(file)
    assert service.count("GET /v1/jobs/job0/files") == 2  # with new links
    assert not list(tmp_path.rglob(".*"))


def test_a_file_that_is_gone_ends_it_and_the_same_command_goes_on(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    configured.twist = where("GET", "/found/job0/curves.bin", Answer(404, b"<Message>gone</Message>"))
    assert stempipe("separate", song, "--analysis").exit_code == 1
    configured.twist = lambda request, answer: answer
    assert stempipe("separate", song, "--analysis").exit_code == 0
    assert tree(tmp_path / "stems") == sorted(STEMS + FOUND)
    assert len(configured.jobs) == 1
