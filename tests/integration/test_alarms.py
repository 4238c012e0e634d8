"""Each alarm of the template tells of its fault within five minutes, and none of an hour of undisturbed work.

What our functions count, they count here: their lines are the alarms' data points, each set to some minute.
What AWS counts by itself is made up, as it would be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from local.template import load
from stempipe.adapters.queue import JobMessage, TryAgain
from stempipe.adapters.storage import Storage
from stempipe.errors import UnusableMedia
from stempipe.jobs.claim import Claim
from stempipe.jobs.config import JobConfig
from stempipe.jobs.record import MAX_ATTEMPTS, Source, Status
from stempipe.jobs.table import Jobs
from stempipe.observability import SERVICE, Metric, metrics
from stempipe.rules.worker import Worker
from tests.alarms import MINUTE, Points, Watch, lines_of
from tests.aws import STEMS, TABLE, UPLOADS, USAGE, Aws
from tests.claims import let_in
from tests.integration.separate.engine import Engine
from tests.template.stack import QUEUE, R2, WEBHOOK

HOUR = 60 * MINUTE
FAULT = HOUR  # when it begins
WITHIN = 5 * MINUTE

FUNCTIONS = (
    "Status",
    "Intake",
    "Separate",
    "Sweep",
    "Authorize",
    "Connect",
    "Notify",
    "Webhook",
    "Pull",
    "Receive",
)
QUEUES = ("JobsQueue", "JobsDeadLetterQueue", "IntakeDeadLetterQueue", "NotifyDeadLetterQueue")


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Hour:
    """What CloudWatch has of an hour, and the alarms that look at it."""

    watch: Watch
    points: Points = field(default_factory=Points)

    def aws(self, namespace: str, name: str, resource: str, at: float, *values: float, **more: str) -> None:
        kind = {"AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName", "AWS/DynamoDB": "TableName"}
        dimensions = {kind.get(namespace, "ApiId"): resource} if resource else {}
        self.points.put(namespace, name, dimensions | more, at, *values)

    def undisturbed(self, begin: float, end: float, *, but: str = "") -> None:
        """What AWS counts each minute where all is well; of one function nothing."""
        for at in range(int(begin), int(end), MINUTE):
            for function in FUNCTIONS:
                if function != but:
                    self.aws("AWS/Lambda", "Invocations", f"{function}Function", at, 1)
                    self.aws("AWS/Lambda", "Errors", f"{function}Function", at, 0)
                    self.aws("AWS/Lambda", "Throttles", f"{function}Function", at, 0)
            self.aws("AWS/Lambda", "Duration", "SeparateFunction", at, 6000)
            self.aws("AWS/Lambda", "IteratorAge", "NotifyFunction", at, 300)
            self.aws("AWS/Lambda", "Throttles", "", at, 0)
            self.aws("AWS/Lambda", "ConcurrentExecutions", "", at, 4)
            for queue in QUEUES:
                self.aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, at, 0)
            self.aws("AWS/SQS", "NumberOfMessagesReceived", "JobsQueue", at, 1)
            self.aws("AWS/ApiGateway", "Count", "Api", at, 20)
            self.aws("AWS/ApiGateway", "5xx", "Api", at, 0)
            self.aws("AWS/ApiGateway", "Latency", "Api", at, 40, 60, 2500)

    def fired(self, end: float = FAULT + WITHIN) -> set[str]:
        """The alarms that go off since the fault began."""
        first = self.watch.fired(self.points, FAULT - WITHIN, end)
        assert all(when > FAULT for when in first.values())
        return set(first)


@dataclass(kw_only=True)
class Stack(Hour):
    """Handlers on moto, and what they count."""

    cloud: Aws
    jobs: Jobs
    clock: Clock
    worker: Worker
    engine: Engine
    load_app: Callable[[str], ModuleType]
    context: Any
    output: Callable[[], str]
    told: int = 0

    def queue(self, job_id: str) -> None:
        """A song that is there, and waits for a worker."""
        etag = self.cloud.s3.put_object(Bucket=UPLOADS, Key=job_id, Body=b"song")["ETag"].strip('"')
        source = Source("s3", UPLOADS, job_id, "song.mp3", bytes=4, etag=etag)
        self.jobs.add("alice", job_id, Status.QUEUED, source, JobConfig())
        let_in(self.jobs, "alice", job_id)

    def work(self, job_id: str) -> None:
        self.worker.work_on(JobMessage(owner="alice", id=job_id))
        metrics.flush_metrics()

    def call(self, function: str, event: dict[str, Any]) -> Any:
        return self.load_app(function).handler(event, self.context)

    def tell(self) -> None:
        """Have notify see what has changed."""
        records = self.cloud.changes()[self.told :]
        self.told += len(records)
        self.call("notify", {"Records": records})

    def counted(self, at: float) -> list[dict[str, Any]]:
        """What was counted since the last time, as if it were at that moment."""
        lines = lines_of(self.output())
        for line in lines:
            self.points.put_line(line, at)
        return lines

    def depth(self, queue: str, url: str, at: float) -> None:
        """How many messages there are in a queue, as SQS counts each minute."""
        name = "ApproximateNumberOfMessages"
        answer = self.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])  # type: ignore[list-item]
        self.aws("AWS/SQS", f"{name}Visible", queue, at, float(answer["Attributes"][name]))  # type: ignore[index]


@pytest.fixture(scope="module")
def watch(root: Path) -> Watch:
    return Watch(load(root / "template.yaml"), {"Monitoring": "full"} | R2 | QUEUE | WEBHOOK)


@pytest.fixture
def hour(watch: Watch) -> Hour:
    return Hour(watch)


@pytest.fixture
def stack(
    cloud: Aws,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    load_app: Callable[[str], ModuleType],
    lambda_context: Any,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Stack]:
    monkeypatch.setenv("LIVE_ENDPOINT", "http://127.0.0.1:9/v1")
    clock, engine = Clock(), Engine()
    jobs = Jobs(TABLE, usage_table=USAGE, retention_days=7, now=clock)
    worker = Worker(
        jobs, Storage(cloud.s3, "s3"), engine, cloud.dispatch(jobs), STEMS, 30, memory_gb=2, scratch=tmp_path
    )
    assert SERVICE == "stempipe"
    metrics.clear_metrics()
    yield Stack(
        watch,
        cloud=cloud,
        jobs=jobs,
        clock=clock,
        worker=worker,
        engine=engine,
        load_app=load_app,
        context=lambda_context,
        output=lambda: capsys.readouterr().out,
    )
    metrics.clear_metrics()


def test_none_tells_of_an_hour_of_undisturbed_work(stack: Stack) -> None:
    stack.undisturbed(0, 3 * HOUR)
    stack.queue("a song")
    stack.work("a song")
    stack.queue("no song")
    stack.engine.during = no_song
    stack.work("no song")
    stack.tell()
    stack.call("sweep", {"sweep": "jobs"})
    lines = stack.counted(HOUR)
    counted = {metric["Name"] for line in lines for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert counted == {
        "QueueWaitSeconds",
        "UploadToCompletedSeconds",
        "JobsFailed",
        "SongsFailed",
        "SongSeconds",
        "RealTimeFactor",
        "PeakMemoryMegabytes",
        "DiskMegabytes",
    }
    memory = [value for line in lines for value in line.get("PeakMemoryMegabytes", [])]
    assert len(memory) == 2
    assert min(memory) > 10  # of a process with Python and boto3 in it
    for at in range(HOUR + MINUTE, 3 * HOUR, 5 * MINUTE):
        for line in lines:
            stack.points.put_line(line, at)
    assert stack.watch.fired(stack.points, HOUR, 3 * HOUR) == {}


def no_song() -> None:
    raise UnusableMedia("unsupported_media", "It is no song.")


# -- what our functions count ----------------------------------------------------------------------


def lose_workers(stack: Stack) -> None:
    """Three songs, each of whose workers is killed whenever it has begun."""
    for job_id in ("1", "2", "3"):
        stack.queue(job_id)
    for attempt in range(MAX_ATTEMPTS):
        for job_id in ("1", "2", "3"):
            Claim.take(stack.jobs, "alice", job_id, 30)
            # Lambda's word for a run that ended by itself.
            stack.aws("AWS/Lambda", "Errors", "SeparateFunction", FAULT + attempt * 45, 1)
        stack.clock.ahead += timedelta(seconds=31)
        sweep(stack)
    stack.tell()
    lines = stack.counted(FAULT + MAX_ATTEMPTS * 45)
    assert sum(sum(line["JobsFailed"]) for line in lines if "JobsFailed" in line) == 3


def sweep(stack: Stack) -> None:
    """As the handler does it, at the time of the test's clock."""
    app = stack.load_app("sweep")
    rules = app.sweep()
    object.__setattr__(rules.jobs, "now", stack.clock)
    rules.sweep_jobs()


