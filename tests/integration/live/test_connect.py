"""connect: what a connection may ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from stempipe.adapters.connections import MOST_JOBS, Connections
from stempipe.adapters.storage import Storage, stem_links
from stempipe.errors import InternalError, UploadMissing
from stempipe.jobs.config import AnalysisConfig, JobConfig, MidiConfig
from stempipe.jobs.names import base_name
from stempipe.jobs.record import Callback, Job, Kind, Notice, Part, Source, Status
from stempipe.jobs.requests import StemsRequest
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import job_view
from stempipe.rules.live import Live
from stempipe.settings import StatusSettings
from tests.aws import UPLOADS, Aws
from tests.integration.live.sockets import Message, Sockets, ask, complete, queued
from tests.receiver import Receiver


def test_whoever_subscribes_to_a_job_is_shown_it_as_the_api_shows_it(
    live: Live, jobs: Jobs, sockets: Sockets, view: Any
) -> None:
    job = queued(jobs)
    ask(live, action="subscribe", jobId="01K")
    assert sockets.sent["phone"] == [
        {"type": "subscribed", "jobId": "01K"},
        {"type": "job", "job": json.loads(view(job).model_dump_json(by_alias=True))},
    ]
    assert sockets.sent["phone"][1]["job"]["config"]["modelVariant"] == "2stems"


def test_whoever_subscribes_to_all_is_shown_the_newest_in_their_order(
    live: Live, jobs: Jobs, sockets: Sockets
) -> None:
    for number in range(30):
        queued(jobs, f"job-{number:02}")
    queued(jobs, "another's", owner="bob")
    ask(live, action="subscribe")
    assert sockets.sent["phone"][0] == {"type": "subscribed", "jobId": None}
    assert [job_id for job_id, _ in sockets.versions("phone")] == [
        f"job-{number:02}" for number in range(5, 30)
    ]


def test_anothers_job_and_none_look_the_same(live: Live, jobs: Jobs, sockets: Sockets) -> None:
    queued(jobs)
    ask(live, "stranger", "bob", action="subscribe", jobId="01K")
    ask(live, "stranger", "bob", action="subscribe", jobId="01X")
    foreign, missing = (message["error"] for message in sockets.sent["stranger"])
    assert foreign["code"] == missing["code"] == "job_not_found"
    assert foreign["message"].replace("01K", "01X") == missing["message"]


LONGEST_NAME, LONGEST_TITLE, LONGEST_FILE = "\U0001f941" * 64, "\U0001f941" * 200, "\U0001f941" * 255
MOST_ROLES = {'"' * 62 + f"{number}": "\U0001f941" * 14 + "1" for number in range(10, 20)}
ALL_STEMS = ("vocals", "piano", "drums", "bass", "other")
CALLBACK = Callback("https://example.com/" + "x" * 2028, "sealed")
OWNER, JOB_ID = "6f1c2d84-" * 4, "0123456789abcdef" * 2


@pytest.fixture
def live_on_lambda(live: Live, cloud: Aws) -> Live:
    """Its links are signed by credentials that are as long as a function's."""
    token = "IQoJb3JpZ2lu/+=" * 100
    client = boto3.client(
        "s3",
        aws_access_key_id="id",
        aws_secret_access_key="key",
        aws_session_token=token,
        config=Config(signature_version="s3v4"),
    )
    links = stem_links(Storage(client, "s3"), StatusSettings.from_environment())
    return replace(live, view=partial(job_view, link=links))


@pytest.mark.parametrize("name", [LONGEST_FILE, "é" * 255, "%" * 255])
def test_the_largest_song_fits_a_frame(live_on_lambda: Live, jobs: Jobs, sockets: Sockets, name: str) -> None:
    config = JobConfig(
        model_variant="5stems", analysis=AnalysisConfig(), player=True, midi=MidiConfig(roles=MOST_ROLES)
    )
    source = Source("s3", UPLOADS, "key", base_name(name), bytes=10**9, etag="e")
    jobs.add(OWNER, JOB_ID, Status.QUEUED, source, config, callback=CALLBACK, title=name[:200])
    message = "123.45 s of the sound are damaged at 1234.56 s: silence is in their place."
    complete(jobs, JOB_ID, ALL_STEMS, OWNER, [Notice("damaged", message, 123.456)] * 26)
    ask(live_on_lambda, owner=OWNER, action="subscribe", jobId=JOB_ID)
    stems = sockets.sent["phone"][-1]["job"]["results"]["stems"]
    assert set(stems) == set(ALL_STEMS)
    tokens = [parse_qs(urlsplit(link).query)["X-Amz-Security-Token"][0] for link in stems.values()]
    assert {len(token) for token in tokens} == {1500}


