"""The rules of connect and notify on one table, and their handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from stempipe.adapters.connections import Connections
from stempipe.adapters.queue import AsideQueue, WebhookQueue
from stempipe.adapters.storage import Storage, stem_links
from stempipe.jobs.table import Jobs
from stempipe.jobs.views import job_view
from stempipe.rules.live import Live
from stempipe.rules.notify import Notifier
from stempipe.settings import StatusSettings
from tests.aws import CONNECTIONS, Aws
from tests.integration.live.sockets import Message, Sockets
from tests.receiver import Receiver, receiving


@pytest.fixture
def sockets() -> Sockets:
    return Sockets("phone", "laptop", "stranger")


@pytest.fixture
def connections(cloud: Aws) -> Connections:
    return Connections(CONNECTIONS)


@pytest.fixture
def view(cloud: Aws) -> Any:
    return partial(job_view, link=stem_links(Storage(cloud.s3, "s3"), StatusSettings.from_environment()))


@pytest.fixture
def live(jobs: Jobs, connections: Connections, sockets: Sockets, view: Any) -> Live:
    return Live(jobs, connections, sockets.send, view)


@pytest.fixture
def notifier(cloud: Aws, connections: Connections, sockets: Sockets, view: Any) -> Notifier:
    webhooks = WebhookQueue(cloud.sqs, cloud.webhooks_queue_url)
    aside = AsideQueue(cloud.sqs, cloud.notify_dead_letter_queue_url)
    return Notifier(connections, sockets.send, view, webhooks, aside)


@pytest.fixture
def told(cloud: Aws, notifier: Notifier) -> Callable[[], None]:
    """Tells of what changed since the last time."""
    done = 0

    def tell() -> None:
        nonlocal done
        records = cloud.changes()[done:]
        done += len(records)
        notifier.tell_records(records)

    return tell


@pytest.fixture
def gateway() -> Iterator[Receiver]:
    """Answers as API Gateway's management API."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def load(
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    gateway: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Callable[[Message], Message]]:
    """Loads a handler by its name; what it sends goes to the gateway."""
    monkeypatch.setenv("LIVE_ENDPOINT", gateway.url)

    def load(name: str) -> Callable[[Message], Message]:
        app = load_app(name)

        def handle(event: Message) -> Message:
            answer: Message = app.handler(event, lambda_context)
            return answer

        return handle

    return load