def fail_each_attempt(stack: Stack) -> None:
    """Songs whose every attempt fails, because the disk is full."""
    jobs = ("1", "2", "3", "4")
    stack.engine.during = fill_the_disk
    for job_id in jobs:
        stack.queue(job_id)
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(TryAgain, match="internal_error"):
                stack.work(job_id)
    stack.tell()
    stack.counted(FAULT + 30)


def fill_the_disk() -> None:
    raise OSError("No space left on device")


def wait_long(stack: Stack) -> None:
    """A song that stood in line for ten minutes."""
    stack.queue("1")
    stack.clock.ahead += timedelta(minutes=10)
    stack.work("1")
    stack.tell()
    stack.counted(FAULT + 30)


def sweep_in_vain(stack: Stack) -> None:
    """An upload that sweep looks for, and storage does not answer."""
    source = Source("s3", "no-such-bucket", "jobs/alice/1/1", "song.mp3", bytes=4)
    stack.jobs.add("alice", "1", Status.AWAITING_UPLOAD, source, JobConfig())
    stack.cloud.s3.delete_bucket(Bucket=STEMS)
    for minute in range(4):
        stack.call("sweep", {"sweep": "objects"})
        lines = stack.counted(FAULT + minute * MINUTE + 10)
        assert any("SweepFaults" in line for line in lines)


