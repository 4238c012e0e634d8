"""Would an alarm of the template tell? Its expression, evaluated over data points by CloudWatch's rules.

Of these rules: an alarm is looked at each minute, over periods that slide with it. Of each period it takes a
statistic, or an expression over some. Where periods are missing it takes older ones, as many as two; what is
missing then counts as the alarm says, but for DynamoDB's metrics, where the alarm stays as it is.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import ast
import json
import math
import operator
import re
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.template import Template
from tests.template.stack import Stack

MINUTE = 60
STACK = "stempipe"

Key = tuple[str, str, frozenset[tuple[str, str]]]
Value = float | None


class Points:
    """Data points: when, and what."""

    def __init__(self) -> None:
        self._points: dict[Key, list[tuple[float, float]]] = defaultdict(list)  # by their moments

    def put(
        self, namespace: str, name: str, dimensions: Mapping[str, str], at: float, *values: float
    ) -> None:
        """Add data points of a moment."""
        key = namespace, name, frozenset(dimensions.items())
        for value in values:
            insort(self._points[key], (at, float(value)))

    def put_line(self, line: Mapping[str, Any], at: float) -> None:
        """Add those of a line in CloudWatch's embedded metric format, as if it were of that moment."""
        for said in line["_aws"]["CloudWatchMetrics"]:
            for names in said["Dimensions"]:
                dimensions = {name: line[name] for name in names}
                for metric in said["Metrics"]:
                    values = line[metric["Name"]]
                    every = values if isinstance(values, list) else [values]
                    self.put(said["Namespace"], metric["Name"], dimensions, at, *every)

    def statistic(self, key: Key, statistic: str, begin: float, end: float) -> Value:
        """Of the points from ``begin`` to just before ``end``; None where there are none."""
        points = self._points.get(key, [])
        first, last = bisect_left(points, (begin,)), bisect_left(points, (end,))
        values = sorted(value for _, value in points[first:last])
        if not values:
            return None
        if statistic.startswith("p"):
            return values[math.ceil(float(statistic[1:]) / 100 * len(values)) - 1]
        return {
            "Sum": sum(values),
            "Average": sum(values) / len(values),
            "Maximum": values[-1],
            "Minimum": values[0],
            "SampleCount": float(len(values)),
        }[statistic]


@dataclass(frozen=True)
class Metric:
    """What an alarm looks at: a metric, and which statistic of it."""

    key: Key
    statistic: str


@dataclass(frozen=True)
class Alarm:
    """An alarm.

    Attributes
    ----------
    metrics, expression
        The metrics by the names that the expression has for them.
    period
        In seconds.
    """

    name: str
    metrics: Mapping[str, Metric]
    expression: str
    period: int
    periods: int
    to_alarm: int
    threshold: float
    breaches: Callable[[float, float], bool]
    missing: str

    def value(self, points: Points, end: float) -> Value:
        """Of the period that ends then."""
        values = {
            name: points.statistic(metric.key, metric.statistic, end - self.period, end)
            for name, metric in self.metrics.items()
        }
        return evaluate(self.expression, values)

    def state(self, points: Points, now: float, before: bool) -> bool:
        """Whether it is in alarm then, if it was so before."""
        values = [self.value(points, now - number * self.period) for number in range(self.periods + 2)]
        present = [value for value in values if value is not None][: self.periods]
        lacking = self.periods - len(present)
        if lacking and self.missing == "ignore":
            return before
        breaching = sum(self.breaches(value, self.threshold) for value in present)
        return breaching + lacking * (self.missing == "breaching") >= self.to_alarm


_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right if right else None,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """Metric math, as much of it as the template has. What is missing makes all that needs it missing."""

    def of(node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return values[name]
            case (
                ast.BinOp(left=left, op=op, right=right)
                | ast.Compare(left=left, ops=[op], comparators=[right])
            ):
                first, second = of(left), of(right)
                found = None if first is None or second is None else _OPERATORS[type(op)](first, second)
                return None if found is None else float(found)
            case ast.Call(func=ast.Name(id="FILL"), args=[filled, value]):
                found = of(filled)
                return of(value) if found is None else found
            case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no]):
                holds = of(condition)
                return None if holds is None else of(yes if holds else no)
            case ast.Call(func=ast.Name(id="SUM"), args=[ast.Call(func=ast.Name(id="METRICS"))]):
                present = [value for value in values.values() if value is not None]
                return sum(present) if present else None
        raise AssertionError(f"unknown: {ast.unparse(node)}")

    return of(ast.parse(expression, mode="eval").body)


