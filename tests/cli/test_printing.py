"""What the command prints of a service's answers and of files' names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.service import QUOTA, Service, says, where
from tests.http import Answer

pytestmark = pytest.mark.usefixtures("quick")


STEERING = re.compile(r"[^\n\x20-\x7e\u00a0-\U0010ffff]|[\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
EVIL = "\x1b]0;PWNED\x07\x1b[2J\x7f\x9b2J\u202e[bold red]x[/] \r\nfailed  other"


def hostile_words(configured: Service) -> None:
    configured.twist = says(
        source={"filename": f"{EVIL}.mp3", "bytes": 1, "kind": EVIL},
        title=f"{EVIL}.mp3",
        stage=EVIL,
        error={"code": EVIL, "message": EVIL},
    )


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("command", ["jobs", "watch", "separate", "retry", "cancel"])
def test_nothing_that_is_printed_steers_the_terminal(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, command: str, as_json: bool
) -> None:
    stempipe("separate", song)
    configured.jobs["job0"] |= {"status": "failed"}
    hostile_words(configured)
    name = "a\x1b]0;PWNED\x07\x7f\x9b\u202e [bold]b"
    (tmp_path / f"{name}.mp3").write_bytes(b"broken")
    (tmp_path / f"{name}.wma").write_bytes(b"sound")
    target = {"jobs": [], "separate": ["."]}.get(command, ["job0"])
    flags = ["--json"] if as_json and command in ("jobs", "watch", "separate") else []
    done = stempipe(command, *target, *flags)
    for output in (done.stdout, done.stderr):
        assert not STEERING.search(output), output
        assert "failed  other" not in output.splitlines()
    if flags:
        for line in done.stdout.splitlines():
            json.loads(line)
            assert line.isascii()
            assert line.isprintable()
    elif command in ("jobs", "watch", "separate"):
        assert "[bold red]x[/]" in done.stdout  # no markup
    if command == "separate":
        assert "[bold]b" in done.stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_an_analysis_that_failed_in_other_words_is_printed_as_text(
    configured: Service, stempipe: Run, song: Path, as_json: bool
) -> None:
    configured.unheard = {"code": EVIL, "message": EVIL}
    done = stempipe("separate", song, "--analysis", *(["--json"] if as_json else []))
    assert done.exit_code == 5
    assert not STEERING.search(done.stdout + done.stderr)
    assert "failed  other" not in (done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize("field", ["message", "code"])
def test_a_refusal_in_other_words_is_printed_as_text(configured: Service, stempipe: Run, field: str) -> None:
    words = {"code": "x", "message": "m"} | {field: EVIL}
    configured.twist = where("GET", "/v1/jobs", Answer(400, json.dumps({"error": words}).encode()))
    done = stempipe("jobs")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert not STEERING.search(done.stderr)


@pytest.mark.parametrize(
    "fields",
    [
        {"createdAt": "0001-01-01T00:00:00Z"},
        {"createdAt": "9999-12-31T23:59:59-12:00"},
        {"source": {"filename": "\ud800", "bytes": 1}},
        {"progress": 10**4000},
        {"estimatedTimeRemaining": float("inf")},
        {"estimatedTimeRemaining": 1e300, "status": "processing"},
        {"status": "[bold]"},
        {"id": "[bold]"},
    ],
    ids=lambda fields: str(fields)[:50],
)
def test_a_list_of_nonsense_ends_without_a_traceback(
    configured: Service, stempipe: Run, song: Path, fields: dict[str, Any]
) -> None:
    stempipe("separate", song)
    configured.twist = says(**fields)
    for arguments in (["jobs"], ["jobs", "--json"]):
        done = stempipe(*arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert done.exit_code in (0, 1)


@pytest.mark.parametrize("resets_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_day_that_begins_at_no_time_is_shown_all_the_same(
    configured: Service, stempipe: Run, resets_at: str
) -> None:
    quota = json.dumps(QUOTA).replace("2026-01-02T00:00:00Z", resets_at)
    configured.twist = where("GET", "/v1/quota", Answer(200, quota.encode()))
    done = stempipe("quota")
    assert done.exit_code == 0
    assert "begins at -" in done.stdout


def test_what_programs_are_to_read_is_json_whatever_its_numbers(
    configured: Service, stempipe: Run, song: Path
) -> None:
    def fail(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    stempipe("separate", song)
    configured.twist = says(config={"a": float("inf")}, cost={"gbSeconds": float("nan"), "usd": 1})
    done = stempipe("jobs", "--json")
    job = json.loads(done.stdout, parse_constant=fail)
    assert (job["config"], job["cost"]["gbSeconds"]) == ({"a": None}, None)


def test_a_terminal_that_lacks_a_letter_gets_another(configured: Service, tmp_path: Path) -> None:
    (tmp_path / "日本.mp3").write_bytes(b"sound")
    done = subprocess.run(
        [sys.executable, "-m", "stempipe_client", "separate", "日本.mp3"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"stems/?? - vocals.wav" in done.stdout
    assert (tmp_path / "stems/日本 - vocals.wav").exists()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_name_that_is_no_utf_8_is_mended(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, as_json: bool
) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in (b"caf\xe9.mp3", b"caf\xe8.mp3", b"good.mp3", b"\xff.wma"):
        (folder / os.fsdecode(name)).write_bytes(b"sound")
    (folder / os.fsdecode(b"broken \xe9.mp3")).write_bytes(b"broken")
    done = stempipe("separate", "album", *(["--json"] if as_json else []))
    assert done.exit_code == 1
    assert not isinstance(done.exception, UnicodeError)
    made = sorted(path.name for path in (tmp_path / "stems").glob("*vocals.wav"))
    assert made == ["caf_ (2) - vocals.wav", "caf_ - vocals.wav", "good - vocals.wav"]
    assert {job["source"]["filename"] for job in configured.jobs.values()} >= {"caf_.mp3", "good.mp3"}
    done.stdout.encode()
    if as_json:
        events = [json.loads(line) for line in done.stdout.splitlines()]
        json.dumps(events, ensure_ascii=False).encode()
        assert "album/broken \ufffd.mp3" in {event["song"] for event in events if event["event"] == "failed"}


def test_a_song_that_cannot_be_read_fails_alone_whatever_its_name(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / os.fsdecode(b"gone \xe9.mp3")
    bad.write_bytes(b"sound")
    opened = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == bad.name:
            raise OSError(5, "Input/output error", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    done = stempipe("separate", ".", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    json.dumps(events, ensure_ascii=False).encode()
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert failed["error"]["code"] == "file_error"
    assert [event["song"] for event in events if event["event"] == "done"] == ["song.mp3"]