def slow_processors(stack: Stack) -> None:
    say(stack, Metric.REAL_TIME_FACTOR, 0.45)
    stack.counted(FAULT + 30)


def pull_in_vain(stack: Stack) -> None:
    for minute in range(4):
        say(stack, Metric.UPLOADS_RETURNED, 2)
        stack.counted(FAULT + minute * MINUTE + 10)


def say(stack: Stack, metric: Metric, value: float) -> None:
    """What a function counts that is not easily brought to it here."""
    metric.add(value)
    metrics.flush_metrics()


def answer_5xx(stack: Stack) -> None:
    """The API, whose table is gone."""
    boto3.client("dynamodb").delete_table(TableName=TABLE)
    event = json.loads((Path(__file__).parents[2] / "events" / "status-create-job.json").read_text())
    for second in range(4):
        answer = stack.call("status", event)
        at = FAULT + 10 + second
        stack.aws("AWS/ApiGateway", "5xx", "Api", at, answer["statusCode"] >= 500)
        stack.aws("AWS/ApiGateway", "Count", "Api", at, 1)


def dead_letter(queue: str) -> Callable[[Stack], None]:
    """A message that is left in a queue."""

    def leave(stack: Stack) -> None:
        words = {"Jobs": "jobs", "Intake": "intake", "Notify": "notify", "Webhooks": "webhooks"}
        url = getattr(stack.cloud, f"{words[queue]}_dead_letter_queue_url")
        stack.cloud.sqs.send_message(QueueUrl=url, MessageBody='{"owner": "alice", "id": "none"}')
        for minute in range(4):
            stack.depth(f"{queue}DeadLetterQueue", url, FAULT + minute * MINUTE + 10)

    return leave


