"""What of the template costs something: memory, disk, and what is there all month although nobody comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cost.counts import Counted
from benchmarks.processes import ROOT
from local import template as templates
from stempipe import prices
from stempipe.prices import Price

_FREE_DISK_MB = 512
# Long polls of 20 s by the pollers that Lambda keeps for a queue with a maximum of concurrency.
_POLLERS = 5
_POLLS_A_MONTH = prices.SECONDS_A_MONTH / 20
# The image, of docs/image.md.
_IMAGE_GB = 0.58
# With all that watches, and somebody who is told.
MONITORED = {"Monitoring": "full", "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms"}
_TIMES = {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400}


@dataclass(frozen=True)
class Line:
    """A line of a month's bill: so many of what."""

    name: str
    amount: float
    price: Price

    @property
    def usd(self) -> float:
        """By the list."""
        return self.price.of(self.amount)


@dataclass(frozen=True)
class Stack:
    """The template with its defaults, or with some parameters besides."""

    resources: Mapping[str, Any]
    parameters: Mapping[str, Any]
    globals: Mapping[str, Any] = field(default_factory=dict)
    worker: str = "SeparateFunction"
    notify: str = "NotifyFunction"

    @classmethod
    def read(cls, **given: str) -> Stack:
        """The template with these parameters; resources whose condition does not hold are left out."""
        template = templates.load(ROOT / "template.yaml")
        defaults = {name: item.get("Default", "") for name, item in template["Parameters"].items()}
        parameters = defaults | given
        conditions: Mapping[str, Any] = template.get("Conditions", {})

        def holds(item: Mapping[str, Any]) -> bool:
            return "Condition" not in item or _truth({"Condition": item["Condition"]}, conditions, parameters)

        resources = {name: item for name, item in template["Resources"].items() if holds(item)}
        return cls(resources, parameters, template.get("Globals", {}))

    @property
    def memory_gb(self) -> dict[str, float]:
        """Of each function."""
        return {
            name: float(self._value(function.get("MemorySize", 128))) / 1024
            for name, function in self._of("AWS::Serverless::Function")
        }

    @property
    def disk_gb(self) -> float:
        """Of the worker, beyond what is free."""
        disk = self.resources[self.worker]["Properties"].get("EphemeralStorage", {"Size": _FREE_DISK_MB})
        return (float(self._value(disk["Size"])) - _FREE_DISK_MB) / 1024

    @property
    def retention_days(self) -> float:
        """How long everything is kept."""
        return float(self.parameters["RetentionDays"])

    def idle_month(self, counted: Counted) -> list[Line]:
        """What a month costs in which nobody comes.

        Parameters
        ----------
        counted
            What a sweep does, and which metrics are sent when nobody comes.
        """
        queues = [
            mapping
            for _, mapping in self._of("AWS::Lambda::EventSourceMapping")
            if "Queue" in str(mapping["EventSourceArn"])
        ]
        alarms = [_metrics_of(alarm) for _, alarm in self._of("AWS::CloudWatch::Alarm")]
        ran, sweep = self._scheduled(), counted.sweep
        sweeps = sum(ran.values())
        seconds = sum(sweep.seconds.values()) / sweep.runs.total()
        each = sweeps / sweep.runs.total()
        gb_seconds = sum(runs * seconds * self.memory_gb[name] for name, runs in ran.items())
        lines = [
            Line(
                "looks into queues by Lambda", len(queues) * _POLLERS * _POLLS_A_MONTH, prices.QUEUE_REQUEST
            ),
            Line("looks into dead letters by sweep", each * sweep.of("sqs"), prices.QUEUE_REQUEST),
            Line("runs on schedule", sweeps, prices.RUN),
            Line("their memory", gb_seconds, prices.GB_SECOND),
            Line("their traces", sweeps, prices.TRACE),
            Line("their logs", each * sweep.log_bytes / 1e9, prices.LOG_GB),
            Line("their reads of tables", each * sweep.read_units, prices.READ_UNIT),
            Line("metrics that are sent", len(counted.idle_metrics), prices.METRIC_MONTH),
            Line("metrics that alarms look at", sum(alarms), prices.ALARM_MONTH),
            Line("composite alarms", self._count("AWS::CloudWatch::CompositeAlarm"), prices.COMPOSITE_MONTH),
            Line("dashboards", self._count("AWS::CloudWatch::Dashboard"), prices.DASHBOARD_MONTH),
            Line("KMS keys", self._count("AWS::KMS::Key"), prices.KEY_MONTH),
            Line("secrets", self._secrets(), prices.SECRET_MONTH),
            Line("the worker's image", _IMAGE_GB, prices.IMAGE_GB_MONTH),
        ]
        return [line for line in lines if line.amount]

    def _secrets(self) -> int:
        """The template's own, and those that whoever deploys gives it."""
        given = sum(name.endswith("SecretArn") and bool(value) for name, value in self.parameters.items())
        return self._count("AWS::SecretsManager::Secret") + given

    def _scheduled(self) -> dict[str, float]:
        """How often a month functions are run by the clock."""
        runs: dict[str, float] = {}
        for name, function in self._of("AWS::Serverless::Function"):
            for event in function.get("Events", {}).values():
                if event["Type"] == "Schedule":
                    number, unit = event["Properties"]["Schedule"].removeprefix("rate(").rstrip(")").split()
                    runs[name] = runs.get(name, 0) + prices.SECONDS_A_MONTH / (int(number) * _TIMES[unit])
        return runs

    def _of(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(name, item["Properties"]) for name, item in self.resources.items() if item["Type"] == kind]

    def _count(self, kind: str) -> int:
        return len(self._of(kind))

    def _value(self, value: Any) -> Any:
        return self.parameters[value["Ref"]] if isinstance(value, Mapping) else value


def less_what_is_free(lines: list[Line]) -> float:
    """USD of a month's lines, where nothing else uses up what an account has free of charge."""
    amounts: dict[Price, float] = {}
    for line in lines:
        amounts[line.price] = amounts.get(line.price, 0.0) + line.amount
    return sum(price.beyond_free(amount) for price, amount in amounts.items())


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    """Metrics that an alarm looks at: each is billed, and an expression itself is not."""
    queries = alarm.get("Metrics")
    return sum("MetricStat" in query for query in queries) if queries else 1


def _truth(condition: Any, conditions: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether a condition of the template holds."""
    ((kind, content),) = condition.items()
    match kind:
        case "Condition":
            return _truth(conditions[content], conditions, parameters)
        case "Fn::Equals":
            left, right = (parameters[one["Ref"]] if isinstance(one, Mapping) else one for one in content)
            return str(left) == str(right)
        case "Fn::Not":
            return not _truth(content[0], conditions, parameters)
        case "Fn::And":
            return all(_truth(one, conditions, parameters) for one in content)
        case "Fn::Or":
            return any(_truth(one, conditions, parameters) for one in content)
    raise ValueError(f"a condition by {kind}")
