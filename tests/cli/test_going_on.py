"""The same command again goes on, whatever went wrong, as long as there is something to go on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stempipe_client import Client, Config, FinalError, TransientError
from stempipe_client.command import login
from stempipe_client.command.exits import Exit
from stempipe_client.command.run import separate_songs
from stempipe_client.command.songs import collect
from tests.cli.conftest import QUICK, Run
from tests.cli.service import HTML, PAGE, TOKEN, Service, says, stem_of, where
from tests.http import Answer

pytestmark = pytest.mark.usefixtures("quick")


def vocals(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*vocals*.wav"))}


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
            songs = collect([song], tmp_path / "out")
            return separate_songs(client, "service", songs, Config(), as_json=True)[0]

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
        if next(asked) in (1, 2, 3):  # over WebSocket first, then polling
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
            return separate_songs(client, service.url, collect([song], tmp_path / "out"), Config())[0]

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
        Answer(200, b'{"AuthenticationResult": {"AccessToken": "a", "ExpiresIn": 1%s}}' % (b"0" * 400)),
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
