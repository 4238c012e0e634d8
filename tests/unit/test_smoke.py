"""`make smoke` against what answers as no deployment should: every check is made, and says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.http import Answer, Request, serving
from tests.smoke.__main__ import TOKEN, main
from tests.smoke.checks import CHECKS, LIVE_CHECKS


def throttled(request: Request) -> Answer:
    """As API Gateway answers whoever asks too often."""
    return Answer(429, b'{"message":"Too Many Requests"}')


def without_a_websocket(request: Request) -> Answer:
    """Jobs can be had, but nobody may connect."""
    if request.method == "POST":
        return Answer(201, json.dumps({"job": {"id": "01K"}, "upload": {}}).encode())
    return Answer(403, b'{"message":"Forbidden"}')


def short(request: Request) -> Answer:
    """What is not even whole."""
    return Answer(200, b"{", {"Content-Length": "100", "Connection": "close"})


@pytest.mark.parametrize("answer", [throttled, without_a_websocket, short])
def test_whatever_is_answered_every_check_is_made_and_reported(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: Callable[[Request], Answer],
) -> None:
    monkeypatch.setenv(TOKEN, "token")
    with serving(answer) as url:
        assert (
            main(["--api", url, "--live", url.replace("http", "ws"), "--callback", "https://receiver"]) == 1
        )
    said = capsys.readouterr().out.splitlines()
    checks = [check.__name__.replace("_", " ") for check in (*CHECKS, *LIVE_CHECKS)]
    assert [line[10:][: len(check)] for line, check in zip(said, checks, strict=False)] == checks
    failed = sum(line.startswith("FAILED ") for line in said)
    assert (len(said), said[-1]) == (len(checks) + 1, f"{failed} failed")
    assert failed >= len(checks) - 1


def test_a_song_that_is_not_there_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN, "token")
    with pytest.raises(SystemExit):
        main(["--api", "http://127.0.0.1:9", "--song", "no-such-song.mp3"])
    assert "No such file or directory: 'no-such-song.mp3'" in capsys.readouterr().err
