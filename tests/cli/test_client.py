"""The Python client, against a service that misbehaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from stempipe_client import Client, Config, Pace, Status, StempipeError, live
from tests.cli.conftest import QUICK
from tests.cli.service import STEM_BYTES, TOKEN, Service, cut_short, on, stem_of
from tests.http import Answer


def test_a_song_is_sent_worked_on_saved_and_done(client: Client, song: Path, tmp_path: Path) -> None:
    steps = list(client.separate(song, tmp_path / "out", Config(model_variant="2stems")))
    phases = [step.phase for step in steps]
    assert sorted(set(phases), key=phases.index) == ["sending", "working", "saving", "done"]
    assert {stem: path.name for stem, path in steps[-1].files.items()} == {
        "vocals": "song - vocals.wav",
        "accompaniment": "song - accompaniment.wav",
    }
    assert steps[-1].files["vocals"].read_bytes() == stem_of("vocals")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "song - accompaniment.wav",
        "song - vocals.wav",
    ]


def test_percent_never_falls_within_a_phase(client: Client, song: Path, tmp_path: Path) -> None:
    steps = list(client.separate(song, tmp_path))
    for phase in ("sending", "saving"):
        percent = [step.percent for step in steps if step.phase == phase]
        assert percent == sorted(percent)
        assert percent[-1] == 100


def test_stems_are_named_as_asked_even_if_the_name_is_too_long(
    client: Client, song: Path, tmp_path: Path
) -> None:
    *_, done = client.separate(song, tmp_path, name="ü" * 300)
    names = [path.name for path in done.files.values()]
    assert all(len(name.encode()) <= 255 for name in names)
    assert [name.rpartition(" - ")[2] for name in names] == ["vocals.wav", "accompaniment.wav"]


def test_a_failed_job_is_raised_with_its_own_code(client: Client, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"broken")
    with pytest.raises(StempipeError) as failure:
        list(client.separate(broken, tmp_path))
    assert (failure.value.code, failure.value.message) == ("corrupt_media", "The file is damaged.")


def test_the_same_key_goes_on_with_the_same_job_and_sends_nothing_twice(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        *_, done = client.separate(song, tmp_path, idempotency_key="k")
    assert len(service.jobs) == 1
    assert service.count("POST /upload/.*") == 1
    assert done.files.keys() == {"vocals", "accompaniment"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_fails_in_passing_is_asked_again(
    service: Service, client: Client, song: Path, status: int
) -> None:
    service.faults.append(on("POST", "/v1/jobs", Answer(status)))
    assert client.create(song).job.status is Status.AWAITING_UPLOAD
    assert len(service.jobs) == 1


def test_what_is_refused_is_not_asked_again(service: Service, client: Client, song: Path) -> None:
    refusal = json.dumps({"error": {"code": "too_large", "message": "Too large."}}).encode()
    service.faults.append(on("POST", "/v1/jobs", Answer(413, refusal)))
    with pytest.raises(StempipeError) as failure:
        client.create(song)
    assert (failure.value.code, failure.value.message) == ("too_large", "Too large.")
    assert service.count("POST /v1/jobs") == 1


def test_what_is_over_the_quota_is_not_asked_for_again_and_again(
    service: Service, client: Client, song: Path
) -> None:
    refusal = json.dumps({"error": {"code": "quota_exceeded", "message": "No more today."}}).encode()
    service.faults.append(on("POST", "/v1/jobs", Answer(429, refusal)))
    with pytest.raises(StempipeError, match=r"No more today\. What is left says: stempipe quota") as failure:
        client.create(song)
    assert failure.value.code == "quota_exceeded"
    assert service.count("POST /v1/jobs") == 1
    assert client.quota().open_jobs.left == 997


def test_a_bad_token_is_unauthorized(service: Service) -> None:
    with Client(service.url, "bad") as client, pytest.raises(StempipeError) as failure:
        client.job("job0")
    assert failure.value.code == "unauthorized"


def test_an_address_where_nobody_answers_is_unreachable() -> None:
    with (
        Client("http://127.0.0.1:1", TOKEN, pace=Pace(pauses=())) as client,
        pytest.raises(StempipeError) as failure,
    ):
        client.job("job0")
    assert failure.value.code == "unreachable"


def test_an_upload_that_breaks_is_sent_again(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    service.faults.append(on("POST", "/upload/", Answer(500)))
    *_, done = client.separate(song, tmp_path)
    assert done.phase == "done"
    assert service.count("POST /upload/.*") == 2


def test_an_upload_that_is_refused_says_what_the_storage_says(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    said = b"<Error><Code>EntityTooSmall</Code><Message>Too small.</Message></Error>"
    service.faults.append(on("POST", "/upload/", Answer(400, said)))
    with pytest.raises(StempipeError, match=r"upload_refused: .* 400: Too small\."):
        list(client.separate(song, tmp_path))


def test_a_download_that_breaks_goes_on_where_it_was(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    half = stem_of("vocals")[: STEM_BYTES // 2]
    service.faults.append(on("GET", "/stems/", cut_short(half, len(stem_of("vocals")))))
    *_, done = client.separate(song, tmp_path)
    assert service.ranges == [f"bytes={len(half)}-", None]  # the broken one was the fault's
    assert done.files["vocals"].read_bytes() == stem_of("vocals")


def test_a_storage_that_knows_no_ranges_is_asked_for_all_of_it(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    content = stem_of("vocals")
    service.faults.append(on("GET", "/stems/", cut_short(content[:1000], len(content))))
    service.faults.append(lambda request: Answer(200, content) if request.headers.get("range") else None)
    *_, done = client.separate(song, tmp_path, name="song")
    assert done.files["vocals"].read_bytes() == content


def test_what_is_left_of_something_else_is_thrown_away(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    (tmp_path / ".job0-0-vocals.part").write_bytes(b"x" * 2 * STEM_BYTES)
    service.faults.append(
        lambda request: (
            Answer(416, b"", {"Content-Range": "bytes */1"}) if request.headers.get("range") else None
        )
    )
    *_, done = client.separate(song, tmp_path)
    assert done.files["vocals"].read_bytes() == stem_of("vocals")


def test_a_link_that_has_expired_is_asked_for_anew(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    service.faults.append(on("GET", "/stems/", Answer(403, b"<Message>Request has expired</Message>")))
    *_, done = client.separate(song, tmp_path)
    assert done.files["vocals"].read_bytes() == stem_of("vocals")
    assert service.requests.index("GET /stems/job0/vocals") < len(service.requests) - 3


def test_nothing_half_done_has_a_stems_name(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    for _ in range(4):  # more often than the client tries
        service.faults.append(on("GET", "/stems/", cut_short(b"some", 1000)))
    with pytest.raises(StempipeError):
        list(client.separate(song, tmp_path / "out"))
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".part"]


def test_leaving_in_the_middle_of_an_upload_ends_it(client: Client, song: Path, tmp_path: Path) -> None:
    others = set(threading.enumerate())

    def is_uploading() -> bool:
        # The service, which answers in threads of its own, is in this process too.
        return any("(run)" in thread.name for thread in set(threading.enumerate()) - others)

    steps = client.separate(song, tmp_path)
    assert next(steps).phase == "sending"
    next(steps)
    assert is_uploading()
    steps.close()  # type: ignore[attr-defined]
    assert not is_uploading()


def test_a_job_that_has_ended_cannot_be_cancelled(client: Client, song: Path, tmp_path: Path) -> None:
    *_, done = client.separate(song, tmp_path)
    with pytest.raises(StempipeError) as failure:
        client.cancel(done.job.id)
    assert failure.value.code == "invalid_state"


# ---- live ------------------------------------------------------------------------------------------


@contextmanager
def websocket(talk: Callable[[ServerConnection], None]) -> Iterator[str]:
    """A WebSocket API that talks so to each connection and then hangs up; gives its address."""
    with serve(talk, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture
def job(service: Service, client: Client, song: Path) -> dict[str, Any]:
    """A job that stays as it is, as far as polling shows."""
    client.create(song)
    return service.jobs["job0"]


def told(job: dict[str, Any], version: int, progress: int, status: str = "processing") -> str:
    state = job | {"version": version, "progress": progress, "status": status}
    return json.dumps({"type": "job", "job": state})


def progress_seen(service: Service, websocket_url: str) -> list[int]:
    with Client(service.url, TOKEN, websocket_url, pace=QUICK) as client:
        return [job.progress for job in client.watch("job0")]


def test_a_job_is_told_over_websocket_without_a_poll(service: Service, job: dict[str, Any]) -> None:
    asked = []

    def talk(connection: ServerConnection) -> None:
        asked.append((connection.request and connection.request.path, json.loads(connection.recv())))
        connection.send(json.dumps({"type": "subscribed", "jobId": "job0"}))
        for version, progress in [(2, 10), (4, 70), (3, 40), (4, 70)]:
            connection.send(told(job, version, progress))
        connection.send(told(job, 5, 100, "completed"))

    with websocket(talk) as url:
        assert progress_seen(service, url) == [10, 70, 100]  # without those that are late or repeated
    assert asked == [(f"/v1?token={TOKEN}", {"action": "subscribe", "jobId": "job0"})]
    assert service.count("GET /v1/jobs/job0") == 0


def test_when_the_connection_ends_the_job_is_polled(service: Service, job: dict[str, Any]) -> None:
    def talk(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(told(job, 2, 10))
        service.finish(job)
        job["version"] = 3

    with websocket(talk) as url:
        assert progress_seen(service, url) == [10, 100]
    assert service.count("GET /v1/jobs/job0") == 1


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "3",
        "null",
        '{"type": "job", "job": null}',
        '{"type": "job", "job": {"id": "job0"}}',
        '{"type": "job"}',
        '{"type": "error", "error": "x"}',
        '{"type": "error"}',
        "[" * 200_000,
        '{"type": "job", "job": {"id": "job0", "progress": 1e999}}',
        b"\xff\xfe",
        b"{",
        "x" * (1 << 21),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_whatever_comes_over_the_connection_the_job_is_polled(
    service: Service, job: dict[str, Any], text: str | bytes
) -> None:
    def talk(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(told(job, 2, 10))
        service.finish(job)
        job["version"] = 3
        connection.send(text)
        with suppress(ConnectionClosed):
            connection.recv()

    with websocket(talk) as url:
        assert progress_seen(service, url) == [10, 100]


def test_after_a_while_of_polling_the_connection_is_tried_again(
    service: Service, job: dict[str, Any]
) -> None:
    states = [(2, 10, "processing"), (3, 100, "cancelled")]

    def talk(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(told(job, *states.pop(0)))

    with websocket(talk) as url:
        assert progress_seen(service, url) == [10, 100]
    assert service.count("GET /v1/jobs/job0") > 1


def test_without_a_websocket_the_job_is_polled(service: Service, job: dict[str, Any]) -> None:
    service.finish(job)
    assert progress_seen(service, "ws://127.0.0.1:1") == [100]


def test_a_silent_connection_is_asked_again_and_then_given_up(job: dict[str, Any]) -> None:
    asked = []

    def talk(connection: ServerConnection) -> None:
        asked.append(json.loads(connection.recv()))
        connection.send(told(job, 2, 10))
        asked.append(json.loads(connection.recv()))
        connection.recv()

    with websocket(talk) as url, pytest.raises(live.Silence):
        list(live.follow(url, TOKEN, "job0", silence=0.1))
    assert asked == [{"action": "subscribe", "jobId": "job0"}] * 2
