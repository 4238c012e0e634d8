"""The command and a service that means harm, or is out of luck: what it writes, prints, and goes on with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from stempipe_client import Client, Config, FinalError, Job, TransientError
from stempipe_client.command import login
from stempipe_client.command.exits import Exit
from stempipe_client.command.run import separate_songs
from stempipe_client.command.songs import collect
from tests.cli.conftest import QUICK, Run
from tests.cli.service import STEM_BYTES, TOKEN, Service, Twist, cut_short, stem_of
from tests.http import Answer, Request

pytestmark = pytest.mark.usefixtures("quick")

PAGE = b"<html>Welcome to the hotel's network. <Message>Log in</Message></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}
STEERING = re.compile(r"[^\n\x20-\x7e\u00a0-\U0010ffff]|[\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
EVIL = "\x1b]0;PWNED\x07\x1b[2J\x9b2J\u202e[bold red]x[/] \r\nfailed  other"


def says(**fields: Any) -> Twist:
    """Every job in an answer has these fields."""

    def twist(request: Request, answer: Answer) -> Answer:
        if not answer.headers.get("Content-Type", "").startswith("application/json"):
            return answer
        body = json.loads(answer.body)
        for job in body.get("jobs", [body.get("job", body)]):
            if "status" in job:
                job |= fields
        return Answer(answer.status, json.dumps(body).encode(), answer.headers)

    return twist


def where(method: str, path: str, instead: Answer) -> Twist:
    """That answer to every such request."""
    return lambda request, answer: (
        instead if request.method == method and re.match(path, request.target) else answer
    )


def tree(folder: Path) -> dict[str, bytes]:
    """All files but the command's own notes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "home" not in path.relative_to(folder).parts
    }


# ---- paths -----------------------------------------------------------------------------------------


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


# ---- files that are somebody else's ----------------------------------------------------------------