class Watch:
    """All alarms of a stack.

    Parameters
    ----------
    template
        In its long form.
    chosen
        The parameters that are not left at their defaults.
    """

    def __init__(self, template: Template, chosen: Mapping[str, str]) -> None:
        resolved = Stack(template, dict(chosen)).resolved()
        defaults = {name: str(item.get("Default", "")) for name, item in resolved["Parameters"].items()}
        self._names = defaults | {"AWS::StackName": STACK}
        self.alarms = {}
        self.composites: dict[str, list[str]] = {}
        for name, resource in resolved["Resources"].items():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                self.alarms[name] = self._alarm(name, resource["Properties"])
            elif resource["Type"] == "AWS::CloudWatch::CompositeAlarm":
                rule = self._text(resource["Properties"]["AlarmRule"])
                assert re.fullmatch(r'ALARM\("\w+"\)( OR ALARM\("\w+"\))*', rule), rule
                self.composites[name] = re.findall(r'"(\w+)"', rule)

    def fired(self, points: Points, begin: float, end: float) -> dict[str, float]:
        """When each alarm first goes off, of those that do."""
        first: dict[str, float] = {}
        state = dict.fromkeys(self.alarms, False)
        for now in range(int(begin), int(end) + 1, MINUTE):
            for name, alarm in self.alarms.items():
                if not state[name]:
                    state[name] = alarm.state(points, now, before=False)
                    if state[name]:
                        first[name] = now
        for name, members in self.composites.items():
            if times := [first[member] for member in members if member in first]:
                first[name] = min(times)
        return first

    def _alarm(self, name: str, properties: Mapping[str, Any]) -> Alarm:
        if "Metrics" in properties:
            (said,) = (item for item in properties["Metrics"] if "Expression" in item)
            stats = {item["Id"]: item["MetricStat"] for item in properties["Metrics"] if "MetricStat" in item}
            expression = self._text(said["Expression"])
            metrics = {
                ident: Metric(self._key(stat["Metric"]), stat["Stat"]) for ident, stat in stats.items()
            }
            (period,) = {stat["Period"] for stat in stats.values()}
        else:
            statistic = properties.get("Statistic") or properties["ExtendedStatistic"]
            metrics, expression = {"m": Metric(self._key(properties), statistic)}, "m"
            period = properties["Period"]
        of_dynamodb = any(metric.key[0] == "AWS/DynamoDB" for metric in metrics.values())
        return Alarm(
            name,
            metrics,
            expression,
            period,
            periods=properties["EvaluationPeriods"],
            to_alarm=properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]),
            threshold=properties["Threshold"],
            breaches=_COMPARISONS[properties["ComparisonOperator"]],
            missing="ignore" if of_dynamodb else properties["TreatMissingData"],
        )

    def _key(self, metric: Mapping[str, Any]) -> Key:
        dimensions: Iterable[Mapping[str, Any]] = metric.get("Dimensions", ())
        pairs = frozenset((item["Name"], self._text(item["Value"])) for item in dimensions)
        return metric["Namespace"], metric["MetricName"], pairs

    def _text(self, item: Any) -> str:
        """A resource has its name in the template for its own; a parameter, its value."""
        match item:
            case {"Ref": str(name)}:
                return self._names.get(name, name)
            case {"Fn::GetAtt": [name, _]}:
                return str(name)
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([\w:]+)\}", lambda found: self._names.get(found[1], found[1]), text)
        return str(item)


def lines_of(output: str) -> list[dict[str, Any]]:
    """The lines in CloudWatch's embedded metric format, of all that functions wrote."""
    lines = []
    for text in output.splitlines():
        if '"_aws"' in text:
            line: dict[str, Any] = json.loads(text)
            lines.append(line)
    return lines
