"""A service that means ill: how much of it is read, where its links lead, and how much of it is told."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from stempipe_client import Client, Job, StempipeError, TransientError, Upload
from stempipe_client.api import MOST_BYTES
from stempipe_client.command import login
from stempipe_client.http import Nearness, nearness
from stempipe_client.live import Silence, follow
from tests.cli.conftest import QUICK, Run
from tests.cli.service import TOKEN, Service, Twist, says, where
from tests.http import Answer, Request

pytestmark = pytest.mark.usefixtures("quick")

EXPIRES = {"expiresAt": "2026-01-08T12:00:00Z"}
JSON = {"Content-Type": "application/json"}
INFLATED = 60_000_000
BOMB = gzip.compress(b" " * INFLATED, 9)
PACKED = JSON | {"Content-Encoding": "gzip"}


def uploading(**fields: Any) -> Twist:
    """New jobs await their songs there."""

    def twist(request: Request, answer: Answer) -> Answer:
        if (request.method, request.target) != ("POST", "/v1/jobs"):
            return answer
        body = json.loads(answer.body)
        if body["upload"]:
            body["upload"] |= fields
        return Answer(answer.status, json.dumps(body).encode(), answer.headers)

    return twist


# ---- how much is read ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/v1/jobs", Answer(200, BOMB, PACKED)),
        ("GET", "/v1/jobs", Answer(400, BOMB, PACKED)),
        ("POST", "/upload/", Answer(400, BOMB, PACKED)),
        ("GET", "/stems/", Answer(404, BOMB, PACKED)),
        ("GET", "/stems/", Answer(200, BOMB, PACKED)),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
def test_an_answer_is_not_unpacked(
    configured: Service, stempipe: Run, song: Path, method: str, path: str, answer: Answer
) -> None:
    configured.twist = where(method, path, answer)
    tracemalloc.start()
    try:
        done = stempipe("separate", song)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.exit_code == 1
    assert "client_error" not in done.output
    assert peak < INFLATED / 2


def test_a_login_is_not_unpacked(service: Service) -> None:
    service.twist = lambda request, answer: Answer(200, BOMB, PACKED)
    with pytest.raises(TransientError):
        login.Cognito(f"{service.url}/", "c").renew("refresh")


def test_an_answer_that_is_too_long_has_a_code_and_is_asked_for_once(
    service: Service, client: Client, song: Path
) -> None:
    service.twist = where("GET", "/v1/quota", Answer(200, b" " * (MOST_BYTES + 1), JSON))
    with pytest.raises(StempipeError, match="answer_too_long"):
        client.quota()
    assert service.count("GET /v1/quota") == 1


def test_answers_are_asked_for_as_they_are(service: Service, client: Client, song: Path) -> None:
    asked = set()

    def fault(request: Request) -> None:
        asked.add(request.headers.get("accept-encoding"))

    service.faults.append(fault)
    list(client.separate(song, song.parent / "out"))
    assert asked == {"identity"}


# ---- uploads that cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "PUT", "headers": {"x-amz-meta-x": "\u00fc"}},
        {"method": "PUT", "headers": {"x-amz-meta-x": "a\r\nY: b"}},
        {"url": "http://xn--/"},
        {"url": "http://[::1"},
        {"url": "http://127.0.0.1:99999/"},
        {"url": f"http://{'a' * 300}/"},
        {"url": "http://a..b/"},
    ],
    ids=lambda fields: str(fields)[:60],
)
def test_an_upload_that_cannot_be_is_unreachable_and_the_job_is_not_forgotten(
    configured: Service, stempipe: Run, song: Path, fields: dict[str, Any]
) -> None:
    configured.twist = uploading(**fields)
    done = stempipe("separate", song)
    assert done.exit_code == 4, done.output
    assert "unreachable: The storage cannot be reached for song.mp3: " in done.output
    configured.twist = lambda request, answer: answer
    assert stempipe("separate", song).exit_code == 0
    assert len(configured.jobs) == 1


@pytest.mark.parametrize("url", ["http://[::1", "http://xn--/", "http://a:b/"])
def test_an_api_with_no_address_is_not_configured(configured: Service, stempipe: Run, url: str) -> None:
    assert stempipe("--api-url", url, "quota").exit_code == 2
    with pytest.raises(StempipeError, match="not_configured"):
        Client(url, TOKEN)


def test_a_file_that_grows_while_it_is_sent_is_sent_again(
    service: Service, client: Client, song: Path
) -> None:
    received = []

    def fault(request: Request) -> Answer:
        received.append(request.body)
        return Answer(200)

    def grow(fraction: float) -> None:
        if fraction < 1 and song.stat().st_size == size:
            with song.open("ab") as file:
                file.write(b"more")

    size = song.stat().st_size
    service.faults.extend([fault] * 4)
    upload = Upload.model_validate({"method": "PUT", "url": f"{service.url}/upload/x"} | EXPIRES)
    client.upload(upload, song, grow)
    assert song.stat().st_size > size
    assert received[-1] == song.read_bytes()


def test_of_an_upload_links_headers_those_are_taken_that_storage_signs(
    service: Service, client: Client, song: Path
) -> None:
    seen: list[Request] = []

    def fault(request: Request) -> Answer:
        seen.append(request)
        return Answer(200)

    service.faults.append(fault)
    headers = {"Content-Type": "audio/mpeg", "X-Amz-Meta-A": "1", "Host": "evil.example"}
    headers |= {"Content-Length": "5", "Transfer-Encoding": "chunked", "Authorization": "x", "Cookie": "x"}
    upload = {"method": "PUT", "url": f"{service.url}/upload/x", "headers": headers} | EXPIRES
    client.upload(Upload.model_validate(upload), song)
    (request,) = seen
    assert request.body == song.read_bytes()
    assert request.headers["host"] in service.url
    assert (request.headers["content-type"], request.headers["x-amz-meta-a"]) == ("audio/mpeg", "1")
    assert not request.headers.keys() & {"transfer-encoding", "authorization", "cookie"}


# ---- where links lead ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "where"),
    [
        *((host, Nearness.MACHINE) for host in ("127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST.", "::1")),
        *(
            (host, Nearness.MACHINE)
            for host in ("x.localhost", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "::")
        ),
        *((host, Nearness.MACHINE) for host in ("::ffff:127.0.0.1", "[::1]", "127.0.0.1.", "0")),
        *((host, Nearness.NETWORK) for host in ("10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254")),
        *((host, Nearness.NETWORK) for host in ("fe80::1", "fd00::1", "100.64.0.1", "224.0.0.1", "ff02::1")),
        *(
            (host, Nearness.NETWORK)
            for host in ("64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "::127.0.0.1")
        ),
        *((host, Nearness.NETWORK) for host in ("2001:0:1:2::3", "64:ff9b:1::a00:1", "::ffff:0:127.0.0.1")),
        *((host, Nearness.ANYWHERE) for host in ("s3.eu-west-1.amazonaws.com", "1.1.1.1", "2606:4700::1111")),
        *((host, Nearness.ANYWHERE) for host in ("localhost.example", "127.0.0.1.example", "", "dead.beef")),
    ],
)
def test_how_near_a_host_is(host: str, where: Nearness) -> None:
    assert nearness(host) is where


@pytest.mark.parametrize("api", ["https://api.example", "http://10.1.2.3", "http://1.1.1.1/v1"])
def test_links_to_this_machine_are_refused_where_the_api_is_elsewhere(
    service: Service, song: Path, tmp_path: Path, api: str
) -> None:
    upload = {"method": "POST", "url": f"{service.url}/upload/x"} | EXPIRES
    job = {"id": "j", "status": "completed", "source": {"filename": "a.mp3", "bytes": 1}} | EXPIRES
    job |= {"createdAt": EXPIRES["expiresAt"], "config": {"quality": {"outputFormat": "wav"}}}
    job |= {"results": {"stems": {"vocals": f"{service.url}/stems/j/vocals"}}}
    with Client(api, TOKEN, pace=QUICK) as client:
        with pytest.raises(StempipeError, match="link_refused"):
            client.upload(Upload.model_validate(upload), song)
        with pytest.raises(StempipeError, match="link_refused"):
            client.download(Job.model_validate(job), tmp_path / "out")
    assert not service.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_live_api_is_not_followed(service: Service, status: int) -> None:
    live_url = service.url.replace("http", "ws")
    service.twist = where("GET", "/live", Answer(status, b"", {"Location": f"{live_url}/elsewhere"}))
    with pytest.raises(Silence, match=str(status)):
        next(follow(f"{live_url}/live", TOKEN, "j", 1))
    assert service.requests == ["GET /live"]


# ---- how much is told ----------------------------------------------------------------------------------

LONG = "word " * 200_000
PROBLEM = {"code": LONG, "message": LONG}


@pytest.mark.parametrize(
    "twist",
    [
        where("GET", "/v1/jobs", Answer(400, json.dumps({"error": PROBLEM}).encode(), JSON)),
        where("GET", "/v1/jobs", Answer(500, LONG.encode())),
        where("GET", "/v1/jobs", Answer(200, json.dumps(LONG).encode(), JSON)),
        where("POST", "/upload/", Answer(400, f"<Message>{LONG}</Message>".encode())),
        says(status="failed", error=PROBLEM),
        says(stage=LONG, status="completed", source={"filename": LONG, "bytes": 1, "notices": [PROBLEM]}),
        says(title=LONG, source={"filename": LONG, "bytes": 1, "kind": LONG}),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_of_what_a_service_says_little_is_told(
    configured: Service, stempipe: Run, song: Path, twist: Twist, flags: list[str]
) -> None:
    configured.twist = twist
    for command in (["separate", str(song)], ["jobs"], ["watch", "job0"]):
        assert len(stempipe(*command, *flags).output) < 20_000


def test_of_what_a_login_says_little_is_told(service: Service) -> None:
    answer = Answer(400, json.dumps({"__type": LONG, "message": LONG}).encode(), JSON)
    service.twist = lambda request, _: answer
    with pytest.raises(StempipeError) as failure:
        login.Cognito(f"{service.url}/", "c").renew("refresh")
    assert len(str(failure.value)) < 1000