def test_as_many_stems_as_may_be_fit_a_frame(live: Live, jobs: Jobs, sockets: Sockets) -> None:
    """All that a request may hold, at once, and all that may be said of it."""
    names = [LONGEST_NAME[:-2] + f"{number:02}" for number in range(16)]
    stems = [{"name": name, "filename": LONGEST_FILE, "size": 10**9} for name in names]
    request = StemsRequest.model_validate(
        {"stems": stems, "title": LONGEST_TITLE, "config": {"player": True, "midi": {"roles": MOST_ROLES}}}
    )
    parts = [
        Part(f"{number}", base_name(stem.filename), stem.size, stem.name)
        for number, stem in enumerate(request.stems)
    ]
    source = Source("s3", UPLOADS, "key", LONGEST_TITLE, bytes=5)
    job = jobs.add(
        "alice",
        "01K",
        Status.AWAITING_UPLOAD,
        source,
        request.config,
        callback=CALLBACK,
        title=request.title,
        kind=Kind.STEMS,
        parts=parts,
    )
    missing = UploadMissing([stem.name for stem in request.stems])
    padded = [
        {"code": "padded", "message": f"{stem.name}: it ends 123.45 s before the longest.", "seconds": 123.45}
        for stem in [*request.stems, *request.stems[:10]]
    ]
    for status, changes in (
        (Status.FAILED, [Job.error_code.set(missing.code), Job.error_message.set(missing.message)]),
        (Status.COMPLETED, [Job.notices.set(padded), Job.stem_keys.set({}), Job.error_code.remove()]),
    ):
        job.update([Job.status.set(status.value), *changes])
        ask(live, action="subscribe", jobId="01K")
        assert len(sockets.sent["phone"][-1]["job"]["source"]["stems"]) == 16


def test_a_connection_names_so_many_jobs_and_may_then_subscribe_to_all(
    live: Live, jobs: Jobs, sockets: Sockets
) -> None:
    for number in range(MOST_JOBS + 1):
        queued(jobs, f"job-{number:03}")
        ask(live, action="subscribe", jobId=f"job-{number:03}")
    assert sockets.sent["phone"][-1]["error"]["code"] == "invalid_request"
    ask(live, action="subscribe", jobId="job-000")
    assert sockets.versions("phone")[-1][0] == "job-000"
    ask(live, action="subscribe")
    assert {"type": "subscribed", "jobId": None} in sockets.sent["phone"]


def test_whoever_unsubscribes_from_what_it_never_subscribed_to_is_not_remembered(
    live: Live, sockets: Sockets, connections: Connections
) -> None:
    ask(live, action="unsubscribe", jobId="01K")
    assert sockets.sent["phone"] == [{"type": "unsubscribed", "jobId": "01K"}]
    assert connections.of("alice") == []


def test_a_ping_is_answered(live: Live, sockets: Sockets) -> None:
    ask(live, action="ping")
    assert sockets.sent["phone"] == [{"type": "pong"}]


NONSENSE = [
    "", "nonsense", "[]", "null", "1", "{}", '{"action": "dance"}', '{"action": "$connect"}',
    '{"action": null}',
    '{"action": "subscribe", "jobId": 1}', '{"action": "subscribe", "jobId": ""}',
    '{"action": "subscribe", "job": "01K"}', '{"action": "subscribe", "jobId": "' + "x" * 65 + '"}',
    "[" * 100_000,
]  # fmt: skip


def test_what_cannot_be_understood_is_said_to_be_so(live: Live, sockets: Sockets) -> None:
    for body in NONSENSE:
        live.answer("alice", "phone", body)
        message = sockets.sent["phone"].pop()
        assert (message["type"], message["error"]["code"]) == ("error", "invalid_request"), body


def test_a_fault_of_ours_is_said_to_be_one_without_its_cause(
    live: Live, jobs: Jobs, sockets: Sockets, cloud: Aws
) -> None:
    boto3.client("dynamodb").delete_table(TableName="jobs")
    ask(live, action="subscribe", jobId="01K")
    (message,) = sockets.sent["phone"]
    assert message["error"] == {"code": "internal_error", "message": InternalError().message}


def test_a_message_that_names_the_route_of_disconnecting_does_not_disconnect(
    connections: Connections,
    gateway: Receiver,
    load: Callable[[str], Callable[[Message], Message]],
    sample_event: Callable[[str], Message],
) -> None:
    connections.subscribe("alice", "Fjq0rfXNIAMCFtA=", None)
    event = sample_event("connect-subscribe")
    event["requestContext"]["routeKey"] = "$disconnect"
    event["body"] = '{"action": "$disconnect"}'
    load("connect")(event)
    assert len(connections.of("alice")) == 1