def vocals(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*vocals*.wav"))}


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


# ---- going on --------------------------------------------------------------------------------------

UNLUCKY = {
    "download 302": where("GET", "/stems/", Answer(302, b"", {"Location": "http://portal/"})),
    "download 403": where("GET", "/stems/", Answer(403, b"<Message>Request has expired</Message>")),
    "download 404": where("GET", "/stems/", Answer(404, PAGE, HTML)),
    "download 204": where("GET", "/stems/", Answer(204)),
    "download of a page": where("GET", "/stems/", Answer(200, PAGE, HTML)),
    "download of another range": where(
        "GET", "/stems/", Answer(206, b"x", {"Content-Range": "bytes 100-2999/*"})
    ),
    "download without a length": where("GET", "/stems/", Answer(200, b"some", {"Connection": "close"})),
    "expired upload": where("POST", "/upload/", Answer(403, b"<Message>Policy expired.</Message>")),
    "a page of a proxy": where("GET", "/v1/jobs/", Answer(200, PAGE, HTML)),
    "a refusal of a proxy": where("GET", "/v1/jobs/", Answer(403, PAGE, HTML)),
    "a redirect of a proxy": where("GET", "/v1/jobs/", Answer(302, b"", {"Location": "http://portal/"})),
    "another service there": where("GET", "/v1/jobs/", Answer(404, b'{"message": "Not Found"}')),
    "an expired token": where("GET", "/v1/jobs/", Answer(401, b'{"message": "Unauthorized"}')),
    "nested brackets": where("GET", "/v1/jobs/", Answer(200, b"[" * 200_000)),
    "nested brackets of a refusal": where("GET", "/v1/jobs/", Answer(400, b"[" * 200_000)),
}


@pytest.mark.parametrize("name", UNLUCKY)
def test_the_same_command_again_goes_on_with_the_same_job(
    service: Service, stempipe: Run, song: Path, tmp_path: Path, name: str
) -> None:
    def separate() -> Any:
        with Client(service.url, TOKEN, pace=QUICK) as client:
            return separate_songs(
                client, "service", collect([song], tmp_path / "out"), Config(), as_json=True
            )

    service.twist = UNLUCKY[name]
    assert separate() is not Exit.DONE
    assert not vocals(tmp_path / "out")
    service.twist = lambda request, answer: answer
    assert separate() is Exit.DONE
    assert vocals(tmp_path / "out") == {"song - vocals.wav": stem_of("vocals")}
    assert len(service.jobs) == 1


def test_a_login_that_cannot_be_reached_for_a_moment_is_waited_for(
    service: Service, song: Path, tmp_path: Path
) -> None:
    asked = iter(range(100))

    def token() -> str:
        if next(asked) in (2, 3):
            raise TransientError("unreachable", "Cognito cannot be reached.")
        return TOKEN

    with Client(service.url, token, "ws://127.0.0.1:1", pace=QUICK) as client:
        *_, done = client.separate(song, tmp_path)
    assert done.phase == "done"
    assert next(asked) > 4


def test_after_a_login_that_cannot_be_reached_the_same_command_goes_on(
    home: Path, service: Service, song: Path, tmp_path: Path
) -> None:
    asked: list[int] = []

    def token() -> str:
        asked.append(1)
        if 2 < len(asked) < 10:
            raise TransientError("unreachable", "Cognito cannot be reached.")
        return TOKEN

    def separate() -> Exit:
        with Client(service.url, token, pace=QUICK) as client:
            return separate_songs(client, service.url, collect([song], tmp_path / "out"), Config())

    service.held = True
    assert separate() is Exit.UNREACHABLE
    service.finish(service.jobs["job0"])
    asked.extend([1] * 10)
    assert separate() is Exit.DONE
    assert len(service.jobs) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, b"{}"),
        Answer(500, b'{"__type": "InternalErrorException", "message": "Ours."}'),
        Answer(400, b'{"__type": "TooManyRequestsException", "message": "Slower."}'),
        Answer(200, PAGE, HTML),
        Answer(403, PAGE, HTML),
        Answer(302, b"", {"Location": "http://portal/"}),
        Answer(200, b"[" * 200_000),
        Answer(200, b'{"AuthenticationResult": null}'),
        Answer(200, b'{"AuthenticationResult": {"AccessToken": "a", "ExpiresIn": "soon"}}'),
        Answer(200, b'["AuthenticationResult"]'),
    ],
)
def test_a_login_that_does_not_answer_well_may_pass(service: Service, answer: Answer) -> None:
    service.twist = lambda request, _: answer
    with pytest.raises(TransientError) as failure:
        login.Cognito(f"{service.url}/", "c").renew("refresh")
    assert failure.value.code == "unreachable"


def test_nobody_there_to_log_in_with_may_pass() -> None:
    with pytest.raises(TransientError):
        login.Cognito("http://127.0.0.1:1/", "c").renew("refresh")


def test_a_job_whose_song_never_came_is_made_anew(
    configured: Service, stempipe: Run, song: Path, tmp_path: Path
) -> None:
    configured.twist = where("POST", "/upload/", Answer(400, b"cut"))
    assert stempipe("separate", song).exit_code == 1
    configured.twist = lambda request, answer: answer
    error = {"code": "upload_missing", "message": "No song was uploaded before the link expired."}
    configured.jobs["job0"] |= {"status": "failed", "error": error}
    assert stempipe("separate", song).exit_code == 0
    assert len(configured.jobs) == 2
    configured.twist = says(status="failed", error=error)
    assert stempipe("separate", song).exit_code == 1  # and not for ever
    assert len(configured.jobs) == 4


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_config", 422),
        ("invalid_request", 422),
        ("idempotency_conflict", 409),
        ("job_not_found", 404),
    ],
)
def test_what_can_never_be_had_is_forgotten(
    configured: Service, stempipe: Run, song: Path, home: Path, code: str, status: int
) -> None:
    refusal = Answer(status, json.dumps({"error": {"code": code, "message": "No."}}).encode())
    configured.twist = where("POST", "/v1/jobs", refusal)
    assert stempipe("separate", song).exit_code in (1, 2)
    assert not list((home / "state/stempipe/songs").iterdir())


