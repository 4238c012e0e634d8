"""What was filled or left out of a song is said by the command."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.service import Service

NOTICES = [
    {"code": "gap", "message": "0.40 s of the sound are missing at 1.60 s.", "seconds": 0.4},
    {"code": "overlap", "message": "0.30 s of the sound are there twice.", "seconds": 0.3},
]


def test_each_notice_is_a_line_after_the_stems(configured: Service, stempipe: Run, song: Path) -> None:
    configured.notices = NOTICES
    lines = stempipe("separate", "song.mp3").stdout.splitlines()
    said = [f"notice  song.mp3: {notice['message']}" for notice in NOTICES]
    assert lines[-2:] == said
    (job,) = configured.jobs
    assert stempipe("watch", job).stdout.splitlines()[-2:] == said


def test_in_json_they_are_data(configured: Service, stempipe: Run, song: Path) -> None:
    configured.notices = NOTICES
    *_, done = map(json.loads, stempipe("separate", "song.mp3", "--json").stdout.splitlines())
    assert (done["event"], done["notices"]) == ("done", NOTICES)


def test_a_song_that_is_whole_has_none(configured: Service, stempipe: Run, song: Path) -> None:
    assert "notice" not in stempipe("separate", "song.mp3").stdout
    *_, done = map(json.loads, stempipe("separate", "song.mp3", "--json").stdout.splitlines())
    assert done["notices"] == []