FAULTS: dict[str, tuple[Callable[[Stack], None], set[str]]] = {
    "workers are killed": (
        lose_workers,
        {"JobFailuresAlarm", "JobFailuresSlowAlarm", "WorkerErrorsAlarm", "ServingAlarm"},
    ),
    "work fails": (fail_each_attempt, {"JobFailuresAlarm", "JobFailuresSlowAlarm", "ServingAlarm"}),
    "the api fails": (answer_5xx, {"ApiErrorsAlarm", "ServingAlarm"}),
    "a song waits": (wait_long, {"QueueWaitAlarm"}),
    "sweep finds no way": (sweep_in_vain, {"SweepFaultsAlarm"}),
    "jobs' dead letters": (dead_letter("Jobs"), {"JobsDeadLetterAlarm"}),
    "uploads' dead letters": (dead_letter("Intake"), {"IntakeDeadLetterAlarm"}),
    "changes' dead letters": (dead_letter("Notify"), {"NotifyDeadLetterAlarm"}),
    "webhooks' dead letters": (dead_letter("Webhooks"), {"WebhooksDeadLetterAlarm"}),
    "processors are slow": (slow_processors, {"WorkerSpeedAlarm"}),
    "pull takes nothing in": (pull_in_vain, {"PullAlarm"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_within_five_minutes_by_its_alarms_alone(stack: Stack, fault: str) -> None:
    stack.undisturbed(0, FAULT + WITHIN)
    cause, expected = FAULTS[fault]
    cause(stack)
    assert stack.fired() == expected


# -- what AWS counts -------------------------------------------------------------------------------


def each_minute(
    namespace: str, name: str, resource: str, *values: float, **more: str
) -> Callable[[Hour], None]:
    """What AWS counts from the fault on."""

    def count(hour: Hour) -> None:
        for minute in range(5):
            hour.aws(namespace, name, resource, FAULT + minute * MINUTE + 10, *values, **more)

    return count


OF_AWS: dict[str, tuple[Callable[[Hour], None], set[str]]] = {
    "sweep raises": (
        each_minute("AWS/Lambda", "Errors", "SweepFunction", 1),
        {"SweepStoppedAlarm", "ServingAlarm"},
    ),
    "receive fails": (each_minute("AWS/Lambda", "Errors", "ReceiveFunction", 1), {"ReceiveAlarm"}),
    "a song takes nearly all the time": (
        each_minute("AWS/Lambda", "Duration", "SeparateFunction", 250_000),
        {"WorkerTimeAlarm"},
    ),
    "notify is late": (
        each_minute("AWS/Lambda", "IteratorAge", "NotifyFunction", 90_000),
        {"NotifyLateAlarm"},
    ),
    "functions are throttled": (each_minute("AWS/Lambda", "Throttles", "", 4), {"ThrottlesAlarm"}),
    "nearly all functions run": (
        each_minute("AWS/Lambda", "ConcurrentExecutions", "", 9),
        {"ConcurrencyAlarm"},
    ),
    "messages go round and round": (
        each_minute("AWS/Lambda", "Invocations", "SeparateFunction", *[1] * 200),
        {"RunawayAlarm"},
    ),
    "a function sets itself going": (
        each_minute("AWS/Lambda", "RecursiveInvocationsDropped", "IntakeFunction", 1),
        {"RecursionAlarm"},
    ),
    "the api is slow": (each_minute("AWS/ApiGateway", "Latency", "Api", 4000), {"ApiSlowAlarm"}),
    "the websocket api fails": (
        each_minute("AWS/ApiGateway", "IntegrationError", "LiveApi", 1),
        {"LiveErrorsAlarm"},
    ),
    "the table is throttled": (
        each_minute("AWS/DynamoDB", "WriteThrottleEvents", "JobsTable", 20),
        {"TableThrottlesAlarm"},
    ),
    "the table fails": (
        each_minute("AWS/DynamoDB", "SystemErrors", "JobsTable", 3, Operation="UpdateItem"),
        {"TableErrorsAlarm"},
    ),
}


@pytest.mark.parametrize("fault", OF_AWS)
def test_a_fault_that_aws_counts_is_told_as_soon(hour: Hour, fault: str) -> None:
    hour.undisturbed(0, FAULT + WITHIN)
    cause, expected = OF_AWS[fault]
    cause(hour)
    assert hour.fired() == expected


def test_that_sweep_runs_no_more_is_told_within_five_minutes(hour: Hour) -> None:
    hour.undisturbed(0, FAULT)
    hour.undisturbed(FAULT, FAULT + WITHIN, but="Sweep")
    assert hour.fired() == {"SweepStoppedAlarm", "ServingAlarm"}


def test_that_nobody_takes_songs_is_told_within_five_minutes(hour: Hour) -> None:
    hour.undisturbed(0, FAULT)
    for at in range(FAULT, FAULT + WITHIN, MINUTE):
        hour.aws("AWS/Lambda", "Invocations", "SweepFunction", at, 1)
        hour.aws("AWS/Lambda", "Errors", "SweepFunction", at, 0)
        hour.aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", "JobsQueue", at, 3)
        hour.aws("AWS/SQS", "NumberOfMessagesReceived", "JobsQueue", at, 0)
    assert hour.fired() == {"JobsWaitingAlarm", "ServingAlarm"}


def test_every_alarm_was_told_by_a_fault(hour: Hour) -> None:
    told = {name for _, expected in (FAULTS | OF_AWS).values() for name in expected}
    assert told | {"SweepStoppedAlarm", "JobsWaitingAlarm"} == {*hour.watch.alarms, *hour.watch.composites}


# -- the rules by which they are evaluated -----------------------------------------------------------

WELL, ILL, NONE = 0.0, 1.0, None


@pytest.mark.parametrize(
    ("values", "not_breaching", "breaching"),
    [  # 3 of 3, the oldest first: CloudWatch's own table
        ([WELL, NONE, ILL, NONE, ILL], False, False),
        ([NONE, NONE, NONE, NONE, WELL], False, False),
        ([NONE, NONE, NONE, NONE, NONE], False, True),
        ([WELL, ILL, ILL, NONE, ILL], True, True),
        ([NONE, NONE, ILL, NONE, NONE], False, True),
    ],
)
def test_what_is_missing_counts_as_cloudwatch_says(
    hour: Hour, values: list[float | None], not_breaching: bool, breaching: bool
) -> None:
    alarm = replace(hour.watch.alarms["ThrottlesAlarm"], periods=3, to_alarm=3)
    for minute, value in enumerate(values):
        if value is not None:
            hour.aws("AWS/Lambda", "Throttles", "", minute * MINUTE, value)
    end = len(values) * MINUTE
    assert alarm.state(hour.points, end, before=False) == not_breaching
    assert replace(alarm, missing="breaching").state(hour.points, end, before=False) == breaching