def test_a_job_that_has_failed_is_forgotten(configured: Service, stempipe: Run, song: Path) -> None:
    configured.twist = says(status="failed", error={"code": "worker_lost", "message": "Lost."})
    stempipe("separate", song)
    configured.twist = lambda request, answer: answer
    assert stempipe("separate", song).exit_code == 0
    assert len(configured.jobs) == 2


def test_a_job_that_has_failed_is_a_final_error(client: Client, service: Service, song: Path) -> None:
    service.twist = says(status="cancelled", error=None)
    with pytest.raises(FinalError, match="cancelled"):
        list(client.separate(song, song.parent))


# ---- downloads -------------------------------------------------------------------------------------

VOCALS = stem_of("vocals")
HALF = len(VOCALS) // 2


def ranged(span: str, content: bytes) -> Answer:
    return Answer(206, content, {"Content-Range": span})


@pytest.mark.parametrize(
    "bad",
    [
        ranged(f"bytes {HALF}-{len(VOCALS) - 1}/*", VOCALS[HALF:]),
        ranged(f"bytes 0-{len(VOCALS) - 1}/{len(VOCALS)}", VOCALS),
        ranged(f"bytes {HALF + 1}-{len(VOCALS) - 1}/{len(VOCALS)}", VOCALS[HALF + 1 :]),
        ranged(f"bytes {HALF}-{HALF + 9}/{len(VOCALS)}", VOCALS[HALF : HALF + 10]),
        ranged(f"bytes {HALF}-{len(VOCALS) - 1}/{len(VOCALS)}", VOCALS),
        ranged(f"bytes {HALF}-{HALF}/{HALF}", b""),
        ranged(f"bytes {HALF}-{HALF}/{'9' * 5000}", b"x"),
        ranged("", VOCALS[HALF:]),
        Answer(200, VOCALS[:100], {"Connection": "close"}),
        Answer(200, b""),
        Answer(200, VOCALS, {"Content-Encoding": "gzip"}),
        Answer(200, PAGE, HTML),
        Answer(206, PAGE, HTML | {"Content-Range": f"bytes {HALF}-{HALF + 9}/{len(VOCALS)}"}),
        Answer(204),
        Answer(302, b"", {"Location": "http://portal/"}),
        Answer(416, b"", {"Content-Range": f"bytes */{len(VOCALS)}"}),
        cut_short(b"", 10),
    ],
    ids=lambda answer: f"{answer.status} {dict(answer.headers)}"[:70],
)
@pytest.mark.parametrize("begun", [True, False])
def test_a_download_gets_better(
    service: Service, client: Client, song: Path, tmp_path: Path, bad: Answer, begun: bool
) -> None:
    answers = ([cut_short(VOCALS[:HALF], len(VOCALS))] if begun else []) + [bad]

    def fault(answer: Answer) -> Callable[[Request], Answer | None]:
        return lambda request: answer if request.target.endswith("/vocals") else None

    service.faults.extend(map(fault, answers))
    *_, done = client.separate(song, tmp_path)
    assert done.files["vocals"].read_bytes() == VOCALS
    assert not service.faults


@pytest.mark.parametrize("length", [3000, STEM_BYTES])
def test_a_storage_that_answers_a_range_with_everything_is_taken_at_its_word(
    service: Service, client: Client, song: Path, tmp_path: Path, length: int
) -> None:
    content = VOCALS[:length]
    short = cut_short(content[: length // 2], length)
    service.faults.append(lambda request: short if request.target.endswith("/vocals") else None)
    service.twist = lambda request, answer: (
        Answer(200, content)
        if request.target.startswith("/stems/") and request.headers.get("range")
        else answer
    )
    *_, done = client.separate(song, tmp_path)
    assert done.files["vocals"].read_bytes() == content


# ---- what is printed -------------------------------------------------------------------------------


def hostile_words(configured: Service) -> None:
    configured.twist = says(
        source={"filename": f"{EVIL}.mp3", "bytes": 1},
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
    name = "a\x1b]0;PWNED\x07\x9b\u202e [bold]b"
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


# ---- names that are no UTF-8 -----------------------------------------------------------------------


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
