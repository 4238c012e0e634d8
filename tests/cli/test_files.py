"""What the command writes: nothing outside its folder, and over nothing that is somebody else's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from stempipe_client import Client, Job
from stempipe_client.files import Place
from tests.cli.conftest import Run
from tests.cli.service import Service, says, stem_of
from tests.http import Answer, Request

pytestmark = pytest.mark.usefixtures("quick")


def tree(folder: Path) -> dict[str, bytes]:
    """All files but the command's own notes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "home" not in path.relative_to(folder).parts
    }


def vocals(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*vocals*.wav"))}


@pytest.mark.parametrize(
    "fields",
    [
        *({"id": bad} for bad in ("../x", "", "a" * 65, "job0\n", "a b", ".", "j\u00f6b", 3, None)),
        *(
            {"results": {"stems": {stem: "http://127.0.0.1:1/x"}}}
            for stem in ("/vocals", ".bashrc", "", "v" * 40, "vocals\n", "con:x", "VOCALS")
        ),
        *({"results": {"stems": {"vocals": link}}} for link in ("/etc/passwd", "", "http://", "https://a b")),
        {"attempt": -1},
        {"attempt": 10**30},
    ],
    ids=lambda fields: json.dumps(fields)[:60],
)
def test_what_could_not_become_a_files_name_is_no_answer(fields: dict[str, Any]) -> None:
    answer = {
        "id": "0" * 32,
        "status": "completed",
        "source": {"filename": "song.mp3", "bytes": 1},
        "createdAt": "2026-01-01T12:00:00Z",
        "expiresAt": "2026-01-08T12:00:00Z",
        "results": {"stems": {"vocals": "https://storage/x?y=%2F"}},
    }
    Job.model_validate_json(json.dumps(answer))
    with pytest.raises(ValidationError):
        Job.model_validate_json(json.dumps(answer | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "/../../victim/x"},
        {"results": {"stems": {"../vocals": "http://127.0.0.1:1/x"}}},
        {"results": {"stems": {"vocals": "file:///etc/passwd"}}},
        {"config": {"quality": {"outputFormat": "../x"}}},
        {"config": {"quality": ["wav"]}},
    ],
    ids=lambda fields: json.dumps(fields)[:60],
)
def test_what_would_be_no_name_of_a_file_is_refused(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, fields: dict[str, Any]
) -> None:
    before = tree(tmp_path)
    configured.twist = says(**fields)
    done = stempipe("separate", song, "--out", "a/b", "--json")
    assert done.exit_code == 1, done.stdout
    assert tree(tmp_path) == before
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] in ("api_error", "download_failed")


@pytest.mark.parametrize("filename", [".bashrc", "../../.bashrc", "a/../.envrc", "\u202eMakefile", "", "/"])
def test_a_stem_of_a_watched_job_is_named_by_the_command(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, filename: str
) -> None:
    stempipe("separate", song)
    (tmp_path / ".bashrc").write_text("mine")
    before = tree(tmp_path)
    evil = {"Content-Disposition": 'attachment; filename=".bashrc"'}
    configured.twist = lambda request, answer: (
        Answer(answer.status, answer.body, evil)
        if request.target.startswith("/stems/")
        else says(source={"filename": filename, "bytes": 1})(request, answer)
    )
    assert stempipe("watch", "job0", "--out", ".").exit_code == 0
    made = tree(tmp_path).keys() - before.keys()
    assert len(made) == 2
    assert all(re.fullmatch(r"[^./\u202e][^/\u202e]* - (vocals|accompaniment)\.wav", name) for name in made)
    assert {name: tree(tmp_path)[name] for name in before} == before


def test_a_file_of_the_users_own_is_left_alone_and_the_stem_is_numbered(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    out = tmp_path / "stems"
    out.mkdir()
    (out / "song - vocals.wav").write_bytes(b"mine")
    (out / "song - vocals (2).wav").symlink_to(song)
    for _ in range(2):  # the second time it replaces what it made the first time
        done = stempipe("separate", song)
        assert "stems/song - vocals (3).wav" in done.stdout
        assert vocals(out) == {
            "song - vocals.wav": b"mine",
            "song - vocals (2).wav": song.read_bytes(),
            "song - vocals (3).wav": stem_of("vocals"),
        }
    assert song.read_bytes().startswith(b"sound")


def test_the_same_command_again_replaces_its_own_files_and_no_others(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    def other_bytes(request: Request, answer: Answer) -> Answer:
        number = len(configured.jobs)
        is_stem = request.target.startswith("/stems/")
        return Answer(200, f"of job {number}".encode()) if is_stem else answer

    configured.twist = other_bytes
    out = tmp_path / "stems"
    stempipe("separate", song)
    stempipe("separate", song)
    assert vocals(out) == {"song - vocals.wav": b"of job 2"}
    stempipe("separate", song, "--bandwidth", "16khz")
    assert vocals(out) == {"song - vocals.wav": b"of job 2", "song - vocals (2).wav": b"of job 3"}
    (out / "song - vocals.wav").write_bytes(b"mixed by me")
    stempipe("separate", song)
    stempipe("separate", song, "--bandwidth", "16khz")
    assert vocals(out) == {
        "song - vocals.wav": b"mixed by me",
        "song - vocals (2).wav": b"of job 5",
        "song - vocals (3).wav": b"of job 4",
    }


def test_a_job_that_is_saved_twice_is_there_once(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    stempipe("separate", song)
    for _ in range(2):
        stempipe("watch", "job0", "--out", "again")
    assert vocals(tmp_path / "again") == {"song - vocals.wav": stem_of("vocals")}
    (tmp_path / "again/song - vocals.wav").write_bytes(b"mine")
    stempipe("watch", "job0", "--out", "again")
    assert vocals(tmp_path / "again")["song - vocals.wav"] == b"mine"
    assert vocals(tmp_path / "again")["song - vocals (2).wav"] == stem_of("vocals")


def test_names_are_taken_on_a_disk_without_links_as_well(
    client: Client, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    (tmp_path / "song - vocals.wav").write_bytes(b"mine")
    *_, done = client.separate(song, tmp_path)
    assert done.files["vocals"].name == "song - vocals (2).wav"
    assert done.files["vocals"].read_bytes() == stem_of("vocals")
    assert (tmp_path / "song - vocals.wav").read_bytes() == b"mine"
    assert not list(tmp_path.glob(".*.part"))


def test_a_folder_of_elsewhere_that_a_link_leads_to_is_left_alone(tmp_path: Path) -> None:
    elsewhere, out, unfinished = tmp_path / "elsewhere", tmp_path / "out", tmp_path / "out/.part"
    for folder in (elsewhere, out):
        folder.mkdir()
    (elsewhere / "curves.csv").write_text("one's own")
    unfinished.write_text("found")
    (out / "song").symlink_to(elsewhere)
    put = Place(out, "song", lambda _: True).put_found({"curves.csv": unfinished})
    assert put == {"curves.csv": out / "song (2)/curves.csv"}
    assert (elsewhere / "curves.csv").read_text() == "one's own"
